import { channel } from 'node:diagnostics_channel'
import type { FastifyInstance } from 'fastify'
import fastify from 'fastify'
import type * as Tap from 'tap'
import t from 'tap'
import { flaskCookie } from '../../lib/flask/index.ts'
import { session } from '../../lib/index.ts'
import { inspector, inspectSession } from '../../lib/inspector/index.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import type { InspectorOptions } from '../../types/inspector.ts'
import type { LooseOptions } from '../helpers/app.ts'
import { createApp, MODES, SECRET } from '../helpers/app.ts'
import { inEnvironment } from '../helpers/environment.ts'

/** Tests run without `NODE_ENV=development`. */
const ASKED: InspectorOptions = { allowOutsideDevelopment: true }

async function create(t: Tap.Test, options: LooseOptions = {}) {
  const { app, clock } = await createApp(options)
  await app.register(inspector, ASKED)
  t.teardown(() => app.close())
  app.get<{ Params: { name: string } }>('/store/:name', async ({ session, params }) => {
    session.name = params.name
    return ''
  })
  return { app, clock, visitor: await createClient(app) }
}

for (const { mode, options } of MODES) {
  t.test(`with ${mode} sessions the page shows the visitor's own session and nobody else's`, async (t) => {
    const { app, visitor } = await create(t, options)
    await visitor.get('/store/Ada')
    const other = await createClient(app)
    await other.get('/store/Grace')
    const { statusCode, headers, body } = await visitor.get('/session-inspector')
    t.equal(statusCode, 200)
    t.equal(headers['content-type'], 'text/html; charset=utf-8')
    t.equal(headers['cache-control'], 'no-store')
    t.equal(headers['set-cookie'], undefined)
    t.match(body, /<code>name<\/code> .*<dd><code>&#34;Ada&#34;<\/code>/)
    t.match(body, '<code>GET /store/Ada</code>')
    t.match(body, '<code>no-cookie</code>: the request had no cookie of this session<br><code>created</code>')
    t.notMatch(body, 'Grace')
    t.notMatch(body, SECRET)
  })
}

t.test('the page works under a strict policy: no script, no inline style, a stylesheet of its own', async (t) => {
  const { app, visitor } = await create(t)
  await visitor.get('/store/Ada')
  const { headers, body } = await visitor.get('/session-inspector')
  t.match(headers['content-security-policy'], "default-src 'none'; style-src 'self'")
  t.notMatch(body, /<script|<style|\sstyle=|\son\w+=/)
  const [, stylesheet = ''] = /<link rel="stylesheet" href="([^"]+)">/.exec(body) ?? []
  t.equal(stylesheet, '/session-inspector/style.css')
  const style = await app.inject(stylesheet)
  t.equal(style.headers['content-type'], 'text/css; charset=utf-8')
  t.match(style.body, '.session-inspector')
})

t.test('a view of the page is not activity, and not a decision', async (t) => {
  const { clock, visitor } = await create(t, { idleTimeout: 100, refreshAfter: 0 })
  await visitor.get('/store/Ada')
  for (let look = 1; look <= 4; look++) {
    clock.advance(25)
    const { body } = await visitor.get('/session-inspector')
    t.match(body, `<dt>Ends without activity</dt><dd>`)
    t.match(body, look < 4 ? `in ${[0, '1 min 15 s', '50 s', '25 s'][look]}</dd>` : '0 s ago</dd>')
    t.notMatch(body, '<code>GET /session-inspector</code>')
  }
  clock.advance(1)
  t.match((await visitor.get('/session-inspector')).body, '<code>expired-idle</code>: no activity for too long')
})

t.test(
  'the inspector shows one of several sessions, below the prefix of its scope, in a page of the application',
  async (t) => {
    const app = fastify()
    await app.register(
      async (scope) => {
        await scope.register(session, { secret: SECRET, decorator: 'admin', cookieName: 'admin' })
        await scope.register(inspector, {
          ...ASKED,
          decorator: 'admin',
          path: '/who/am-i',
          layout: async (content, request, reply) => {
            reply.header('x-layout', request.url)
            return `<header>Mine</header>${content}`
          }
        })
        scope.get('/data', async (request) => inspectSession(request, 'admin').cookieName)
      },
      { prefix: '/in' }
    )
    const { headers, body } = await app.inject('/in/who/am-i')
    t.match(body, /^<header>Mine<\/header><link rel="stylesheet" href="\/in\/who\/am-i\/style\.css">/)
    t.equal(headers['x-layout'], '/in/who/am-i')
    t.equal(headers['content-security-policy'], undefined, 'which is up to the application')
    t.equal((await app.inject('/in/who/am-i/style.css')).statusCode, 200)
    t.equal((await app.inject('/in/data')).body, 'admin')
    await app.close()
  }
)

t.test('the inspector ignores other applications with the same name and secret', async (t) => {
  const { visitor } = await create(t)
  const other = await create(t)
  await visitor.get('/store/Ada')
  other.visitor.jar.set('session', visitor.jar.get('session') ?? '')
  t.match((await visitor.get('/session-inspector')).body, 'GET /store/Ada')
  t.match((await other.visitor.get('/session-inspector')).body, 'None yet')
})

t.test('the inspector stops listening when the application closes', async (t) => {
  const { app } = await create(t)
  t.ok(channel('fastify-typed-session').hasSubscribers)
  await app.close()
  t.notOk(channel('fastify-typed-session').hasSubscribers)
})

t.test('the inspector refuses to start outside of development, without a session, and twice', async (t) => {
  const start = (app: FastifyInstance, options: InspectorOptions = ASKED): Promise<unknown> =>
    Promise.resolve(app.register(inspector, options))
  for (const environment of [undefined, 'production', 'staging', 'test', 'Development']) {
    const { app } = await createApp()
    await inEnvironment(environment, () => t.rejects(start(app, {}), { code: 'ERR_SESSION_NOT_IN_DEVELOPMENT' }))
  }
  const { app } = await createApp()
  await inEnvironment('development', () => start(app, {}))
  t.equal((await app.inject('/session-inspector')).statusCode, 200)
  await t.rejects(start(fastify()), { code: 'ERR_SESSION_NOT_REGISTERED', message: /request\.session/ })
  const { app: twice } = await create(t)
  await t.rejects(start(twice), { code: 'ERR_SESSION_DUPLICATE' })
})

t.test(
  'the default clock is that of the process at each call, so that fake timers installed later count',
  async (t) => {
    const app = fastify()
    await app.register(session, { secret: SECRET })
    await app.register(inspector, ASKED)
    app.get('/at', async (request) => inspectSession(request).at)
    t.intercept(Date, 'now', { value: () => Date.UTC(2040, 0, 1) })
    t.equal((await app.inject('/at')).json(), '2040-01-01T00:00:00.000Z')
  }
)

t.test('a cookie of another framework is not explained', async (t) => {
  const format = flaskCookie({ secretKey: 'tests only: 9f0c1d5be7a24386' })
  const { app } = await createApp({ secret: undefined, format })
  t.teardown(() => app.close())
  await t.rejects(async () => app.register(inspector, ASKED), {
    code: 'ERR_SESSION_OPTION_INVALID',
    message: /explains cookies of our own formats/
  })
})
