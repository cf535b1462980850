import t from 'tap'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createApp, createStoredApp, decisionsOf, MODES } from '../helpers/app.ts'
import { once } from '../helpers/recording-store.ts'
import { createVisited } from '../helpers/visited-app.ts'

for (const { mode, options } of MODES) {
  t.test(`${mode} sessions`, async (t) => {
    t.test('commit runs twice when another hook fails, and sends one cookie', async (t) => {
      const { app } = await createApp(options)
      app.addHook('onSend', async (_request, reply) => {
        if (reply.statusCode === 200) throw new Error('hook failed')
      })
      app.get('/', async ({ session }) => {
        session.visits = 1
        return 'ok'
      })
      app.get('/logout', async ({ session }) => {
        await session.destroy()
        return 'ok'
      })
      const visitor = await createClient(app)
      const response = await visitor.get('/')
      t.equal(response.statusCode, 500)
      t.equal(setCookieLines(response).length, 1)
      t.equal(setCookieLines(await visitor.get('/logout')).length, 1)
    })
  })
}

t.test('raw and hijacked replies carry the cookie after commit()', async (t) => {
  const { app, warnings } = await createApp()
  app.get('/hijack', async ({ session }, reply) => {
    session.visits = 1
    reply.raw.setHeader('set-cookie', 'own=1')
    await session.commit()
    session.visits = 2
    await session.commit()
    await session.commit()
    reply.hijack()
    reply.raw.end('raw')
  })
  app.get('/written', async ({ session }, reply) => {
    session.visits = 1
    await session.commit()
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/plain' })
    reply.raw.end('raw')
  })
  app.get('/usual', async ({ session }, reply) => {
    session.visits = 1
    reply.header('set-cookie', 'own=1')
    await session.commit()
    return 'ok'
  })
  app.get('/nothing', async ({ session }, reply) => {
    await session.commit()
    reply.hijack()
    reply.raw.end('raw')
  })
  app.get('/', async ({ session }) => session)
  const visitor = await createClient(app)
  const hijacked = await visitor.get('/hijack')
  t.equal(setCookieLines(hijacked).length, 2)
  t.equal(setCookieLines(hijacked)[0], 'own=1')
  t.equal(hijacked.headers['cache-control'], 'no-store')
  t.equal(hijacked.headers.vary, 'Cookie')
  t.same((await visitor.get('/')).json(), { visits: 2 })
  t.equal(setCookieLines(await app.inject('/written')).length, 1)
  t.equal(setCookieLines(await app.inject('/usual')).length, 2)
  t.equal(setCookieLines(await app.inject('/nothing')).length, 0)
  t.same(warnings(), [])
})

t.test('commit() keeps the session before a reply that bypasses Fastify', async (t) => {
  const { app, store, visitor, key, recordOf, warnings } = await createVisited()
  app.get('/hijack', async ({ session }, reply) => {
    session.visits = 10
    await session.commit()
    reply.hijack()
    reply.raw.write('raw')
    session.visits = 11
    await session.commit()
    reply.raw.end()
  })
  app.get('/hijack-new', async ({ session }, reply) => {
    session.visits = 20
    await session.commit()
    reply.hijack()
    reply.raw.end('raw')
  })
  app.get('/too-late', async ({ session }, reply) => {
    reply.hijack()
    reply.raw.write('raw')
    await session.renew()
    await session.commit()
    reply.raw.end()
  })
  const response = await visitor.get('/hijack')
  t.same(setCookieLines(response), [])
  t.same(await recordOf(key), { visits: 11, name: 'Ana' }, 'data can be kept after the headers are gone')
  t.same(warnings(), [])
  const created = await app.inject('/hijack-new')
  t.equal(setCookieLines(created).length, 1)
  store.takeCalls()
  await visitor.get('/too-late')
  await new Promise(setImmediate)
  t.same(store.takeMethods(), ['load'], 'a new id that nobody would learn of is not made')
  t.match(warnings(), [{ reason: 'headers-sent' }])
})

t.test('a commit and an update that overlap take nothing from anybody', async (t) => {
  const { app, store, visitor, key, recordOf } = await createVisited()
  app.get('/overlap', async ({ session }) => {
    let open = (): void => {}
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    store.before = once('commit', () => gate)
    session.userId = 7
    const committed = session.commit()
    await session.update((data) => {
      data.visits = 2
    })
    open()
    await committed
    await store.inner.commit(key, { set: { visits: '50' }, unset: [] }, 2_000_000_000)
    session.names = ['after']
    return ''
  })
  await visitor.get('/overlap')
  t.same(await recordOf(key), { visits: 50, name: 'Ana', userId: 7, names: ['after'] })
})

t.test('what commit() has written is told as what it was', async (t) => {
  const { app, visitor, recordOf } = await createVisited()
  app.get('/twice', async ({ session }) => {
    await session.commit()
    session.visits = 2
    return ''
  })
  app.get('/new-twice', async ({ session }) => {
    session.visits = 1
    await session.commit()
    session.visits = 2
    return session.id
  })
  const decisions = await decisionsOf(() => visitor.get('/twice'))
  t.same(decisions, ['open: opened', 'commit: unchanged', 'commit: changed'])
  const response = await app.inject('/new-twice')
  t.equal(setCookieLines(response).length, 1, 'the cookie is there whatever comes after it')
  t.same(await recordOf(response.body), { visits: 2 })
})

t.test('a commit that nobody waits for and the reply come one after the other', async (t) => {
  const { app, store } = await createStoredApp()
  app.get('/', async ({ session }) => {
    session.visits = 1
    void session.commit()
    session.name = 'Ada'
    return ''
  })
  app.get('/read', async ({ session }) => ({ ...session }))
  app.get('/off', { config: { session: false } }, async ({ session }) => session.destroy())
  const visitor = await createClient(app)
  await visitor.get('/')
  t.same(store.takeMethods(), ['create', 'commit'])
  t.equal((await visitor.get('/off')).statusCode, 200)
  t.same((await visitor.get('/read')).json(), { visits: 1, name: 'Ada' })
})

t.test('the next one takes the place of the one before', async (t) => {
  const { app } = await createApp()
  app.get('/', async ({ session }, reply) => {
    reply.header('set-cookie', 'other=1')
    session.visits = 1
    await session.commit()
    const [, first] = reply.getHeader('set-cookie') as string[]
    session.visits = 2
    await session.commit()
    const [other, second, ...more] = reply.getHeader('set-cookie') as string[]
    t.same([other, more], ['other=1', []])
    t.match(second, /^session=s2[\w.-]+; Path=\/; HttpOnly; SameSite=Lax$/)
    t.not(second, first)
    await session.destroy()
    return ''
  })
  const decisions = await decisionsOf(async () => {
    t.same(setCookieLines(await app.inject('/')), [
      'other=1',
      'session=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; HttpOnly; SameSite=Lax'
    ])
  })
  t.equal(decisions.at(-1), 'commit: destroyed')
})

t.test('where nothing is new, what was said before is said again, whatever became of the headers', async (t) => {
  const { app } = await createApp()
  app.get('/', async ({ session }, reply) => {
    await session.commit()
    t.notOk(reply.hasHeader('set-cookie'))
    session.visits = 1
    await session.commit()
    reply.removeHeader('set-cookie')
    return ''
  })
  const decisions = await decisionsOf(async () => {
    t.match(setCookieLines(await app.inject('/')), [/^session=s2/])
  })
  t.same(
    decisions,
    ['open: no-cookie', 'commit: empty', 'commit: created', 'commit: created'],
    'with the reason that it had'
  )
})
