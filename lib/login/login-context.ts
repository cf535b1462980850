import type { FastifyInstance } from 'fastify'
import type { LoginSettings } from './options.ts'

/** Lets other parts of this package find the login kit of a session. */
export function provideLoginSettings(app: FastifyInstance, settings: LoginSettings): void {
  app.decorate(slotOf(settings.decorator), settings)
}

/** Returns the settings of the login kit in the scope of `app`; undefined if there is none. */
export function loginSettings(app: unknown, decorator: string): LoginSettings | undefined {
  return Reflect.get(Object(app), slotOf(decorator))
}

function slotOf(decorator: string): symbol {
  return Symbol.for(`fastify-typed-session login kit of ${decorator}`)
}
