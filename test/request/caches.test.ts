import t from 'tap'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createApp, MODES, OTHER_SECRET, SECRET, withOneStore } from '../helpers/app.ts'

for (const { mode, options } of MODES) {
  t.test(`${mode} sessions`, async (t) => {
    t.test('a reply that shared caches may keep gets no cookie for the sake of a stamp or a key', async (t) => {
      const shared = withOneStore(options)
      const before = await createApp({ ...shared, secret: OTHER_SECRET })
      before.app.get('/', async ({ session }) => {
        session.visits = 1
        return ''
      })
      const { app, clock } = await createApp({ ...shared, secret: [SECRET, OTHER_SECRET] })
      app.get('/logo', async ({ query }, reply) => {
        reply.header('cache-control', (query as { cache: string }).cache)
        return ''
      })
      app.get('/logo-read', async ({ session }, reply) => {
        reply.header('cache-control', 'public, max-age=86400')
        return session.visits
      })
      const visitor = await createClient(before.app)
      await visitor.get('/')
      clock.advance(61)
      const ask = async (url: string): Promise<number> =>
        setCookieLines(await app.inject({ url, headers: { cookie: visitor.jar.header() } })).length
      t.equal(await ask('/logo?cache=public, max-age=86400'), 0)
      t.equal(await ask('/logo?cache=max-age=60'), 0)
      t.equal(await ask('/logo-read'), 0)
      t.equal(await ask('/logo?cache=private, max-age=60'), 1)
      t.equal(await ask('/logo?cache=no-store'), 1)
    })
  })
}

t.test('the reply tells caches what it depends on', async (t) => {
  const { app } = await createApp()
  app.get('/untouched', async () => '')
  app.get('/read', async ({ session }) => session)
  app.get('/off', { config: { session: false } }, async ({ session }) => session)
  app.get('/write', async ({ session }) => {
    session.visits = 1
    return ''
  })
  app.get('/own', async ({ session }, reply) => {
    session.visits = 2
    reply.header('cache-control', 'private, max-age=5').header('vary', 'Accept')
    return ''
  })
  const untouched = await app.inject('/untouched')
  t.equal(untouched.headers.vary, undefined)
  t.equal(untouched.headers['cache-control'], undefined)
  const read = await app.inject('/read')
  t.equal(read.headers.vary, 'Cookie')
  t.equal(read.headers['cache-control'], undefined)
  t.equal((await app.inject('/off')).headers.vary, undefined, 'what is always empty depends on no cookie')
  const write = await app.inject('/write')
  t.equal(write.headers.vary, 'Cookie')
  t.equal(write.headers['cache-control'], 'no-store')
  const own = await app.inject('/own')
  t.equal(own.headers.vary, 'Accept, Cookie')
  t.equal(own.headers['cache-control'], 'private, max-age=5')
})
