import type { FastifyReply } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import { copyToRaw, putCookie, setCookiesOf, varyBy } from '../../lib/cookie/headers.ts'

const MINE = 'session=a; Path=/'
const NEWER = 'session=b; Path=/'

/** Returns the headers of a reply after its handler has run some code. */
async function headersAfter(work: (reply: FastifyReply) => void): Promise<Record<string, unknown>> {
  const app = fastify()
  app.get('/', async (_request, reply) => {
    work(reply)
    return 'ok'
  })
  return (await app.inject('/')).headers
}

/** Does the same for a reply that bypasses Fastify. */
async function rawHeadersAfter(work: (reply: FastifyReply) => void): Promise<Record<string, unknown>> {
  const app = fastify()
  app.get('/', (_request, reply) => {
    reply.hijack()
    work(reply)
    reply.raw.end('ok')
  })
  return (await app.inject('/')).headers
}

t.test('the cookies of a reply: none, one or many', async (t) => {
  await headersAfter((reply) => {
    t.same(setCookiesOf(reply), [])
    t.same(setCookiesOf(reply.header('set-cookie', 'own=1')), ['own=1'])
    putCookie(reply, MINE, undefined)
    t.same(setCookiesOf(reply), ['own=1', MINE])
  })
})

t.test('a cookie is added, and no cache may store it', async (t) => {
  const headers = await headersAfter((reply) => putCookie(reply, MINE, undefined))
  t.equal(headers['set-cookie'], MINE)
  t.equal(headers['cache-control'], 'no-store')
  t.equal(headers.vary, 'Cookie')
})

t.test('cookies that others have set survive, in their order', async (t) => {
  const one = await headersAfter((reply) => {
    reply.header('set-cookie', 'theme=dark')
    putCookie(reply, MINE, undefined)
  })
  t.same(one['set-cookie'], ['theme=dark', MINE])
  const many = await headersAfter((reply) => {
    reply.header('set-cookie', ['theme=dark', 'lang=de'])
    putCookie(reply, MINE, undefined)
    reply.header('set-cookie', 'late=1')
  })
  t.same(many['set-cookie'], ['theme=dark', 'lang=de', MINE, 'late=1'])
})

t.test('a cookie replaces the one that the same session set before, and no other', async (t) => {
  const headers = await headersAfter((reply) => {
    reply.header('set-cookie', ['theme=dark', 'session=of-another-path; Path=/x'])
    putCookie(reply, MINE, undefined)
    putCookie(reply, NEWER, MINE)
  })
  t.same(headers['set-cookie'], ['theme=dark', 'session=of-another-path; Path=/x', NEWER])
})

t.test('the same cookie is added once', async (t) => {
  for (const previous of [undefined, MINE]) {
    const headers = await headersAfter((reply) => {
      putCookie(reply, MINE, undefined)
      putCookie(reply, MINE, previous)
    })
    t.same([headers['set-cookie']].flat(), [MINE])
  }
})

t.test("a handler's own Cache-Control stays", async (t) => {
  const headers = await headersAfter((reply) => {
    reply.header('cache-control', 'private, max-age=5')
    putCookie(reply, MINE, undefined)
  })
  t.equal(headers['cache-control'], 'private, max-age=5')
})

t.test('Vary names Cookie once, after what it named before', async (t) => {
  const cases: readonly (readonly [string | string[] | undefined, string])[] = [
    [undefined, 'Cookie'],
    ['Origin', 'Origin, Cookie'],
    [['Origin', 'Accept'], 'Origin, Accept, Cookie'],
    ['cookie', 'cookie'],
    ['Accept,COOKIE,Origin', 'Accept,COOKIE,Origin'],
    ['*', '*'],
    ['Accept, *', 'Accept, *'],
    ['X-Cookie', 'X-Cookie, Cookie'],
    ['Cookie2', 'Cookie2, Cookie'],
    ['Set-Cookie, My Cookie', 'Set-Cookie, My Cookie, Cookie']
  ]
  for (const [before, after] of cases) {
    const headers = await headersAfter((reply) => {
      if (before !== undefined) reply.header('vary', before)
      varyBy(reply, 'Cookie')
      varyBy(reply, 'Cookie')
    })
    t.equal([headers.vary].flat().join(', '), after)
  }
})

t.test('a reply may depend on several headers', async (t) => {
  const headers = await headersAfter((reply) => {
    for (const field of ['Cookie', 'Authorization', 'Cookie']) varyBy(reply, field)
  })
  t.equal(headers.vary, 'Cookie, Authorization')
})

t.test('a payload that brings headers of its own does not take Cookie out of Vary', async (t) => {
  const varyOf = async (payload: unknown): Promise<unknown> => {
    const { vary } = await headersAfter((reply) => {
      varyBy(reply, 'Cookie', payload)
      reply.send(payload)
    })
    return vary
  }
  t.equal(await varyOf(new Response('ok', { headers: { vary: 'Accept' } })), 'Accept, Cookie')
  t.equal(await varyOf(new Response('ok')), 'Cookie')
  for (const payload of [null, 'ok', Buffer.from('ok')]) t.equal(await varyOf(payload), 'Cookie')
})

t.test('a raw reply gets the headers that Fastify would send', async (t) => {
  const headers = await rawHeadersAfter((reply) => {
    reply.header('set-cookie', 'theme=dark')
    reply.header('x-other', 'stays with Fastify')
    varyBy(reply, 'Cookie')
    putCookie(reply, MINE, undefined)
    copyToRaw(reply, undefined)
  })
  t.same(headers['set-cookie'], ['theme=dark', MINE])
  t.equal(headers.vary, 'Cookie')
  t.equal(headers['cache-control'], 'no-store')
  t.notOk('x-other' in headers)
})

t.test('a raw reply gets no header that the reply does not have', async (t) => {
  const headers = await rawHeadersAfter((reply) => copyToRaw(reply, undefined))
  for (const name of ['set-cookie', 'vary', 'cache-control']) t.notOk(name in headers, name)
})

t.test('headers of the raw reply stay', async (t) => {
  const headers = await rawHeadersAfter((reply) => {
    reply.raw.setHeader('set-cookie', ['raw=1', 'raw=2'])
    reply.raw.setHeader('cache-control', 'private')
    putCookie(reply, MINE, undefined)
    copyToRaw(reply, undefined)
  })
  t.same(headers['set-cookie'], ['raw=1', 'raw=2', MINE])
  t.equal(headers['cache-control'], 'private')
})

t.test('a raw reply with another Vary names Cookie too, in either order', async (t) => {
  const before = await rawHeadersAfter((reply) => {
    reply.raw.setHeader('vary', 'Origin')
    varyBy(reply, 'Cookie')
    copyToRaw(reply, undefined)
  })
  t.equal(before.vary, 'Origin, Cookie')
  const after = await rawHeadersAfter((reply) => {
    varyBy(reply, 'Cookie')
    reply.raw.setHeader('vary', 'Origin')
    copyToRaw(reply, undefined)
  })
  t.equal(after.vary, 'Origin, Cookie')
})

t.test('a later Cache-Control of the raw reply stays', async (t) => {
  const headers = await rawHeadersAfter((reply) => {
    putCookie(reply, MINE, undefined)
    reply.raw.setHeader('cache-control', 'private')
    copyToRaw(reply, undefined)
  })
  t.equal(headers['cache-control'], 'private')
})

t.test('a cookie replaces the one before on a raw reply, too', async (t) => {
  const headers = await rawHeadersAfter((reply) => {
    reply.raw.setHeader('set-cookie', 'raw=1')
    putCookie(reply, MINE, undefined)
    copyToRaw(reply, undefined)
    putCookie(reply, NEWER, MINE)
    copyToRaw(reply, MINE)
    copyToRaw(reply, MINE)
  })
  t.same(headers['set-cookie'], ['raw=1', NEWER])
})
