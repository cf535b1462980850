import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply } from 'fastify'
import t from 'tap'
import { createClient } from '../../../lib/testing/create-client.ts'
import type { LooseOptions, TestApp } from '../../helpers/app.ts'
import { createApp, MODES } from '../../helpers/app.ts'
import type { SharedCacheOptions } from '../../helpers/shared-cache.ts'
import { startSharedCache } from '../../helpers/shared-cache.ts'

/** The fields with which a page is shared. */
const SHARED: readonly Readonly<Record<string, string>>[] = [
  { 'cache-control': 'public, max-age=600' },
  { 'cache-control': 'max-age=600' },
  { 'cache-control': 'no-cache, s-maxage=600, ext="private, no-store"', 'cdn-cache-control': 'max-age=600' },
  { 'cache-control': 'private="x-user", max-age=600' },
  { 'cache-control': 'no-cache="set-cookie", max-age=600' },
  { 'cdn-cache-control': 'max-age=600' },
  { 'cache-control': 'private, no-cache', 'cdn-cache-control': 'max-age=600' },
  { 'cache-control': 'private, no-cache', 'surrogate-control': 'max-age=600' },
  { 'cache-control': 'no-store', 'example-cdn-cache-control': 's-maxage=600' },
  { expires: 'Fri, 31 Dec 2100 23:59:59 GMT' }
]

/** The fields with which a cache has to ask the server before it gives a page to anybody. */
const REVALIDATED: readonly Readonly<Record<string, string>>[] = [
  { 'cache-control': 'no-cache' },
  { 'cache-control': 'max-age=0, must-revalidate' },
  { 'cache-control': 'public, max-age=0' },
  { 'cache-control': 'max-age=600, s-maxage=0' },
  { 'cache-control': 'public, no-cache', 'cdn-cache-control': 'max-age=0' },
  {}
]

/** Ways to send a page with some fields. */
const WAYS: Readonly<Record<string, (app: FastifyInstance, url: string, fields: Record<string, string>) => void>> = {
  handler: (app, url, fields) => app.get(url, async (_request, reply) => reply.headers(fields).send('news')),
  'later hook': (app, url, fields) =>
    app.get(url, { onSend: async (_request: unknown, reply: FastifyReply) => void reply.headers(fields) }, () =>
      Promise.resolve('news')
    ),
  Response: (app, url, fields) =>
    app.get(url, async () => new Response('news', { headers: { vary: 'Accept', ...fields } })),
  stream: (app, url, fields) =>
    app.get(url, async (_request, reply) => reply.headers(fields).send(Readable.from(['news']))),
  'raw reply': (app, url, fields) =>
    app.get(url, async ({ session }, reply) => {
      await session.commit()
      reply.hijack()
      reply.raw.writeHead(200, { Vary: 'Accept', ...fields }).end('news')
    })
}

const CACHES: readonly SharedCacheOptions[] = [
  {},
  { heedsVary: false },
  { targets: ['example-cdn-cache-control', 'cdn-cache-control', 'surrogate-control'] },
  { targets: ['example-cdn-cache-control', 'cdn-cache-control', 'surrogate-control'], heedsVary: false }
]

/** Returns an application with pages of all kinds, and their addresses. */
async function createNews(options: LooseOptions): Promise<TestApp & { shared: string[]; revalidated: string[] }> {
  const made = await createApp({ ...options, idleTimeout: 900 })
  const { app } = made
  app.get('/login', async ({ session }) => {
    session.setOwner('ada')
    session.name = 'ada'
    return ''
  })
  app.get('/me', async ({ session }) => session.name ?? 'a stranger')
  const add = (fields: readonly Readonly<Record<string, string>>[], folder: string): string[] =>
    Object.entries(WAYS).flatMap(([way, addPage]) =>
      fields.map((some, index) => {
        const url = `/${folder}/${way.replace(' ', '-')}/${index}`
        addPage(app, url, some)
        return url
      })
    )
  return { ...made, shared: add(SHARED, 'shared'), revalidated: add(REVALIDATED, 'revalidated') }
}

/** Returns the session cookie that a reply brings, as a Cookie header. */
function cookieOf(reply: Response): string | undefined {
  return reply.headers
    .getSetCookie()
    .find((line) => line.startsWith('session='))
    ?.split(';')[0]
}

for (const { mode, options } of MODES) {
  t.test(`${mode} sessions behind a cache that many share`, async (t) => {
    t.test('a stranger never becomes the user whose activity was noted', async (t) => {
      for (const cache of CACHES) {
        const { app, clock, shared, revalidated } = await createNews(options)
        t.teardown(() => app.close())
        const origin = await app.listen({ host: '127.0.0.1', port: 0 })
        const front = await startSharedCache(t, origin, cache)
        const ada = await createClient(app)
        await ada.get('/login')
        clock.advance(120)
        const became: string[] = []
        for (const url of [...shared, ...revalidated]) {
          await fetch(front + url, { headers: { cookie: ada.jar.header() } })
          const cookie = cookieOf(await fetch(front + url))
          const { body } = await app.inject({ url: '/me', headers: { cookie: cookie ?? '' } })
          if (body !== 'a stranger') became.push(url)
        }
        t.same(became, [], JSON.stringify(cache))
      }
    })

    t.test('what a cache has kept is not updated with the cookie of a user', async (t) => {
      for (const cache of CACHES) {
        const { app, clock } = await createNews(options)
        t.teardown(() => app.close())
        app.get('/same', async ({ headers }, reply) => {
          reply.header('cache-control', 'no-cache').header('etag', '"1"')
          return headers['if-none-match'] === '"1"' ? reply.code(304).send() : 'the same as always'
        })
        const front = await startSharedCache(t, await app.listen({ host: '127.0.0.1', port: 0 }), cache)
        const ada = await createClient(app)
        await ada.get('/login')
        clock.advance(120)
        await fetch(`${front}/same`)
        await fetch(`${front}/same`, { headers: { cookie: ada.jar.header() } })
        t.equal(cookieOf(await fetch(`${front}/same`)), undefined, JSON.stringify(cache))
      }
    })

    t.test('a stranger never gets a session that a shared page has begun or changed', async (t) => {
      for (const cache of CACHES) {
        const { app, shared, warnings } = await createNews(options)
        t.teardown(() => app.close())
        app.addHook('onRequest', async ({ session, url }) => {
          if (url.startsWith('/shared/')) session.visits = (session.visits ?? 0) + 1
        })
        const front = await startSharedCache(t, await app.listen({ host: '127.0.0.1', port: 0 }), cache)
        const ada = await createClient(app)
        await ada.get('/login')
        const became: string[] = []
        for (const url of shared) {
          const first = cookieOf(await fetch(front + url))
          const second = cookieOf(await fetch(front + url))
          if (first === undefined || second === undefined || first === second) became.push(url)
          await fetch(front + url, { headers: { cookie: ada.jar.header() } })
          const cookie = cookieOf(await fetch(front + url))
          const { body } = await app.inject({ url: '/me', headers: { cookie: cookie ?? '' } })
          if (body !== 'a stranger') became.push(url)
        }
        t.same(became, [], JSON.stringify(cache))
        t.ok(warnings().length >= shared.length)
        t.ok(warnings().every(({ reason }) => reason === 'shared-cache'))
      }
    })

    t.test('a user who reads pages that caches must ask for stays logged in', async (t) => {
      for (const fields of REVALIDATED) {
        const { app, clock } = await createNews(options)
        WAYS.handler?.(app, '/news', fields)
        const ada = await createClient(app)
        await ada.get('/login')
        for (let minutes = 0; minutes < 60; minutes += 10) {
          clock.advance(600)
          await ada.get('/news')
        }
        t.equal((await ada.get('/me')).body, 'ada', JSON.stringify(fields))
      }
    })
  })
}

t.test('with a store, a user who reads shared pages only stays logged in', async (t) => {
  for (const { options } of MODES.filter(({ isSelfContained }) => !isSelfContained)) {
    const { app, clock } = await createNews(options)
    WAYS.handler?.(app, '/news', { 'cache-control': 'public, max-age=60' })
    const ada = await createClient(app)
    await ada.get('/login')
    for (let minutes = 0; minutes < 60; minutes += 10) {
      clock.advance(600)
      t.same((await ada.get('/news')).headers['set-cookie'], undefined)
    }
    t.equal((await ada.get('/me')).body, 'ada')
  }
})
