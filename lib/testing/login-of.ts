import type { User } from '../../types/login.ts'
import { NotRegisteredError } from '../errors.ts'
import { loginSettings } from '../login/login-context.ts'
import { clientOf, loginData } from '../login/login-state.ts'
import type { AnyApp } from './factory-of.ts'

/** As `app.inject()` comes. */
const CLIENT = clientOf('127.0.0.1', 'lightMyRequest')

/** What a login of the login kit would leave in a session: its owner, and data. */
export function loginOf(app: AnyApp, user: User, decorator = 'session'): { ownerId: string; data: object } {
  const kit = loginSettings(app, decorator)
  if (kit === undefined) {
    throw new NotRegisteredError(
      'The option user is for applications with the login kit: register fastify-typed-session/login, or give data and ownerId.'
    )
  }
  const ownerId = kit.idOf(user)
  const login = { id: ownerId, at: kit.now(), hash: kit.hashOf(user) }
  return { ownerId, data: loginData({ ...login, client: kit.protection === false ? undefined : CLIENT }) }
}
