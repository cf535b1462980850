// Nothing marked here compiles: each line that ends in a mark must give exactly that error, or one of them, and no other
// line may give any. See run.mjs.
import type { FastifyRequest } from 'fastify'
import fastify from 'fastify'
import session, {
  getSession,
  isSessionError,
  MemoryRevocations,
  MemoryStore,
  type RawSession,
  type Session,
  type SessionData,
  type SessionOptions,
  type SessionRouteConfig
} from 'fastify-typed-session'
import { flaskCookie, tag } from 'fastify-typed-session/flask'
import { createClient, FakeClock, readSession, sessionCookie } from 'fastify-typed-session/testing'
import { typed } from '../expect.ts'

declare module 'fastify-typed-session' {
  interface SessionData {
    visits: number
    name: string
    cart: Record<string, number>
    date: Date
    nested: { at: Date; n: number }
    role: 'reader' | 'editor'
    get: string
    id: number
  }
}

declare const request: FastifyRequest
const { session: mine } = request
const app = fastify()
const secret = process.env.SESSION_SECRET

// Keys that nobody declared.
mine.visit //! 2551
mine.vists = 1 //! 2551
mine['no-key'] //! 7053
mine.get('typo') //! 2345
mine.get('typo', 1) //! 2769
mine.set('typo', 1) //! 2345
mine.has('typo') //! 2345
mine.pop('typo') //! 2345
mine.setDefault('typo', 1) //! 2345
mine.delete('typo') //! 2345
mine.data().typo //! 2339
mine.regenerate(['typo']) //! 2322
delete mine.typo //! 2339
void mine.update((draft) => draft.typo) //! 2339
export const { typo } = mine //! 2339

// What was declared may be missing.
export const visits: number = mine.visits //! 2322
mine.visits + 1 //! 18048
mine.cart['101'] //! 18048
export const got: number = mine.get('visits') //! 2322
export const popped: string = mine.pop('name') //! 2322
mine.cart = { a: 1 }
export const price: number = mine.cart['101'] //! 2322

// Values of another type.
mine.visits = 'one' //! 2322
mine.set('visits', 'one') //! 2345
mine.set('visits', null) //! 2345
mine.setDefault('visits', undefined) //! 2345
mine.role = 'owner' //! 2322
void mine.update((draft) => {
  draft.visits = 'one' //! 2322
})
export const sum: Promise<string> = mine.update((draft) => draft.visits ?? 0) //! 2322

// What JSON cannot carry.
mine.date = new Date() //! 2741|2322
mine.set('date', new Date()) //! 2345|2741
mine.setDefault('date', new Date()) //! 2345|2741
mine.date?.getTime() //! 2339
mine.nested = { at: new Date(), n: 1 } //! 2741|2322
mine.nested?.at.getTime() //! 2339

// What is not data.
mine.id = 'x' //! 2540
mine.isNew = false //! 2540
mine.createdAt = new Date() //! 2540
mine.get = 'x' //! 2322
mine.get('get') //! 2345
mine.get('id') //! 2345
mine.set('id', 1) //! 2345
mine.data().id //! 2339
mine.permanent = 'yes' //! 2322
mine.idleTimeout = '1h' //! 2322
mine.absoluteTimeout = null //! 2322
mine.delete() //! 2554
mine.setOwner(1) //! 2345
mine.options({ expires: 1 }) //! 2353
mine.update() //! 2554
mine.destroy((error: unknown) => error) //! 2554
mine.renew(() => {}) //! 2554
mine.reload(() => {}) //! 2554
mine.commit(() => {}) //! 2554
mine.touch(() => {}) //! 2554
mine.clear(() => {}) //! 2554
mine.regenerate(() => {}) //! 2345
mine.regenerate(['visits'], () => {}) //! 2345|2559|2560
mine.options(() => {}) //! 2345|2559|2560
const spread = { ...mine }
spread.renew //! 2339
spread.id //! 2339

// The property of the request.
request.session = {} //! 2322
request.session = undefined //! 2322
request.session = { visits: 1 } //! 2322
request.session = 'x' //! 2322

// getSession.
getSession(request).typo //! 2339
getSession<{ role: string }>(request).visits //! 2339
getSession({}) //! 2345|2739|2740
getSession() //! 2554
getSession(request, 1) //! 2345
export const wide: Session<{ visits: string }> = mine //! 2322

// Errors.
declare const caught: unknown
isSessionError(caught, 'ERR_SESSION_GONE') //! 2554
isSessionError(caught) && caught.code === 'ERR_SESSION_GON' //! 2367
if (isSessionError(caught)) caught.code = 'ERR_SESSION_GONE' //! 2540

// The session is not a value, and needs no index signature.
new SessionData() //! 2693
export const data: SessionData = {} //! 2740

// Options.
await app.register(session) //! 2769
await app.register(session, {}) //! 2769
await app.register(session, { secret: 1 }) //! 2769
await app.register(session, { secret: null }) //! 2769
await app.register(session, { secret: [secret] }) //! 2769
await app.register(session, { secret, cookiename: 'x' }) //! 2769
await app.register(session, { secret, maxAge: 1 }) //! 2769
await app.register(session, { secret, encrypt: 'yes' }) //! 2769
const format = flaskCookie({ secretKey: secret })
await app.register(session, { format, secret }) //! 2769
await app.register(session, { format, encrypt: true }) //! 2769
await app.register(session, { format, store: new MemoryStore() }) //! 2769
await app.register(session, { format, revocations: new MemoryRevocations() }) //! 2769
await app.register(session, { format: { name: 'other' } }) //! 2769
flaskCookie({}) //! 2345|2741
flaskCookie({ secretKey: secret, digest: 'md5' }) //! 2322
tag.dateTime('yesterday') //! 2345
await app.register(session, { secret, idleTimeout: '1h' }) //! 2769
await app.register(session, { secret, maxIdleTimeout: '30d' }) //! 2769
await app.register(session, { secret, clock: new Date() }) //! 2769
await app.register(session, { secret, cookie: { sameSite: true } }) //! 2769
await app.register(session, { secret, cookie: { maxAge: 1 } }) //! 2769
await app.register(session, { secret, cookie: { secure: 'always' } }) //! 2769
await app.register(session, { secret, cookie: { priority: 'top' } }) //! 2769

// The rules of the prefixes.
await app.register(session, { secret, cookieName: '__Host-x', cookie: { domain: 'example.com' } }) //! 2769
await app.register(session, { secret, cookieName: '__Host-x', cookie: { path: '/app' } }) //! 2769
await app.register(session, { secret, cookieName: '__Host-x', cookie: { secure: false } }) //! 2769
await app.register(session, { secret, cookieName: '__Host-x', cookie: { secure: 'auto' } }) //! 2769
await app.register(session, { secret, cookieName: '__Host-Http-x', cookie: { httpOnly: false } }) //! 2769
await app.register(session, { secret, cookieName: '__Host-Http-x', cookie: { path: '/app' } }) //! 2769
await app.register(session, { secret, cookieName: '__Secure-x', cookie: { secure: false } }) //! 2769
await app.register(session, { secret, cookieName: '__Secure-x', cookie: { secure: 'auto' } }) //! 2769
await app.register(session, { secret, cookieName: '__Http-x', cookie: { httpOnly: false } }) //! 2769
await app.register(session, { secret, cookieName: '__Http-x', cookie: { secure: false } }) //! 2769
await app.register(session, { secret, cookieName: '__host-x', cookie: { secure: false } }) //! 2769
await app.register(session, { secret, cookieName: secret ?? 'x', cookie: { secure: false } }) //! 2769

// A union of names goes only with what all of them allow; a name that is known nowhere goes with nothing.
const isProduction = process.env.NODE_ENV === 'production'
typed<SessionOptions>({ secret, cookieName: isProduction ? '__Host-x' : 'x', cookie: { secure: isProduction } }) //! 2322|2345
typed<SessionOptions>({ secret, cookieName: isProduction ? '__Host-x' : 'x', cookie: { domain: 'a.example' } }) //! 2322|2345
typed<SessionOptions>({ secret, cookieName: isProduction ? '__Host-x' : '__Secure-x', cookie: { path: '/a' } }) //! 2322|2345
typed<SessionOptions>({ secret, cookieName: isProduction ? '__Secure-x' : 'x', cookie: { secure: 'auto' } }) //! 2322|2345
typed<SessionOptions>({ secret, cookieName: isProduction ? '__Http-x' : 'x', cookie: { httpOnly: false } }) //! 2322|2345
typed<SessionOptions>({ secret, cookieName: process.env.NAME, cookie: { domain: 'a.example' } }) //! 2322|2345

// The compiler names the mistake, also where the options stand apart.
const apart = { secret, cookie: { sameSite: 'lax' } }
await app.register(session, apart) //! 2769 "Problem<"any string: write the object where it is used, or end it with `satisfies SessionOptions`">"
await app.register(session, { secret, cookie: { sameSite: process.env.SAME_SITE } }) //! 2769 "Problem<"any string: write the object"
const automatic = { secret, cookie: { secure: 'auto' } }
typed<SessionOptions>(automatic) //! 2345 "Problem<"any string: write the object"
const important = { secret, cookie: { priority: 'high' } }
typed<SessionOptions>(important) //! 2345 "Problem<"any string: write the object"
const eitherName = { secret, cookieName: isProduction ? '__Host-x' : 'x', cookie: { secure: isProduction } }
await app.register(session, eitherName) //! 2769 "Problem<"a cookieName that has a prefix, or may have one"
typed<SessionOptions>({ secret, cookieName: isProduction ? '__Host-x' : 'x', cookie: { path: '/a' } }) //! 2322|2345 "Problem<"a cookieName that has a prefix, or may have one"
typed<SessionOptions>({ secret, cookieName: '__Secure-x', cookie: { httpOnly: false } }) //! 2322|2345 "Problem<"a cookieName that has a prefix, or may have one"
typed<SessionOptions>({ secret, cookieName: '__Host-x', cookie: { domain: 'a.example' } }) //! 2322|2345 "Problem<"a cookieName that has a prefix, or may have one"

// Route config.
app.get('/a', { config: { session: true } }, async () => '') //! 2322
app.get('/b', { config: { session: { tuch: false } } }, async () => '') //! 2322
app.get('/c', { config: { session: { touch: 1 } } }, async () => '') //! 2322
app.get('/d', { config: { session: {} } }, async () => '') //! 2322
app.get('/e', { config: { session: null } }, async () => '') //! 2322

// Stores.
typed<SessionOptions>({ secret, store: new Map() }) //! 2322|2345|2740
typed<SessionOptions>({ secret, store: new MemoryStore(), encrypt: 'yes' }) //! 2322|2345
typed<SessionOptions>({ secret, store: new MemoryStore(), maxPerOwnerPolicy: 'evict' }) //! 2322|2345
typed<SessionOptions>({ secret, store: new MemoryStore(), describe: () => 'text' }) //! 2322|2345
typed<SessionOptions>({ secret, store: new MemoryStore(), maxPerOwnerPolicy: 'refuse' }) //! 2322|2345
typed<SessionOptions>({ secret, store: new MemoryStore(), maxPerOwner: undefined, maxPerOwnerPolicy: 'refuse' }) //! 2322|2345
typed<SessionOptions>({ secret, storeTimeout: 1 }) //! 2322|2345
typed<SessionOptions>({ secret, revocations: new Map() }) //! 2322|2345|2739
typed<SessionOptions>({ secret, revocations: new MemoryRevocations(), store: new MemoryStore() }) //! 2322|2345
typed<SessionOptions>({ secret, revocations: new MemoryRevocations(), onStale: 'ignore' }) //! 2322|2345
typed<SessionOptions>({ secret, maxStaleness: 1 }) //! 2322|2345
typed<SessionOptions>({ secret, renameGrace: 1 }) //! 2322|2345
typed<SessionOptions>({ secret, maxPerOwner: 2 }) //! 2322|2345
typed<SessionOptions>({ secret, describe: () => ({}) }) //! 2322|2345
typed<SessionRouteConfig>({ onStoreError: 'ignore' }) //! 2322|2345
new MemoryStore({ maxSession: 1 }) //! 2561
void app.sessions.list(7) //! 2345
void app.sessions.list('ada', { curent: 'x' }) //! 2561
app.sessions = fastify().sessions //! 2540

// The testing kit.
void sessionCookie(app, { visit: 1 }) //! 2561|2353
void sessionCookie(app, { visits: '1' }) //! 2322
void sessionCookie(app, { date: new Date() }) //! 2741|2322
void sessionCookie(app, { get: 'x' }) //! 2353
void sessionCookie(app) //! 2554
void sessionCookie({}, { visits: 1 }) //! 2345|2741
void sessionCookie(app, { visits: 1 }, { owner: 'ada' }) //! 2561|2353
void sessionCookie(app, { visits: 1 }, { ownerId: 7 }) //! 2322
void sessionCookie(app, { visits: 1 }, { lastSeenAt: Date.now() }) //! 2322
void sessionCookie<{ level: number }>(app, { visits: 1 }) //! 2353
const reading = await readSession(app, 'session=x')
reading.data.visits //! 18048
reading.data?.visit //! 2551
reading.session //! 2339
reading.data = {} //! 2540
void readSession(app, 7) //! 2345
void readSession(app, 'x', { decoratr: 'x' }) //! 2561|2353
void createClient(app, { data: { visit: 1 } }) //! 2561|2353
void createClient(app, { cookies: { a: '1' } }) //! 2322
const client = await createClient(app)
void client.get('/', { method: 'POST' }) //! 2353
void client.get() //! 2554
;(await client.session()).data.visits //! 2532
void new FakeClock(5) //! 2345
new FakeClock().advance() //! 2554
void app.register(session, { secret, clock: new FakeClock() }) //! 2769

// The session of a raw request is read, and nothing else.
void app.sessions.ofRaw({}) //! 2345|2741
void app.sessions.ofRaw('session=a') //! 2345
void app.sessions.ofRaw({ headers: { Cookie: 'session=a' } }) //! 2353
void app.sessions.ofRaw({ headers: { cookie: ['session=a'] } }) //! 2322
declare const raw: RawSession
raw.data.visits = 1 //! 2540
raw.data.typo //! 2339
raw.ownerId = 'ada' //! 2540

// What has a value stays while the compiler knows of it: these say so in another way, `mine.delete('name')`.
if (mine.has('name')) delete mine.name //! 2790
if (mine.has('name')) mine.name = undefined //! 2322
if (!mine.has('name')) mine.name.length //! 18048
