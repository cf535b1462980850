import cookie from '@fastify/cookie'
import type { FastifyInstance } from 'fastify'

/** `serialize` of `@fastify/cookie`. */
export type SerializeCookie = (name: string, value: string, attributes: Record<string, unknown>) => string

/**
 * Returns `serialize` of `@fastify/cookie`: the one of the application if it has registered that plugin. Otherwise this
 * registers the plugin in an inner scope, so that the application may still register it later with its own options.
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
