import { subscribe } from 'node:diagnostics_channel'
import { readFileSync } from 'node:fs'
import fastify from 'fastify'
import session, { and, type Guard, MemoryStore, requireSession, sameOriginOnly } from 'fastify-typed-session'
import byDefault, {
  type LoadUserOptions,
  type LoginEvent,
  type LoginOptions,
  login,
  type User
} from 'fastify-typed-session/login'
import { createClient } from 'fastify-typed-session/testing'
import { same, typed } from '../expect.ts'

declare module 'fastify-typed-session' {
  interface SessionData {
    cart: Record<string, number>
  }
}

declare module 'fastify-typed-session/login' {
  interface User {
    id: number
    name: string
    roles: readonly string[]
    passwordHash: string
  }
}

same<typeof byDefault, typeof login>(true)

declare function find(id: string): Promise<User | undefined>
declare const ada: User

const app = fastify()
await app.register(session, { secret: process.env.SESSION_SECRET, store: new MemoryStore() })
await app.register(login, {
  loadUser: (id, request) => {
    typed<string>(id)
    typed<string>(request.ip)
    return find(id)
  },
  getId: (user) => user.id.toFixed(),
  roles: (user) => user.roles,
  authHash: (user) => user.passwordHash,
  loginPath: '/login',
  confirmPath: '/confirm',
  protection: 'strong',
  remember: { cookieName: '__Host-remember', maxAge: 3600, grace: 10, cookie: { sameSite: 'strict' } },
  clearSiteData: true,
  allowSameSite: true,
  csrfKey: 'csrf',
  clock: Date.now
})
await app.register(login, { loadUser: () => null })
await app.register(login, {
  loadUser: find,
  authenticate: async (request) => {
    typed<string | undefined>(request.headers.authorization)
    return request.ip === '' ? undefined : find('1')
  },
  challenge: 'Bearer realm="shop"'
})
await app.register(login, { loadUser: find, authenticate: () => null })
await app.register(login, { loadUser: find, authenticate: undefined, challenge: undefined })
app.register(login, { loadUser: find, authenticate: () => false }) //! 2769
app.register(login, { loadUser: find, authenticate: async () => ({ id: 1 }) }) //! 2769
app.register(login, { loadUser: find, authenticate: () => null, challenge: 401 }) //! 2769
await app.register(login, { loadUser: async () => ada, remember: true, protection: false })
app.register(login, {}) //! 2769
app.register(login, { loadUser: find, protection: 'weak' }) //! 2769
app.register(login, { loadUser: find, rememberMe: true }) //! 2769
app.register(login, { loadUser: async () => ({ id: 1 }) }) //! 2769
typed<LoginOptions>({ loadUser: () => undefined })

// Anybody may be logged in, or nobody.
app.get('/', async (request) => {
  same<typeof request.user, User | null>(true)
  same<typeof request.authenticatedAt, Date | null>(true)
  same<Awaited<ReturnType<typeof request.loadUser>>, User | null>(true)
  const how: LoadUserOptions = { fresh: true }
  typed<User | null>(await request.loadUser(how))
  await request.loadUser({ anew: true }) //! 2353
  typed<void>(await request.rehashed(ada))
  await request.rehashed({ id: 1 }) //! 2345|2739
  return request.user?.name
})
app.get('/', async (request) => request.user.name) //! 18047
app.get('/', { preHandler: app.loginRequired() }, async (request) => request.user.name) //! 18047

// Behind a guard somebody is.
app.get(
  '/me',
  app.loginRequired().handle(async (request) => {
    same<typeof request.user, User>(true)
    typed<Record<string, number> | undefined>(request.session.cart)
    return request.user.name
  })
)
app.post(
  '/email',
  app.freshLoginRequired({ within: 600, redirectTo: '/again' }).handle({ bodyLimit: 100 }, async (request) => {
    typed<number>(request.user.id)
    same<Awaited<ReturnType<typeof request.logoutOthers>>, number>(true)
    await request.confirmLogin()
  })
)
app.get(
  '/admin',
  app.requireRole('admin', 'owner', { status: 404 }).handle(async (request) => request.user.roles)
)
app.get(
  '/checkout',
  and(app.loginRequired(), requireSession('cart')).handle(async (request) => {
    same<typeof request.user, User>(true)
    return Object.keys(request.session.cart)
  })
)
typed<Guard<{ readonly user: User }>>(app.requireRole('admin'))
app.addHook('preHandler', app.loginRequired())
app.addHook('onRequest', sameOriginOnly())
app.post('/', { preHandler: [sameOriginOnly({ allowSameSite: true })] }, async () => '')
sameOriginOnly({ allowSameSite: 'yes' }) //! 2322
app.requireRole() //! 2345
app.freshLoginRequired({ within: '10m' }) //! 2322
app.loginRequired({ within: 600 }) //! 2353

app.post('/login', async (request) => {
  await request.login(ada)
  await request.login(ada, { remember: true, fresh: false })
  await request.login(ada, { keep: ['cart'], allowCrossSite: true })
  await request.login(ada, { keep: ['mfaPassed'] }) //! 2322
  await request.login({ id: 1 }) //! 2345|2739
  await request.login(ada, { remember: 'yes' }) //! 2322
  await request.login(ada, () => {}) //! 2345|2559|2560
  await request.logout(() => {}) //! 2554
  request.user = ada //! 2540
  await request.logout()
})

app.post(
  '/act-as',
  and(app.requireRole('admin'), app.notImpersonating()).handle(async (request) => {
    same<typeof request.user, User>(true)
    same<typeof request.impersonator, User | null>(true)
    typed<void>(await request.impersonate(ada))
    typed<void>(await request.stopImpersonating())
    await request.impersonate({ id: 1 }) //! 2345|2739
    await request.impersonate(null) //! 2345
    await request.stopImpersonating(ada) //! 2554
    request.impersonator = ada //! 2540
    return request.impersonator?.name
  })
)
app.addHook('preHandler', app.notImpersonating({ status: 404 }))
app.notImpersonating({ within: 600 }) //! 2353
app.register(login, { loadUser: find, impersonationIdleTimeout: '15m' }) //! 2769

// HTTP/2.
const http2 = fastify({ http2: true, https: { key: readFileSync('key'), cert: readFileSync('cert') } })
await http2.register(session, { secret: process.env.SESSION_SECRET })
await http2.register(login, { loadUser: find })
http2.addHook('onRequest', sameOriginOnly())
http2.get(
  '/',
  http2.loginRequired().handle(async (request) => request.user.name)
)

await createClient(app, { user: ada, data: { cart: { tea: 1 } } })
await createClient(app, { user: { id: 1 } }) //! 2739|2740|2322|2345

subscribe('fastify-typed-session/login', (message) => {
  const { type, userId, impersonatorId, reason } = message as LoginEvent
  typed<
    | 'login'
    | 'logout'
    | 'refused'
    | 'remembered'
    | 'theft'
    | 'protected'
    | 'ended'
    | 'impersonation'
    | 'impersonation-ended'
  >(type)
  typed<string | undefined>(userId)
  typed<string | undefined>(impersonatorId)
  typed<string | undefined>(reason)
})
