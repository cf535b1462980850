export type { CommitReason, OpenReason, OpenRefusal, SessionEvent, SessionReason } from './diagnostics.ts'
export type { SessionErrorCode } from './errors.ts'
export type {
  CommonSessionOptions,
  CookieAttributes,
  HostCookieAttributes,
  OrdinaryCookieName,
  Secret,
  SecureCookieAttributes,
  SessionOptions,
  SessionRouteConfig
} from './options.ts'
export type {
  NotStorable,
  Session,
  SessionData,
  SessionMethods,
  SessionSize,
  SessionValues,
  Storable
} from './session.ts'
