import { readFileSync } from 'node:fs'
import type { JsonSchemaToTsProvider } from '@fastify/type-provider-json-schema-to-ts'
import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import fastify from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import session, {
  and,
  type Guard,
  guardsFor,
  loginRequired,
  type RefusalReason,
  requireSession,
  type Session,
  type SessionData,
  type SessionValues,
  safeNext
} from 'fastify-typed-session'
import { z } from 'zod'
import { same, typed } from '../expect.ts'
import type { AdminData } from './augmentation.ts'

const app = fastify()
await app.register(session, { secret: process.env.SESSION_SECRET })
const key = readFileSync('key')
const http2 = fastify({ http2: true })
const http2s = fastify({ http2: true, https: { key, cert: key } })
declare const logger: FastifyBaseLogger & { readonly extra: number }
const logging = fastify({ loggerInstance: logger })

const user = requireSession('userId')
const login = loginRequired({ key: 'userId', redirectTo: '/login', status: 401, message: 'Who are you?' })
const admin = requireSession((s): s is SessionValues & { role: 'admin' } => s.role === 'admin', { status: 403 })

// Without a guard the member may be missing, and the same handler does not compile.
app.get('/', async (request) => request.session.userId.toFixed()) //! 18048
app.get('/', { preHandler: user }, async (request) => request.session.userId.toFixed()) //! 18048
app.get('/', async (request) => same<typeof request.session.role, 'admin' | 'reader' | undefined>(true))

// With it, it is there; everything else is as it was.
app.get(
  '/me',
  user.handle(async (request, reply) => {
    same<typeof request.session.userId, number>(true)
    same<typeof request.session.role, 'admin' | 'reader' | undefined>(true)
    same<typeof request.params, unknown>(true)
    request.session.userId = 8
    request.session.cart = { tea: 1 }
    typed<Session>(request.session)
    typed<FastifyRequest>(request)
    await request.session.destroy()
    return reply.code(201).send(request.session.userId.toFixed())
  })
)
app.get(
  '/me',
  login.handle(async (request) => request.session.userId.toFixed())
)
app.get(
  '/me',
  login.handle(async (request) => request.session.cart.tea) //! 18048
)
app.get(
  '/admin',
  admin.handle(async (request) => {
    same<typeof request.session.role, 'admin'>(true)
    typed<number | undefined>(request.session.userId)
    return request.session.role
  })
)

// Several keys; null and false are as good as nothing there.
app.get(
  '/keys',
  requireSession('userId', 'cart', 'name', 'loggedIn').handle(async ({ session: { userId, cart, name, loggedIn } }) => {
    same<typeof userId, number>(true)
    same<typeof cart, Record<string, number>>(true)
    same<typeof name, string>(true)
    same<typeof loggedIn, true>(true)
  })
)
app.get(
  '/keys',
  requireSession('userId', 'cart', { redirectTo: '/login', next: 'query' }).handle(async (request) => {
    same<typeof request.session.userId, number>(true)
    same<typeof request.session.cart, Record<string, number>>(true)
  })
)
requireSession('user') //! 2345|2769 "SessionData declares no key 'user'"
requireSession('id') //! 2345|2769
requireSession('userId', { redirect: '/' }) //! 2345|2769 "A guard has no option 'redirect'"
requireSession('userId', { status: '401' }) //! 2345|2769 "An option of the guard has a value of another type"
loginRequired({ key: 'nobody' }) //! 2322
loginRequired({ redirectTo: '/login' }) //! 2345|2741
loginRequired({ key: 'userId', next: 'cookie' }) //! 2322

// Predicates.
const frequent = requireSession((s) => (s.userId ?? 0) > 3)
app.get(
  '/',
  frequent.handle(async (request) => same<typeof request.session.userId, number | undefined>(true))
)
requireSession((s): s is SessionData => s.userId !== undefined)
requireSession(async (s) => s.userId === 3) //! 2345|2769 "A predicate returns true or false, and no promise"
requireSession((s) => s.userId) //! 2345|2769 "A predicate returns true or false"
requireSession((s) => s.user === 3) //! 2339

// All of several.
const seller = and(login, admin, requireSession('cart'))
app.get(
  '/seller',
  seller.handle(async (request) => {
    same<typeof request.session.userId, number>(true)
    same<typeof request.session.role, 'admin'>(true)
    same<typeof request.session.cart, Record<string, number>>(true)
  })
)
typed<Guard>(seller)
and(login, 'admin') //! 2345

// Generics of the route, schemas and type providers.
app.get<{ Params: { id: string }; Reply: { name: string } }>(
  '/:id',
  user.handle(async (request, reply) => {
    same<typeof request.params, { id: string }>(true)
    same<typeof request.session.userId, number>(true)
    reply.send({ name: 'x' })
    return { name: request.params.id }
  })
)
app.get<{ Querystring: { page: number } }>(
  '/pages',
  user.handle({ logLevel: 'warn', config: { session: { touch: false } }, preHandler: [login] }, async (request) => {
    same<typeof request.query.page, number>(true)
    return request.session.userId
  })
)
app.post<{ Body: { name: string } }>(
  '/generics-and-schema',
  user.handle({ schema: { body: { type: 'object', required: ['name'] } } }, async (request) => {
    same<typeof request.body, { name: string }>(true)
    return request.session.userId
  })
)
app.withTypeProvider<TypeBoxTypeProvider>().post(
  '/typebox',
  user.handle({ schema: { body: Type.Object({ n: Type.Number() }) } }, async (request) => {
    same<typeof request.body.n, number>(true)
    same<typeof request.session.userId, number>(true)
  })
)
app.withTypeProvider<JsonSchemaToTsProvider>().post(
  '/json-schema',
  user.handle(
    {
      schema: {
        body: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'], additionalProperties: false }
      }
    },
    async (request) => {
      same<typeof request.body.n, number>(true)
      same<typeof request.session.userId, number>(true)
    }
  )
)
const zod = app.withTypeProvider<ZodTypeProvider>()
const body = z.object({ n: z.number() })
const response = { 200: z.object({ ok: z.boolean() }) }
zod.post(
  '/zod',
  user.handle({ schema: { body, response } }, async (request) => {
    same<typeof request.body.n, number>(true)
    same<typeof request.session.userId, number>(true)
    return { ok: true }
  })
)
zod.post(
  '/zod',
  user.handle({ schema: { body, response } }, async () => ({ ok: 1 })) //! 2322
)
zod.post('/zod', { schema: { body }, preHandler: [user, login] }, async (request) => request.body.n)

// The options of the route may stand before the handler, as without a guard.
app.get(
  '/shorthand',
  { logLevel: 'warn' },
  user.handle(async (request, reply) => {
    same<typeof request.session.userId, number>(true)
    return reply.code(201).send(request.session.userId)
  })
)
app.get<{ Querystring: { page: number } }>(
  '/shorthand',
  { preHandler: [login] },
  user.handle(async (request) => {
    same<typeof request.query.page, number>(true)
    return request.session.userId
  })
)
app.withTypeProvider<TypeBoxTypeProvider>().post(
  '/shorthand',
  { schema: { body: Type.Object({ n: Type.Number() }) } },
  user.handle(async (request) => {
    same<typeof request.body.n, number>(true)
    same<typeof request.session.userId, number>(true)
  })
)
app.withTypeProvider<JsonSchemaToTsProvider>().post(
  '/shorthand',
  {
    schema: {
      body: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'], additionalProperties: false }
    }
  },
  user.handle(async (request) => {
    same<typeof request.body.n, number>(true)
    same<typeof request.session.userId, number>(true)
  })
)
zod.post(
  '/shorthand',
  { schema: { body, response } },
  user.handle(async (request) => {
    same<typeof request.body.n, number>(true)
    same<typeof request.session.userId, number>(true)
    return { ok: true }
  })
)
zod.post(
  '/shorthand',
  { schema: { body, response } },
  user.handle(async () => ({ ok: 1 })) //! 2322
)
http2.get(
  '/shorthand',
  { logLevel: 'warn' },
  user.handle(async (request, reply) => {
    typed<number | undefined>(request.raw.stream.id)
    reply.raw.stream.respond()
    return request.session.userId.toFixed()
  })
)
logging.get(
  '/shorthand',
  { logLevel: 'warn' },
  user.handle(async (request) => typed<number>(request.log.extra))
)
app.route({ method: 'GET', url: '/', handler: user.handle(async (request) => request.session.userId.toFixed()) })

// The generic of the route may stand at handle, too, alone.
app.get(
  '/one-generic',
  user.handle<{ Querystring: { page: number } }>(async (request) => {
    same<typeof request.query.page, number>(true)
    same<typeof request.session.userId, number>(true)
  })
)
app.get(
  '/one-generic',
  { logLevel: 'warn' },
  user.handle<{ Params: { id: string } }>(async ({ params, session }) => {
    same<typeof params.id, string>(true)
    return session.userId.toFixed()
  })
)
app.post(
  '/one-generic',
  user.handle<{ Body: { n: number } }>({ logLevel: 'warn' }, async (request) => {
    same<typeof request.body.n, number>(true)
    return request.session.userId
  })
)
zod.get(
  '/one-generic',
  user.handle<{ Params: { id: string } }>(async (request) => {
    same<typeof request.params.id, string>(true)
  })
)

// Every kind of server, as a hook of a route and of a scope.
http2.get(
  '/',
  user.handle(async (request, reply) => {
    typed<number | undefined>(request.raw.stream.id)
    reply.raw.stream.respond()
    return request.session.userId.toFixed()
  })
)
http2.get('/', { preHandler: seller }, async () => '')
http2.addHook('preHandler', seller)
http2s.get(
  '/',
  user.handle({}, async (request) => request.session.userId)
)
http2s.addHook('preHandler', user)
app.addHook('preHandler', user)
app.addHook('onRequest', user)
app.route({ method: 'GET', url: '/', preHandler: [user, login], handler: async () => '' })
zod.addHook('preHandler', user)
logging.get(
  '/',
  user.handle(async (request) => {
    typed<number>(request.log.extra)
    return request.session.userId
  })
)
logging.addHook('preHandler', user)
app.register(async (scope) => {
  scope.addHook('preHandler', login)
})

// What handle makes of options are options, which nobody can call.
const options = user.handle({ logLevel: 'warn' }, async () => '')
typed<unknown>(options.preHandler)
app.get('/', options)
options(undefined) //! 2554

// What becomes of those who are refused.
loginRequired({
  key: 'userId',
  async onRefused(request, reply, reason) {
    same<typeof request, FastifyRequest>(true)
    same<typeof reply, FastifyReply>(true)
    same<typeof reason, RefusalReason>(true)
    return reply.send(reason)
  }
})
requireSession('userId', {
  onRefused(request: FastifyRequest<{ Body: { name: string } }>, _reply, reason) {
    request.log.info(request.body.name)
    same<typeof reason, RefusalReason>(true)
  }
})

// The page to go back to.
app.post('/login', async (request, reply) => reply.redirect(safeNext(request, '/home'), 303))
http2.post('/login', async (request) => safeNext(request).length)

// A session with data of its own.
const guards = guardsFor<AdminData, 'adminSession'>('adminSession')
const root = guards.requireSession((s): s is SessionValues<AdminData> & { level: 9 } => s.level === 9)
app.get(
  '/root',
  and(root, guards.loginRequired({ key: 'name' }), user).handle(async (request) => {
    same<typeof request.adminSession.level, 9>(true)
    same<typeof request.adminSession.name, string>(true)
    same<typeof request.session.userId, number>(true)
    return guards.safeNext(request)
  })
)
guards.requireSession('userId') //! 2345|2769
guardsFor<AdminData, 'adminSession'>('session') //! 2345
declare const either: 'adminSession' | 'session'
guardsFor<AdminData, typeof either>(either) //! 2345 "one name is needed, and this is a union of names"
