import type {} from 'fastify'

export type {
  CommitReason,
  CommonSessionOptions,
  CookieAttributes,
  HostCookieAttributes,
  NotStorable,
  OpenReason,
  OpenRefusal,
  OrdinaryCookieName,
  Secret,
  SecureCookieAttributes,
  Session,
  SessionData,
  SessionErrorCode,
  SessionEvent,
  SessionMethods,
  SessionOptions,
  SessionReason,
  SessionRouteConfig,
  SessionSize,
  SessionValues,
  Storable
} from '../types/index.ts'
export { getSession } from './get-session.ts'
export { session, session as default } from './plugin.ts'

// It has to stand in this file: an import for its side effect on types alone is erased from the declarations.
// The types are named by path because fastify's own scope may hold a `Session` of another plugin.
declare module 'fastify' {
  interface FastifyRequest {
    /** The session of this request. Assigning null destroys it. */
    get session(): import('../types/index.ts').Session
    set session(destroy: import('../types/index.ts').Session | null)
  }

  interface FastifyContextConfig {
    /** What this route says about sessions. */
    session?: import('../types/index.ts').SessionRouteConfig
  }
}
