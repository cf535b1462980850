import { once as onceEmitted } from 'node:events'
import { Readable } from 'node:stream'
import websocket from '@fastify/websocket'
import type { FastifyReply, FastifyRequest } from 'fastify'
import t from 'tap'
import { WebSocket } from 'ws'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createApp, decisionsOf, MODES } from '../helpers/app.ts'
import { once } from '../helpers/recording-store.ts'
import { createVisited } from '../helpers/visited-app.ts'

t.test('a change that comes after the headers is warned of, never lost in silence', async (t) => {
  const { app, warnings } = await createApp()
  app.get('/hijack', async ({ session }, reply) => {
    session.visits = 1
    reply.hijack()
    reply.raw.end('raw')
  })
  app.get('/hijack-destroy', async ({ session }, reply) => {
    await session.destroy()
    reply.hijack()
    reply.raw.end('raw')
  })
  app.get('/after-send', async ({ session }, reply) => {
    session.visits = 1
    await reply.send('ok')
    session.visits = 2
  })
  app.get('/after-send-nested', async ({ session }, reply) => {
    session.cart = { a: 1 }
    const { cart } = session
    await reply.send('ok')
    cart.a = 2
  })
  app.get('/after-send-broken', async ({ session }, reply) => {
    await reply.send('ok')
    session.anything = 1n
  })
  app.get('/stream', async ({ session }, reply) => {
    session.visits = 1
    const body = new Readable({
      read() {
        session.visits = 2
        this.push(null)
      }
    })
    return reply.send(body)
  })
  app.get('/commit', async ({ session }, reply) => {
    reply.hijack()
    reply.raw.write('first')
    session.visits = 99
    await session.commit()
    await session.commit()
    reply.raw.end()
  })
  // Some turns of the event loop, after which the reply has ended and every check has run.
  const later = async (): Promise<void> => {
    for (let turn = 0; turn < 6; turn++) await new Promise(setImmediate)
  }
  app.get('/much-later', async (request, reply) => {
    request.session.visits = 500
    reply.send('ok')
    await later()
    await request.session.destroy()
    return reply
  })
  app.get('/in-on-response', async () => 'ok')
  app.addHook('onResponse', async (request) => {
    if (request.url !== '/in-on-response') return
    await new Promise(setImmediate)
    request.session.visits = 600
  })
  app.get('/harmless', async ({ session }, reply) => {
    session.visits = 1
    await session.commit()
    reply.hijack()
    reply.raw.end('raw')
  })
  app.get('/broken', async ({ session }) => {
    session.anything = 1n
    return ''
  })
  // With a session, or there would be nothing for a late destroy() to clear.
  const visitor = await createClient(app, { data: { name: 'Ana' } })
  const urls = [
    '/hijack',
    '/hijack-destroy',
    '/after-send',
    '/after-send-nested',
    '/after-send-broken',
    '/stream',
    '/commit'
  ]
  for (const url of urls) {
    const before = warnings().length
    const decisions = await decisionsOf(async () => {
      await visitor.get(url)
      await new Promise(setImmediate)
    })
    t.equal(warnings().length, before + 1, url)
    t.match(warnings().at(-1), { reason: 'headers-sent' }, url)
    t.ok(decisions.includes('commit: headers-sent'), url)
  }
  for (const url of ['/much-later', '/in-on-response']) {
    const before = warnings().length
    await visitor.get(url)
    await later()
    await later()
    t.equal(warnings().length, before + 1, url)
  }
  const before = warnings().length
  for (const url of ['/harmless', '/broken']) await visitor.get(url)
  await new Promise(setImmediate)
  t.equal(warnings().length, before)
})

t.test('a session that ends after the headers needs no cookie: its id opens nothing any more', async (t) => {
  const { app, store, visitor, warnings } = await createVisited()
  let end = async (_request: FastifyRequest): Promise<void> => {}
  app.get('/end', async (request, reply) => {
    reply.hijack()
    reply.raw.write('raw')
    await end(request)
    reply.raw.end()
  })
  for (const run of [
    ({ session }) => session.destroy(),
    async ({ session }) => {
      await session.destroy()
      await session.commit()
    },
    async ({ session }) => {
      session.clear()
      await session.commit()
    }
  ] satisfies (typeof end)[]) {
    end = run
    const { body: key } = await visitor.get('/set')
    await visitor.get('/end')
    await new Promise(setImmediate)
    t.equal(await store.inner.load(key), undefined)
    t.same(warnings(), [])
  }
  await visitor.get('/set')
  end = async (request) => {
    store.before = once('destroy', () => {
      throw new Error('down')
    })
    request.session = null
  }
  await visitor.get('/end')
  await new Promise(setImmediate)
  t.match(warnings(), [{ reason: 'headers-sent' }], 'unless the store could not be told')
})

t.test('an upgrade takes the cookie along, and what comes when it is over is warned of once', async (t) => {
  const { app, warnings } = await createApp()
  await app.register(websocket)
  let request: FastifyRequest | undefined
  let raw: FastifyReply['raw'] | undefined
  app.get('/', { websocket: true }, (_socket, upgraded) => {
    request = upgraded
  })
  app.addHook('preHandler', async (request, reply) => {
    raw = reply.raw
    if (request.query && 'visit' in (request.query as object)) request.session.visits = 1
  })
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  /** Opens a socket, closes it, and gives the cookies that came with the 101. */
  const connect = async (path: string): Promise<string[] | undefined> => {
    const socket = new WebSocket(address.replace('http', 'ws') + path)
    const [[{ headers }]] = await Promise.all([onceEmitted(socket, 'upgrade'), onceEmitted(socket, 'open')])
    const closed = onceEmitted(raw as FastifyReply['raw'], 'close')
    socket.terminate()
    await closed
    return headers['set-cookie']
  }
  t.match(await connect('/?visit'), [/^session=s2/])
  t.same(warnings(), [])

  t.equal(await connect('/'), undefined)
  const { session } = request as FastifyRequest
  session.visits = 2
  await new Promise(setImmediate)
  t.match(warnings(), [{ reason: 'headers-sent' }], 'nobody looked before the socket was closed')
  const listeners = raw?.listenerCount('close')
  for (let look = 0; look < 20; look++) (request as FastifyRequest).session.visits = look
  await new Promise(setImmediate)
  t.equal(raw?.listenerCount('close'), listeners)
  t.equal(warnings().length, 1)
})

t.test('a client that goes away before the reply is no mistake of the application', async (t) => {
  const { app, warnings } = await createApp()
  let arrived = (): void => {}
  const arrival = new Promise<void>((resolve) => {
    arrived = resolve
  })
  let gone = (): void => {}
  const departure = new Promise<void>((resolve) => {
    gone = resolve
  })
  app.get('/', async ({ session }, reply) => {
    session.visits = 1
    reply.raw.on('close', gone)
    arrived()
    await departure
    return ''
  })
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  const abort = new AbortController()
  const response = fetch(address, { signal: abort.signal }).catch((error: Error) => error.name)
  await arrival
  abort.abort()
  t.equal(await response, 'AbortError')
  await departure
  t.same(warnings(), [])
})

t.test('a cookie that comes after the headers is lost, and said so once; one that was sent is not', async (t) => {
  const { app, warnings } = await createApp()
  const decisions: string[][] = []
  app.get('/', async ({ session }, reply) => {
    session.visits = 1
    await session.commit()
    reply.hijack()
    reply.raw.writeHead(200)
    decisions.push(await decisionsOf(() => session.commit()))
    t.same(warnings(), [])
    session.visits = 2
    decisions.push(await decisionsOf(() => session.commit()))
    await session.destroy()
    decisions.push(await decisionsOf(() => session.commit()))
    reply.raw.end('raw')
  })
  const response = await app.inject('/')
  t.same(decisions, [[], ['commit: headers-sent'], []])
  t.match(setCookieLines(response), [/^session=s2/])
  t.match(warnings(), [{ reason: 'headers-sent' }])
  t.equal(warnings().length, 1)
})

for (const { mode, options, isSelfContained } of MODES) {
  t.test(`a session that is emptied after the headers, in ${mode} mode`, async (t) => {
    const { app, warnings } = await createApp(options)
    app.get('/', async ({ session }, reply) => {
      reply.hijack()
      reply.raw.writeHead(200)
      session.clear()
      await session.commit()
      reply.raw.end()
    })
    const visitor = await createClient(app, { data: { visits: 1 } })
    await visitor.get('/')
    await new Promise(setImmediate)
    t.equal(warnings().length, isSelfContained ? 1 : 0, 'is lost where the old cookie still opens it')
  })
}
