// An option that is undefined has its default, also under `exactOptionalPropertyTypes`: what an environment variable gives can
// be handed on as it is.
import fastify from 'fastify'
import session, {
  type CommonSessionOptions,
  type CookieAttributes,
  type CookieOptions,
  type CookieSessionOptions,
  type FormattedSessionOptions,
  type GuardOptions,
  type HostCookieAttributes,
  loginRequired,
  MemoryRevocations,
  type MemoryRevocationsOptions,
  MemoryStore,
  type MemoryStoreOptions,
  type RevocableSessionOptions,
  requireSession,
  type SecureCookieAttributes,
  type SessionOptions,
  type SessionRouteOptions,
  type Sessions,
  type StoredSessionOptions
} from 'fastify-typed-session'
import type {
  AdoptOptions,
  CookieSessionReaderOptions,
  ExpressSessionOptions,
  FastifySessionOptions,
  FlaskReaderOptions,
  FlaskSessionOptions,
  IronSessionOptions,
  OldCookie,
  SecureSessionOptions
} from 'fastify-typed-session/adopt'
import type { DeviceBoundOptions, DeviceRequiredOptions } from 'fastify-typed-session/device-bound'
import { type FlaskCookieOptions, type FlaskDateTime, flaskCookie, tag, untag } from 'fastify-typed-session/flask'
import inspector, { type InspectorOptions } from 'fastify-typed-session/inspector'
import type {
  FreshLoginOptions,
  LoadUserOptions,
  LoginCallOptions,
  LoginOptions,
  RememberOptions
} from 'fastify-typed-session/login'
import type { ExpressStoreOptions } from 'fastify-typed-session/stores/express'
import type { FileRevocationsOptions, FileStoreOptions } from 'fastify-typed-session/stores/file'
import type { MySqlRevocationsOptions, MySqlStoreOptions } from 'fastify-typed-session/stores/mysql'
import type { PostgresRevocationsOptions, PostgresStoreOptions } from 'fastify-typed-session/stores/postgres'
import type { RedisRevocationsOptions, RedisStoreOptions } from 'fastify-typed-session/stores/redis'
import type { SqliteRevocationsOptions, SqliteStoreOptions } from 'fastify-typed-session/stores/sqlite'
import type {
  ClientOptions,
  RaceSuite,
  RevocationSuite,
  SessionChoice,
  SessionCookieOptions,
  StoreSuite
} from 'fastify-typed-session/testing'
import { same, typed } from '../expect.ts'

/** The optional members that do not take undefined: none under `exactOptionalPropertyTypes: false`. */
type RefusesUndefined<Options> = {
  [Key in keyof Options]-?: object extends Pick<Options, Key>
    ? { [Name in Key]: undefined } extends Pick<Options, Key>
      ? never
      : Key
    : never
}[keyof Options]

same<RefusesUndefined<CommonSessionOptions>, never>(true)
same<RefusesUndefined<CookieSessionOptions>, never>(true)
same<RefusesUndefined<RevocableSessionOptions>, never>(true)
same<RefusesUndefined<FormattedSessionOptions>, never>(true)
same<RefusesUndefined<FlaskCookieOptions>, never>(true)
same<RefusesUndefined<FlaskReaderOptions>, never>(true)
same<RefusesUndefined<FlaskSessionOptions>, never>(true)
same<RefusesUndefined<StoredSessionOptions>, never>(true)
same<RefusesUndefined<CookieOptions<string, CookieAttributes>>, never>(true)
same<RefusesUndefined<CookieAttributes>, never>(true)
same<RefusesUndefined<HostCookieAttributes>, never>(true)
same<RefusesUndefined<SecureCookieAttributes>, never>(true)
same<RefusesUndefined<GuardOptions>, never>(true)
same<RefusesUndefined<SessionRouteOptions>, never>(true)
same<RefusesUndefined<LoginOptions>, never>(true)
same<RefusesUndefined<RememberOptions>, never>(true)
same<RefusesUndefined<LoadUserOptions>, never>(true)
same<RefusesUndefined<LoginCallOptions>, never>(true)
same<RefusesUndefined<FreshLoginOptions>, never>(true)
same<RefusesUndefined<InspectorOptions>, never>(true)
same<RefusesUndefined<AdoptOptions>, never>(true)
same<RefusesUndefined<CookieSessionReaderOptions>, never>(true)
same<RefusesUndefined<ExpressSessionOptions>, never>(true)
same<RefusesUndefined<FastifySessionOptions>, never>(true)
same<RefusesUndefined<IronSessionOptions>, never>(true)
same<RefusesUndefined<OldCookie>, never>(true)
same<RefusesUndefined<SecureSessionOptions>, never>(true)
same<RefusesUndefined<DeviceBoundOptions>, never>(true)
same<RefusesUndefined<DeviceRequiredOptions>, never>(true)
same<RefusesUndefined<NonNullable<Parameters<Sessions['list']>[1]>>, never>(true)
same<RefusesUndefined<NonNullable<Parameters<Sessions['revokeAll']>[1]>>, never>(true)
same<RefusesUndefined<MemoryStoreOptions>, never>(true)
same<RefusesUndefined<MemoryRevocationsOptions>, never>(true)
same<RefusesUndefined<RedisRevocationsOptions>, never>(true)
same<RefusesUndefined<PostgresRevocationsOptions>, never>(true)
same<RefusesUndefined<SqliteRevocationsOptions>, never>(true)
same<RefusesUndefined<FileRevocationsOptions>, never>(true)
same<RefusesUndefined<FileStoreOptions>, never>(true)
same<RefusesUndefined<SqliteStoreOptions>, never>(true)
same<RefusesUndefined<RedisStoreOptions>, never>(true)
same<RefusesUndefined<MySqlRevocationsOptions>, never>(true)
same<RefusesUndefined<MySqlStoreOptions>, never>(true)
same<RefusesUndefined<PostgresStoreOptions>, never>(true)
same<RefusesUndefined<ExpressStoreOptions>, never>(true)
same<RefusesUndefined<SessionChoice>, never>(true)
same<RefusesUndefined<SessionCookieOptions>, never>(true)
same<RefusesUndefined<ClientOptions>, never>(true)
same<RefusesUndefined<StoreSuite>, never>(true)
same<RefusesUndefined<RaceSuite>, never>(true)
same<RefusesUndefined<RevocationSuite>, never>(true)

const app = fastify()
const isProduction = process.env.NODE_ENV === 'production'
const { SESSION_SECRET: secret, NAME, DOMAIN, LOGIN_PATH } = process.env
const store = new MemoryStore({ maxSessions: undefined })
await app.register(session, { secret, cookieName: NAME })
await app.register(session, { secret, cookieName: NAME, cookie: undefined, store: undefined, encrypt: undefined })
await app.register(session, { secret, cookieName: NAME, cookie: { sameSite: 'strict', secure: undefined } })
await app.register(session, { secret, cookieName: undefined, cookie: { domain: DOMAIN, path: undefined } })
await app.register(session, { secret, store, storeTimeout: undefined, maxPerOwner: undefined, describe: undefined })
await app.register(session, { secret, store, maxPerOwner: undefined, maxPerOwnerPolicy: undefined })
const revocations = isProduction ? new MemoryRevocations() : undefined
await app.register(session, { secret, revocations, encrypt: undefined, maxStaleness: undefined, onStale: 'refuse' })
await app.register(session, { secret, revocations, renameGrace: 5, onStale: undefined })
const format = flaskCookie({ secretKey: secret, fallbacks: undefined, salt: NAME, digest: undefined })
await app.register(session, { format, secret: undefined, cookieName: NAME, encrypt: undefined, store: undefined })
await app.register(session, { format, cookieName: '__Host-s', cookie: { secure: true }, idleTimeout: undefined })
same<FlaskDateTime, ReturnType<typeof tag.dateTime>>(true)
typed<readonly [1, 'a']>(tag.tuple([1, 'a'])[' t'])
typed<unknown>(untag(tag.uuid('00000000000000000000000000000005')))
await app.register(inspector, { path: NAME, layout: undefined })
loginRequired({ key: 'userId', redirectTo: LOGIN_PATH, onRefused: undefined })
requireSession('userId', { redirectTo: LOGIN_PATH })
app.get('/', { config: { session: { touch: undefined, onStoreError: 'anonymous' } } }, async () => '')
app.get('/', { config: { session: { touch: false, onStoreError: undefined } } }, async () => '')
app.get('/', { config: { session: { device: undefined, touch: true } } }, async () => '')
app.get('/', { config: { session: undefined } }, async () => '')

// A name that depends on where the program runs goes with the attributes that every name of the union allows.
typed<SessionOptions[]>([
  { secret, cookieName: isProduction ? '__Host-s' : 's' },
  { secret, cookieName: isProduction ? '__Host-s' : undefined },
  { secret, cookieName: isProduction ? '__Host-s' : 's', cookie: { sameSite: 'strict', secure: true, path: '/' } },
  { secret, cookieName: isProduction ? '__Secure-s' : 's', cookie: { domain: 'example.com', path: '/app' } },
  { secret, cookieName: isProduction ? '__Http-s' : undefined, cookie: { domain: DOMAIN } },
  { secret, cookieName: isProduction ? '__Secure-s' : '__Http-s', cookie: { path: '/app' } },
  { secret, cookieName: isProduction ? 'a' : 'b', cookie: { secure: false, httpOnly: false } },
  { secret, cookieName: isProduction ? 'a' : undefined, cookie: { secure: isProduction } }
])

// Options that stand apart, and what is read of them.
const apart = { secret, cookie: { sameSite: 'lax', priority: 'high', secure: 'auto' } } satisfies SessionOptions
await app.register(session, apart)
declare const options: SessionOptions
typed<string | undefined>(options.cookieName)
typed<'lax' | 'strict' | 'none' | undefined>(options.cookie?.sameSite)
typed<boolean | 'auto' | undefined>(options.cookie?.secure)
typed<'low' | 'medium' | 'high' | undefined>(options.cookie?.priority)
typed<string | undefined>(options.cookie?.path)
