export type {
  CommitReason,
  OpenReason,
  OpenRefusal,
  RevocationEvent,
  SessionEvent,
  SessionReason
} from './diagnostics.ts'
export type { EndReason, SessionEndedEvent } from './endings.ts'
export type { SessionError, SessionErrorCode } from './errors.ts'
export type { SessionFormat } from './format.ts'
export type {
  AddsOfAll,
  Guard,
  GuardedHandler,
  GuardedRoute,
  GuardOptions,
  GuardReply,
  GuardRequest,
  Guards,
  LoginRequiredOptions,
  OriginRequest,
  RefusalReason,
  SameOriginHook,
  SameOriginOptions
} from './guard.ts'
export type {
  CommonSessionOptions,
  CookieAttributes,
  CookieOptions,
  CookieSessionOptions,
  FormattedSessionOptions,
  HostCookieAttributes,
  LimitedSessionOptions,
  OrdinaryCookieName,
  RevocableSessionOptions,
  Secret,
  SecureCookieAttributes,
  SecureCookieName,
  SessionOptions,
  SessionRouteConfig,
  SessionRouteOptions,
  StoredSessionOptions
} from './options.ts'
export type { RawRequest, RawSession } from './raw-session.ts'
export type {
  GeneralRevocation,
  OwnerRevocation,
  Revocation,
  RevocationList,
  RevocationPage,
  SessionRevocation
} from './revocations.ts'
export type {
  InferSession,
  InvalidDataInfo,
  Migration,
  NotSessionSchema,
  SchemaIssue,
  SchemaOptions,
  SchemaResult,
  SessionSchema,
  StandardSchema
} from './schema.ts'
export type {
  DeviceBinding,
  NotStorable,
  RegenerateOptions,
  Session,
  SessionData,
  SessionMethods,
  SessionSize,
  SessionValues,
  Storable
} from './session.ts'
export type { OwnedSession, SessionEntry, SessionPage, Sessions } from './sessions.ts'
export type {
  CommitResult,
  CreateResult,
  MaybePromise,
  OwnerLimit,
  SessionChanges,
  SessionRecord,
  SessionStore,
  StoreCall,
  StoredRecord,
  StoreStep
} from './store.ts'
