import cookie from '@fastify/cookie'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import type { LooseOptions } from '../helpers/app.ts'
import { createApp, decisionsOf, MODES } from '../helpers/app.ts'
import { once, RecordingStore } from '../helpers/recording-store.ts'
import { createVisited } from '../helpers/visited-app.ts'

/** Creates an application with `@fastify/cookie`, whose hooks come after ours. */
async function create(options: LooseOptions): Promise<{ app: FastifyInstance }> {
  const made = await createApp(options)
  const { app } = made
  await app.register(cookie)
  app.get('/set', async ({ session }) => {
    session.visits = 1
    return ''
  })
  app.get('/read', async ({ session }) => ({ ...session }))
  app.get('/clear', async (_request, reply) => reply.clearCookie('session').send(''))
  app.get('/change-and-clear', async ({ session }, reply) => {
    session.visits = 2
    session.name = 'Ana'
    return reply.clearCookie('session').send('')
  })
  app.get('/clear-in-a-hook', { onSend: async (_request, reply) => void reply.clearCookie('session') }, async () => '')
  app.get('/clear-elsewhere', async (_request, reply) =>
    reply.clearCookie('session', { path: '/old' }).clearCookie('session', { domain: 'old.example' }).send('')
  )
  app.get('/destroy-and-clear', async ({ session }, reply) => {
    await session.destroy()
    return reply.clearCookie('session').send('')
  })
  app.get('/clear-and-begin', async ({ session }, reply) => {
    reply.clearCookie('session')
    await session.regenerate()
    session.name = 'Ben'
    return ''
  })
  return made
}

for (const { mode, options, isSelfContained } of MODES) {
  t.test(`reply.clearCookie() in ${mode} mode`, async (t) => {
    t.test('ends the session, as destroy() does', async (t) => {
      for (const url of ['/clear', '/change-and-clear', '/clear-in-a-hook', '/destroy-and-clear']) {
        const { app } = await create(options)
        const visitor = await createClient(app)
        await visitor.get('/set')
        const copy = visitor.jar.header()
        const response = await visitor.get(url)
        t.equal(response.statusCode, 200, url)
        t.ok(
          setCookieLines(response).every((line) => line.startsWith('session=;')),
          url
        )
        t.equal(visitor.jar.get('session'), undefined, url)
        const { body } = await app.inject({ url: '/read', headers: { cookie: copy } })
        t.equal(body, isSelfContained ? '{"visits":1}' : '{}', 'where the server can end it')
      }
    })

    t.test('of another place is about another cookie', async (t) => {
      const { app } = await create(options)
      const visitor = await createClient(app)
      await visitor.get('/set')
      const headers = { cookie: visitor.jar.header() }
      t.equal(setCookieLines(await app.inject({ url: '/clear-elsewhere', headers })).length, 2)
      t.same((await app.inject({ url: '/read', headers })).json(), { visits: 1 })
    })

    t.test('in a request that begins a session is about the old one', async (t) => {
      const { app } = await create(options)
      for (const before of ['/set', '/read']) {
        const visitor = await createClient(app)
        await visitor.get(before)
        t.match(setCookieLines(await visitor.get('/clear-and-begin')).at(-1), /^session=[^;]/, 'ours is the last word')
        t.same((await visitor.get('/read')).json(), { name: 'Ben' })
      }
    })
  })
}

t.test('a store that cannot end the session fails the request, as it fails a logout', async (t) => {
  for (const onStoreError of [undefined, 'anonymous'] as const) {
    const { app, store, visitor, key } = await createVisited()
    await app.register(cookie)
    app.get('/clear', { config: { session: onStoreError && { onStoreError } } }, async (_request, reply) =>
      reply.clearCookie('session').send('')
    )
    store.before = once('destroy', () => {
      throw new Error('down')
    })
    const decisions = await decisionsOf(async () => {
      t.equal((await visitor.get('/clear')).statusCode, onStoreError === undefined ? 503 : 200)
    })
    t.equal(decisions.at(-1), 'commit: store-unavailable')
    t.ok(store instanceof RecordingStore && (await store.inner.load(key)))
  }
})
