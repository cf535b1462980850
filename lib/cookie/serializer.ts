import cookie from '@fastify/cookie'
import type { FastifyInstance } from 'fastify'

/** `serialize` of `@fastify/cookie`. */
export type SerializeCookie = (name: string, value: string, attributes: Record<string, unknown>) => string

/**
 * `serialize` of `@fastify/cookie`, from the application's registration or from one of our own. Ours stays in a scope of its
 * own, so that the application may still register the plugin later, with options of its own.
 */
export async function cookieSerializer(app: FastifyInstance): Promise<SerializeCookie> {
  let { serializeCookie } = app
  if (serializeCookie === undefined) {
    await app.register(async (scope) => {
      await scope.register(cookie, { hook: false })
      serializeCookie = scope.serializeCookie
    })
  }
  return serializeCookie
}
