import { once } from 'node:events'
import { connect } from 'node:http2'
import { PassThrough } from 'node:stream'
import type { FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify'
import type * as Tap from 'tap'
import t from 'tap'
import type { Session } from '../../lib/index.ts'
import { CookieJar } from '../../lib/testing/cookie-jar.ts'
import type { Mode, TestApp } from '../helpers/app.ts'
import { createApp, MODES } from '../helpers/app.ts'
import { listen } from '../helpers/sockets.ts'

/** A stream of events as the browser has it. */
interface Events {
  setCookies: string[]
  next(): Promise<string>
  leave(): Promise<void>
}

/** Sends a request and does not wait for its end. */
type Send = (path: string, cookie: string) => Promise<Events>

const PROTOCOLS: Record<string, (t: Tap.Test, address: string) => Send> = {
  'HTTP/1.1': (_t, address) => async (path, cookie) => {
    const abort = new AbortController()
    const response = await fetch(address + path, { headers: { cookie }, signal: abort.signal })
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    return {
      setCookies: response.headers.getSetCookie(),
      next: async () => Buffer.from((await reader.read()).value ?? []).toString(),
      leave: async () => abort.abort()
    }
  },
  'HTTP/2': (t, address) => {
    const client = connect(address)
    t.teardown(() => client.close())
    return async (path, cookie) => {
      const stream = client.request({ ':path': path, cookie }).setEncoding('utf8')
      const [headers] = await once(stream, 'response')
      return {
        setCookies: headers['set-cookie'] ?? [],
        next: async () => {
          for (;;) {
            const text: string | null = stream.read()
            if (text !== null) return text
            if (stream.readableEnded) return ''
            await Promise.race([once(stream, 'readable'), once(stream, 'end')])
          }
        },
        leave: async () => stream.close()
      }
    }
  }
}

/** A stream of events as the server has it. */
interface Feed {
  readonly session: Session
  readonly closed: Promise<unknown>
  write(text: string): void
  end(): void
}

/** How a handler begins a stream of events. */
const WAYS: Record<string, (request: FastifyRequest, reply: FastifyReply) => Promise<Feed>> = {
  'reply.raw, after commit()': async ({ session }, reply) => {
    await session.commit()
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
    const { raw } = reply
    return { session, closed: once(raw, 'close'), write: (text) => void raw.write(text), end: () => void raw.end() }
  },
  'a stream that is sent': async ({ session }, reply) => {
    const body = new PassThrough()
    reply.type('text/event-stream').send(body)
    return {
      session,
      closed: once(reply.raw, 'close'),
      write: (text) => void body.write(text),
      end: () => void body.end()
    }
  }
}

interface Stage extends TestApp {
  jar: CookieJar
  /** Opens a stream and reads its first event. Its handler has counted a visit before it began. */
  begin(): Promise<{ feed: Feed; events: Events }>
  /** What another request of the same browser finds in its session. */
  read(): Promise<unknown>
}

async function createStage(t: Tap.Test, protocol: string, way: string, options: Mode['options']): Promise<Stage> {
  // It is still Fastify's usual type: what differs is not used.
  const server = protocol === 'HTTP/2' ? ({ http2: true } as FastifyServerOptions) : {}
  const made = await createApp(options, server)
  const { app } = made
  let feed: Feed | undefined
  app.get('/events', async (request, reply) => {
    request.session.visits = (request.session.visits ?? 0) + 1
    feed = await WAYS[way]?.(request, reply)
    feed?.write('data: first\n\n')
    return reply
  })
  app.get('/read', async ({ session }) => session)
  const address = await listen(app)
  t.teardown(() => app.close())
  const send = PROTOCOLS[protocol]?.(t, address) as Send
  const jar = new CookieJar()
  return {
    ...made,
    jar,
    begin: async () => {
      const events = await send('/events', jar.header())
      jar.take({ headers: { 'set-cookie': events.setCookies } })
      t.equal(await events.next(), 'data: first\n\n')
      return { feed: feed as Feed, events }
    },
    read: async () => JSON.parse(await (await send('/read', jar.header())).next())
  }
}

async function end({ feed, events }: { feed: Feed; events: Events }): Promise<void> {
  feed.end()
  while ((await events.next()) !== '');
  await feed.closed
  await new Promise(setImmediate)
}

for (const protocol of Object.keys(PROTOCOLS)) {
  for (const way of Object.keys(WAYS)) {
    for (const { mode, options, isSelfContained } of MODES) {
      t.test(`${protocol}, ${way}, ${mode} sessions`, async (t) => {
        t.test('the cookie comes before the first event, and is good while the stream goes on', async (t) => {
          const { begin, read, warnings } = await createStage(t, protocol, way, options)
          const stream = await begin()
          t.match(stream.events.setCookies, [/^session=[\w.-]+; Path=\/; HttpOnly; SameSite=Lax$/])
          t.same(await read(), { visits: 1 })
          t.same({ ...stream.feed.session }, { visits: 1 })
          const second = await begin()
          t.equal(second.events.setCookies.length, isSelfContained ? 1 : 0)
          t.same(await read(), { visits: 2 })
          await end(stream)
          await end(second)
          t.same(warnings(), [])
        })

        t.test('a change that comes later is kept by commit() with a store, and else said to be lost', async (t) => {
          const { begin, read, warnings } = await createStage(t, protocol, way, options)
          const stream = await begin()
          const { session, write } = stream.feed
          for (const name of ['Ada', 'Grace']) {
            session.name = name
            await session.commit()
          }
          await session.update((data) => {
            data.visits = 10
          })
          write('data: second\n\n')
          t.equal(await stream.events.next(), 'data: second\n\n')
          t.same(await read(), isSelfContained ? { visits: 1 } : { visits: 10, name: 'Grace' })
          await end(stream)
          t.match(warnings(), isSelfContained ? [{ reason: 'headers-sent' }] : [])
          t.equal(warnings().length, isSelfContained ? 1 : 0)
        })

        t.test(
          'what nobody has committed is warned of at the end, also when it is the browser that ends it',
          async (t) => {
            const { begin, read, warnings } = await createStage(t, protocol, way, options)
            const stream = await begin()
            stream.feed.session.visits = 99
            await end(stream)
            t.match(warnings(), [{ reason: 'headers-sent' }])
            const other = await begin()
            other.feed.session.visits = 99
            await other.events.leave()
            await other.feed.closed
            t.equal(warnings().length, 2)
            t.same(await read(), { visits: 2 })
          }
        )
      })
    }
  }
}
