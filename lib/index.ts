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
  DeviceBinding,
  EndReason,
  FormattedSessionOptions,
  GeneralRevocation,
  Guard,
  GuardedHandler,
  GuardedRoute,
  GuardOptions,
  GuardReply,
  GuardRequest,
  Guards,
  HostCookieAttributes,
  InferSession,
  InvalidDataInfo,
  LimitedSessionOptions,
  LoginRequiredOptions,
  MaybePromise,
  Migration,
  NotSessionSchema,
  NotStorable,
  OpenReason,
  OpenRefusal,
  OrdinaryCookieName,
  OriginRequest,
  OwnedSession,
  OwnerLimit,
  OwnerRevocation,
  RawRequest,
  RawSession,
  RefusalReason,
  RegenerateOptions,
  RevocableSessionOptions,
  Revocation,
  RevocationEvent,
  RevocationList,
  RevocationPage,
  SameOriginHook,
  SameOriginOptions,
  SchemaIssue,
  SchemaOptions,
  SchemaResult,
  Secret,
  SecureCookieAttributes,
  SecureCookieName,
  Session,
  SessionChanges,
  SessionData,
  SessionEndedEvent,
  SessionEntry,
  SessionError,
  SessionErrorCode,
  SessionEvent,
  SessionFormat,
  SessionMethods,
  SessionOptions,
  SessionPage,
  SessionReason,
  SessionRecord,
  SessionRevocation,
  SessionRouteConfig,
  SessionRouteOptions,
  SessionSchema,
  SessionSize,
  SessionStore,
  Sessions,
  SessionValues,
  StandardSchema,
  Storable,
  StoreCall,
  StoredRecord,
  StoredSessionOptions,
  StoreStep
} from '../types/index.ts'
export { isSessionError } from './errors.ts'
export { guardsFor } from './guard/checks.ts'
export { and } from './guard/guard.ts'
export { loginRequired, requireSession, safeNext } from './guard/index.ts'
export { sameOriginOnly } from './guard/same-origin-only.ts'
export { session, session as default } from './plugin.ts'
export { getSession } from './request/get-session.ts'
export { getSessions } from './request/get-sessions.ts'
export { sessionOf } from './request/session-of.ts'
export type { MemoryRevocationsOptions } from './revocations/memory.ts'
export { MemoryRevocations } from './revocations/memory.ts'
export type { MemoryStoreOptions } from './stores/memory.ts'
export { MemoryStore } from './stores/memory.ts'

// It has to stand in this file: an import for its side effect on types alone is erased from the declarations.
// The types are named by path because fastify's own scope may hold a `Session` of another plugin.
declare module 'fastify' {
  interface FastifyRequest {
    /**
     * The session of this request: your data as properties, and the methods of `SessionMethods`. It is always an object.
     * Assigning null destroys the session; anything else throws `ERR_SESSION_VALUE`.
     *
     * With a store, it is empty before the `onRequest` hook of the plugin, and writing to it then throws `ERR_SESSION_NOT_LOADED`.
     * `sessionOf(request)` is undefined until then.
     */
    get session(): import('../types/index.ts').Session
    set session(destroy: import('../types/index.ts').Session | null)
  }

  interface FastifyInstance {
    /** Lists and ends sessions. */
    readonly sessions: import('../types/index.ts').Sessions
  }

  interface FastifyContextConfig {
    /**
     * Turns the session off for this route, or says how the route uses it. Default: a session, and requests count as activity.
     */
    session?: import('../types/index.ts').SessionRouteConfig | undefined
  }
}
