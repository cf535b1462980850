import type { FastifyInstance } from 'fastify'
import type { LoginGuards } from '../../types/login.ts'
import type { LoginSettings } from './options.ts'
import type { RequestLogin } from './request-login.ts'

/** What others find of a registered login kit. */
export interface LoginContext {
  readonly settings: LoginSettings
  readonly guards: LoginGuards
  loginOf(request: object): RequestLogin
}

/** Lets others find a login kit: by its name, and by its session, which has no other kit. */
export function provideLoginContext(app: FastifyInstance, context: LoginContext): void {
  const { userDecorator, decorator } = context.settings
  app.decorate(slotOf('name', userDecorator), context)
  app.decorate(slotOf('session', decorator), context)
}

/** Returns the login kit with a name in the scope of `app`; undefined if there is none. */
export function loginContext(app: unknown, userDecorator: string): LoginContext | undefined {
  return Reflect.get(Object(app), slotOf('name', userDecorator))
}

/** Returns the settings of the login kit of a session in the scope of `app`; undefined if there is none. */
export function loginSettings(app: unknown, decorator: string): LoginSettings | undefined {
  return (Reflect.get(Object(app), slotOf('session', decorator)) as LoginContext | undefined)?.settings
}

function slotOf(kind: 'name' | 'session', name: string): symbol {
  return Symbol.for(`fastify-typed-session login kit with the ${kind} ${name}`)
}
