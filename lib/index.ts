import type {} from 'fastify'

export type {
  AddsOfAll,
  CommitReason,
  CommitResult,
  CommonSessionOptions,
  CookieAttributes,
  CookieOptions,
  CookieSessionOptions,
  CreateResult,
  Guard,
  GuardedHandler,
  GuardedRoute,
  GuardOptions,
  GuardReply,
  GuardRequest,
  Guards,
  HostCookieAttributes,
  LimitedSessionOptions,
  LoginRequiredOptions,
  MaybePromise,
  NotStorable,
  OpenReason,
  OpenRefusal,
  OrdinaryCookieName,
  OwnedSession,
  OwnerLimit,
  RefusalReason,
  Secret,
  SecureCookieAttributes,
  SecureCookieName,
  Session,
  SessionChanges,
  SessionData,
  SessionError,
  SessionErrorCode,
  SessionEvent,
  SessionMethods,
  SessionOptions,
  SessionReason,
  SessionRecord,
  SessionRouteConfig,
  SessionSize,
  SessionStore,
  Sessions,
  SessionValues,
  Storable,
  StoredRecord,
  StoredSessionOptions
} from '../types/index.ts'
export { isSessionError } from './errors.ts'
export { guardsFor } from './guard/checks.ts'
export { and } from './guard/guard.ts'
export { loginRequired, requireSession, safeNext } from './guard/index.ts'
export { session, session as default } from './plugin.ts'
export { getSession } from './request/get-session.ts'
export { getSessions } from './request/get-sessions.ts'
export type { MemoryStoreOptions } from './stores/memory.ts'
export { MemoryStore } from './stores/memory.ts'

// It has to stand in this file: an import for its side effect on types alone is erased from the declarations.
// The types are named by path because fastify's own scope may hold a `Session` of another plugin.
declare module 'fastify' {
  interface FastifyRequest {
    /** The session of this request. Assigning null destroys it. */
    get session(): import('../types/index.ts').Session
    set session(destroy: import('../types/index.ts').Session | null)
  }

  interface FastifyInstance {
    /** The sessions of owners: to list and to end them. */
    readonly sessions: import('../types/index.ts').Sessions
  }

  interface FastifyContextConfig {
    /** What this route says about sessions. */
    session?: import('../types/index.ts').SessionRouteConfig
  }
}
