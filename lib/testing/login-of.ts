import type { LoginName, User, UserOf } from '../../types/login.ts'
import { NotRegisteredError } from '../errors.ts'
import { loginSettings } from '../login/login-context.ts'
import { clientOf, loginData } from '../login/login-state.ts'
import type { AnyApp } from './factory-of.ts'

/** The client of `app.inject()`. */
const CLIENT = clientOf('127.0.0.1', 'lightMyRequest')

/** Returns the owner and the data that `request.login()` of the login kit would write to a session. */
export function loginOf(
  app: AnyApp,
  user: UserOf<LoginName>,
  decorator = 'session'
): { ownerId: string; data: object } {
  const kit = loginSettings(app, decorator)
  if (kit === undefined) {
    throw new NotRegisteredError(
      'The option user needs the login kit. Register fastify-typed-session/login, or set data and ownerId instead.'
    )
  }
  const own = user as User
  const ownerId = kit.idOf(own)
  const login = { id: ownerId, at: kit.now(), hash: kit.hashOf(own) }
  return { ownerId, data: loginData({ ...login, client: kit.protection === false ? undefined : CLIENT }) }
}
