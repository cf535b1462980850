import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import cors from '@fastify/cors'
import rateLimit from '@fastify/rate-limit'
import type { FastifyError, FastifyInstance, FastifyRequest, FastifyServerOptions } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import type { SessionOptions } from '../../lib/index.ts'
import { MemoryStore, session, sessionOf } from '../../lib/index.ts'
import { login } from '../../lib/login/index.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { SECRET } from '../helpers/app.ts'
import { ANA } from '../helpers/login-app.ts'

const MODES: readonly (readonly [mode: string, options: () => Partial<SessionOptions>])[] = [
  ['signed', () => ({})],
  ['encrypted', () => ({ encrypt: true })],
  ['stored', () => ({ store: new MemoryStore({ pruneInterval: 0 }) })]
]

const ORIGIN = 'https://shop.example'
const PREFLIGHT = {
  method: 'OPTIONS',
  url: '/',
  headers: { origin: ORIGIN, 'access-control-request-method': 'PUT' }
} as const

async function register(app: FastifyInstance, options: Partial<SessionOptions>): Promise<void> {
  await app.register(session, { secret: SECRET, ...options } as SessionOptions)
  await app.register(login, { loadUser: () => ANA })
  app.post('/login', async (request) => {
    await request.login(ANA)
    return ''
  })
  app.get('/', async ({ session }) => session.ownerId ?? 'nobody')
  app.get('/fails', async () => {
    throw Object.assign(new Error('the real cause'), { statusCode: 418 })
  })
}

/** Looks at all that a request has of a login. */
function look(request: FastifyRequest): string {
  return [request.session.ownerId, request.user?.id, request.authenticatedAt?.getTime()].join()
}

for (const [mode, options] of MODES) {
  t.test(`${mode} sessions`, async (t) => {
    t.test('@fastify/cors answers preflights before the session, whatever hooks look at it', async (t) => {
      const app = fastify()
      await app.register(cors, { origin: ORIGIN, credentials: true })
      app.addHook('onSend', async (request) => void look(request))
      app.addHook('onResponse', async (request) => void look(request))
      await register(app, options())
      app.addHook('onSend', async (request) => void look(request))
      const visitor = await createClient(app, { user: ANA })
      for (const inject of [() => app.inject(PREFLIGHT), () => visitor.inject(PREFLIGHT)]) {
        const response = await inject()
        t.equal(response.statusCode, 204)
        t.equal(response.headers['access-control-allow-origin'], ORIGIN)
        t.same(setCookieLines(response), [])
      }
    })

    t.test('the key of @fastify/rate-limit is the user, before and after the session is registered', async (t) => {
      for (const isFirst of [true, false]) {
        const keys: string[] = []
        const keyGenerator = (request: FastifyRequest): string => {
          const key = sessionOf(request)?.ownerId ?? request.ip
          look(request)
          keys.push(key)
          return key
        }
        const app = fastify()
        if (isFirst) await app.register(rateLimit, { max: 2, keyGenerator })
        await register(app, options())
        if (!isFirst) await app.register(rateLimit, { max: 2, keyGenerator })
        app.setNotFoundHandler({ preHandler: app.rateLimit() }, (request, reply) => reply.code(404).send(look(request)))
        app.get('/limited', async ({ session }) => session.ownerId ?? 'nobody')
        const visitor = await createClient(app, { user: ANA })
        keys.length = 0
        const statuses = []
        for (let count = 0; count < 3; count++) statuses.push((await visitor.get('/limited')).statusCode)
        t.same(statuses, [200, 200, 429])
        t.same(keys, Array(3).fill('1'), 'its hooks are those of the route, which come after ours')
        t.not((await app.inject('/nowhere')).statusCode, 500)
        t.equal((await app.inject('/limited')).statusCode, 200, 'somebody else is another one')
      }
    })

    t.test('an error handler and the hooks around it look at the user, and the error stays', async (t) => {
      const app = fastify()
      const seen: string[] = []
      app.addHook('onRequest', async ({ url }) => {
        if (url === '/early') throw Object.assign(new Error('closed'), { statusCode: 503 })
      })
      app.setErrorHandler(async (error: FastifyError, request, reply) => {
        seen.push(look(request))
        return reply.code(error.statusCode ?? 500).send(error.message)
      })
      await register(app, options())
      app.addHook('onError', async (request) => void look(request))
      app.addHook('onResponse', async (request) => void look(request))
      const visitor = await createClient(app, { user: ANA })
      const fails = await visitor.get('/fails')
      t.match(fails, { statusCode: 418, body: 'the real cause' })
      const early = await visitor.get('/early')
      t.match(early, { statusCode: 503, body: 'closed' })
      t.equal(seen.length, 2)
      t.match(seen[0], /^1,,/, 'the user was not loaded, and the session was')
    })

    t.test('serializers of the log look at the user of every request', async (t) => {
      const lines: { req?: { user?: unknown }; res?: { user?: unknown } }[] = []
      const logger: FastifyServerOptions['logger'] = {
        stream: { write: (line: string) => void lines.push(JSON.parse(line)) },
        serializers: {
          req: (request) => ({ user: look(request as FastifyRequest) }),
          res: ({ request }) => ({ user: request && [look(request), sessionOf(request)?.ownerId ?? 'nobody'] })
        }
      }
      const app = fastify({ logger })
      await register(app, options())
      const visitor = await createClient(app, { user: ANA })
      for (const [url, status] of [
        ['/', 200],
        ['/fails', 418],
        ['/nowhere', 404]
      ] as const) {
        t.equal((await visitor.get(url)).statusCode, status)
      }
      const users = lines.flatMap(({ res }) => (res === undefined ? [] : [(res.user as string[])[1]]))
      t.same(users.slice(-3), ['1', '1', '1'])
    })

    t.test('a hook for timeouts looks at the user', async (t) => {
      const app = fastify({ connectionTimeout: 50 })
      const seen: (string | Error)[] = []
      let timedOut = (): void => {}
      const timeout = new Promise<void>((resolve) => {
        timedOut = resolve
      })
      app.addHook('onTimeout', async (request) => {
        try {
          seen.push(look(request))
        } catch (error) {
          seen.push(error as Error)
        }
        timedOut()
      })
      await register(app, options())
      app.get('/slow', async () => {
        await timeout
        return ''
      })
      const visitor = await createClient(app, { user: ANA })
      await app.listen({ host: '127.0.0.1', port: 0 })
      const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
      socket.on('error', () => {})
      socket.write(`GET /slow HTTP/1.1\r\nHost: x\r\nCookie: ${visitor.jar.header()}\r\n\r\n`)
      await timeout
      socket.destroy()
      await app.close()
      t.match(seen, [/^1,/])
    })
  })
}
