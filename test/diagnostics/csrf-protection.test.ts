import cookie from '@fastify/cookie'
import csrfProtection from '@fastify/csrf-protection'
import type { FastifyInstance } from 'fastify'
import fastify from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import t from 'tap'
import { session } from '../../lib/index.ts'
import { SECRET } from '../helpers/app.ts'

function create(lines: string[] = []): FastifyInstance {
  return fastify({ logger: { stream: { write: (line: string) => void lines.push(JSON.parse(line).msg) } } })
}

async function start(app: FastifyInstance): Promise<void> {
  await app.ready()
}

const LOST = {
  code: 'ERR_SESSION_OPTION_INVALID',
  message: /^@fastify\/csrf-protection keeps .* there is no @fastify\/cookie .* sessionPlugin: '@fastify\/session'/
}

t.test('without sessionPlugin it needs @fastify/cookie, in whatever order and scope', async (t) => {
  const before = create()
  await before.register(csrfProtection)
  await before.register(session, { secret: SECRET })
  await t.rejects(start(before), LOST)

  const after = create()
  await after.register(session, { secret: SECRET })
  after.register(csrfProtection)
  await t.rejects(start(after), LOST)

  const inside = create()
  await inside.register(session, { secret: SECRET })
  inside.register(async (scope) => {
    scope.register(async (inner) => {
      await inner.register(csrfProtection, { cookieOpts: { signed: true } })
    })
  })
  await t.rejects(start(inside), LOST)
})

t.test('with @fastify/cookie it is told once where the secret is, and that it could be in the session', async (t) => {
  const lines: string[] = []
  const app = create(lines)
  await app.register(cookie)
  await app.register(session, { secret: SECRET })
  await app.register(session, { secret: SECRET, decorator: 'adminSession', cookieName: 'admin' })
  await app.register(csrfProtection)
  app.register(async () => {})
  app.get('/', async (_request, reply) => reply.generateCsrf())
  await app.ready()
  t.match(lines, [/^@fastify\/csrf-protection keeps its secret in a cookie of its own, and not in the session\. /])
  t.equal(lines.length, 1)
  t.match((await app.inject('/')).headers['set-cookie'], /^_csrf=/, 'it works')
})

t.test('in the session nothing is said', async (t) => {
  for (const sessionPlugin of ['@fastify/session', '@fastify/secure-session'] as const) {
    const lines: string[] = []
    const app = create(lines)
    await app.register(session, { secret: SECRET })
    await app.register(csrfProtection, { sessionPlugin })
    await app.ready()
    t.same(lines, [])
  }
})

t.test('it needs the session that is called session', async (t) => {
  const app = create()
  await app.register(session, { secret: SECRET, decorator: 'adminSession' })
  await app.register(csrfProtection, { sessionPlugin: '@fastify/session' })
  await t.rejects(start(app), { code: 'ERR_SESSION_OPTION_INVALID', message: /the decorator 'session'/ })
})

t.test('without the session or without csrf-protection there is nothing to say', async (t) => {
  const apart = create()
  apart.register(async (scope) => {
    await scope.register(csrfProtection, { sessionPlugin: '@fastify/session' })
  })
  apart.register(async (scope) => {
    await scope.register(session, { secret: SECRET })
  })
  await t.resolves(start(apart))
})

t.test('what another version of it does is not known, and nothing is said', async (t) => {
  for (const other of [() => {}, async () => Promise.reject(new Error('another version'))]) {
    const app = create()
    await app.register(session, { secret: SECRET })
    const plugin = async (app: FastifyInstance): Promise<void> => void app.decorate('csrfProtection', other as never)
    await app.register(fastifyPlugin(plugin, { name: '@fastify/csrf-protection' }))
    await t.resolves(start(app))
  }
})

t.test('it accepts three names, and refuses any other itself', async (t) => {
  const app = create()
  await app.register(session, { secret: SECRET })
  const register = async (): Promise<unknown> =>
    app.register(csrfProtection, { sessionPlugin: 'fastify-typed-session' as never })
  await t.rejects(register(), { message: /sessionPlugin should be one of the following: .*'@fastify\/session'/ })
})
