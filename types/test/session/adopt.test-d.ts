// What readers of other libraries' sessions take, and what the plugin takes as one.
import fastify from 'fastify'
import session, { MemoryStore, type SessionOptions, type SessionValues } from 'fastify-typed-session'
import {
  type AdoptOptions,
  type CookieSessionReaderOptions,
  cookieSession,
  type ExpressSessionOptions,
  expressSession,
  type FastifySessionOptions,
  type FoundSession,
  fastifySession,
  type GoneSession,
  type IronSessionOptions,
  ironSession,
  type OldCookie,
  type OldSessionStore,
  type SecureSessionOptions,
  type SessionReader,
  secureSession
} from 'fastify-typed-session/adopt'
import { same, typed } from '../expect.ts'

declare const store: OldSessionStore
const secret = process.env.SECRET
const key = process.env.KEY ?? ''

// Each makes a reader, and takes what an environment variable gives where it can be missing.
typed<SessionReader[]>([
  fastifySession({ secret: key, store, cookieName: undefined, map: undefined }),
  expressSession({ secret: [key, 'older'], store, name: undefined, remove: undefined }),
  cookieSession({ keys: [key], ownerOf: undefined }),
  cookieSession({ keys: { verify: (data, digest) => data === digest } }),
  secureSession({ key: process.env.KEY, secret: undefined, cookie: { domain: undefined } }),
  ironSession({ password: { 1: key }, cookieName: 'old', ttl: undefined })
])

// The data of the other library are unknown, unless they are declared.
cookieSession({
  keys: [key],
  map: (old) => {
    same<typeof old, Record<string, unknown>>(true)
    return { visits: Number(old.visits) }
  }
})
cookieSession<{ uid: number }>({
  keys: [key],
  map: ({ uid }) => ({ userId: uid, name: undefined }),
  ownerOf: ({ uid }) => String(uid)
})
cookieSession({ keys: [key], map: ({ uid }: { uid?: number }) => (uid === undefined ? undefined : { userId: uid }) })

// What `map` returns are the data of the session, or of another one that is named.
// @ts-expect-error: a string is no number
cookieSession({ keys: [key], map: () => ({ userId: 'seven' }) })
// @ts-expect-error: there is no such key
cookieSession<{ uid: number }>({ keys: [key], map: ({ uid }) => ({ user: uid }) })
// @ts-expect-error: JSON holds no date
cookieSession({ keys: [key], map: () => ({ date: new Date() }) })
// @ts-expect-error: an owner is a string
cookieSession<{ uid: number }>({ keys: [key], ownerOf: ({ uid }) => uid })
cookieSession<{ level: number }, { level: number }>({ keys: [key], map: ({ level }) => ({ level }) })

// @ts-expect-error: a store has get and destroy
expressSession({ secret: key, store: {} })
// @ts-expect-error: there is no cookie without a name
ironSession({ password: key })

// The plugin takes readers in every mode, also none.
const adopt = [cookieSession({ keys: [key], remove: true })]
typed<SessionOptions[]>([
  { secret, adopt },
  { secret, adopt, encrypt: true },
  { secret, adopt, store: new MemoryStore() },
  { secret, adopt: [] },
  { secret, adopt: undefined }
])
const app = fastify()
await app.register(session, { secret, adopt })
// @ts-expect-error: an array
await app.register(session, { secret, adopt: cookieSession({ keys: [key] }) })

// One of your own.
const own: SessionReader = {
  cookieName: 'token',
  read: (value, { now, cookiesNamed }) => {
    typed<string>(value)
    typed<number>(now)
    typed<readonly string[]>(cookiesNamed('other'))
    return value === '' ? 'refused' : { key: value, isUnique: true, data: {}, ownerId: undefined, createdAt: undefined }
  }
}
const found = await own.read('a', { now: 0, cookiesNamed: () => [] })
same<typeof found, FoundSession | GoneSession | 'refused'>(true)

typed<AdoptOptions>({} as ExpressSessionOptions)
typed<AdoptOptions>({} as FastifySessionOptions)
typed<AdoptOptions>({} as SecureSessionOptions)
typed<AdoptOptions>({} as CookieSessionReaderOptions)
typed<AdoptOptions>({} as IronSessionOptions)
typed<AdoptOptions<Record<string, unknown>, SessionValues>>({} as AdoptOptions)
typed<OldCookie>({ path: '/', domain: undefined, partitioned: true })
