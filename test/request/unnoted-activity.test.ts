import t from 'tap'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createApp, decisionsOf, OTHER_SECRET, SECRET } from '../helpers/app.ts'
import { RecordingStore } from '../helpers/recording-store.ts'
import { createVisited, setVisits } from '../helpers/visited-app.ts'

const refuse = (): Promise<never> => Promise.reject(new Error('READONLY'))

/** A visitor whose activity is due, and a store that can be read and not be written to. */
async function createReadOnly() {
  const made = await createVisited()
  const { app, store, clock } = made
  app.get('/touch', async ({ session }) => session.touch())
  app.get('/commit', async ({ session }) => {
    await session.commit()
    return session.visits
  })
  app.get('/news', { config: { session: { onStoreError: 'anonymous' } } }, async ({ session }) => ({ ...session }))
  clock.advance(61)
  store.before = (method) => (method === 'load' ? undefined : refuse())
  return made
}

t.test('a request that only reads is served when its activity cannot be noted', async (t) => {
  const { store, visitor, clock, logs, warnings } = await createReadOnly()
  const cookie = visitor.jar.header()
  for (const [path, body] of [
    ['/untouched', 'ok'],
    ['/read', '{"visits":1,"name":"Ana"}'],
    ['/news', '{"visits":1,"name":"Ana"}'],
    ['/commit', '1']
  ] as const) {
    let response = await visitor.get('/untouched')
    store.takeMethods()
    const decisions = await decisionsOf(async () => {
      response = await visitor.get(path)
    })
    t.same([response.statusCode, response.body], [200, body], path)
    t.same(setCookieLines(response), [], path)
    t.equal(response.headers['cache-control'], undefined)
    t.equal(decisions.at(-1), 'commit: store-unavailable', path)
    t.same(store.takeMethods(), ['load', 'touch'], 'and does not try again')
  }
  t.equal(visitor.jar.header(), cookie)
  t.same(
    warnings().map(({ reason, msg }) => [reason, /not take the note/.test(msg)]),
    [['store-unavailable', true]]
  )
  t.match(
    logs.find(({ level }) => level === 40),
    { err: { code: 'ERR_SESSION_STORE_UNAVAILABLE' } }
  )
  t.same(
    logs.filter(({ level }) => level > 40),
    []
  )
  clock.advance(59)
  await visitor.get('/read')
  t.equal(warnings().length, 1)
  clock.advance(1)
  await visitor.get('/read')
  t.equal(warnings().length, 2, 'at most one warning in a minute')
  store.before = () => undefined
  t.equal(setCookieLines(await visitor.get('/read')).length, 1, 'it is noted as soon as the store takes it')
})

t.test('what the application asks to be written answers 503 when it cannot be', async (t) => {
  const { store, visitor, key, recordOf } = await createReadOnly()
  for (const path of ['/count', '/update', '/renew', '/logout', '/touch']) {
    const response = await visitor.get(path)
    t.equal(response.statusCode, 503, path)
    t.match(response.json(), { code: 'ERR_SESSION_STORE_UNAVAILABLE' })
    t.same(setCookieLines(response), [], path)
  }
  store.before = () => undefined
  t.same(await recordOf(key), { visits: 1, name: 'Ana' })
})

t.test('a change after activity that could not be noted is saved, or answers 503', async (t) => {
  const { app, store, visitor, key, recordOf } = await createReadOnly()
  app.get('/late', async ({ session }) => {
    await session.commit()
    session.visits = 2
    return 'changed'
  })
  t.equal((await visitor.get('/late')).statusCode, 503)
  store.before = (method) => (method === 'touch' ? refuse() : undefined)
  const response = await visitor.get('/late')
  t.equal(response.statusCode, 200)
  t.same(await recordOf(key), { visits: 2, name: 'Ana' })
})

t.test('a store that cannot be asked at all answers 503, whether or not activity is due', async (t) => {
  const { store, visitor } = await createReadOnly()
  store.before = refuse
  t.equal((await visitor.get('/read')).statusCode, 503)
})

t.test('a cookie under an older secret stays as it is when the store takes no note', async (t) => {
  const store = new RecordingStore(new MemoryStore({ pruneInterval: 0 }))
  const older = await createApp({ secret: OTHER_SECRET, store })
  const newer = await createApp({ secret: [SECRET, OTHER_SECRET], store })
  older.app.get('/set', setVisits)
  newer.app.get('/read', async ({ session }) => ({ ...session }))
  for (const { clock } of [older, newer]) clock.set(new Date())
  const visitor = await createClient(newer.app)
  visitor.jar.take(await older.app.inject('/set'))
  store.before = (method) => (method === 'load' ? undefined : refuse())
  const response = await visitor.get('/read')
  t.same([response.statusCode, setCookieLines(response)], [200, []])
  store.before = () => undefined
  t.equal(setCookieLines(await visitor.get('/read')).length, 1)
})

t.test('a store that throws at once is answered in the same way', async (t) => {
  const store = new MemoryStore({ pruneInterval: 0 })
  const { app, clock, warnings } = await createApp({ store })
  app.get('/set', setVisits)
  app.get('/read', async ({ session }) => ({ ...session }))
  clock.set(new Date())
  const visitor = await createClient(app)
  await visitor.get('/set')
  clock.advance(61)
  store.touch = () => {
    throw new Error('database is locked')
  }
  const response = await visitor.get('/read')
  t.same([response.statusCode, response.json(), setCookieLines(response)], [200, { visits: 1, name: 'Ana' }, []])
  t.match(warnings(), [{ reason: 'store-unavailable' }])
})

t.test('a mistake in a store is no outage', async (t) => {
  const { store, visitor } = await createReadOnly()
  store.before = (method) =>
    method === 'touch' ? Promise.reject(Object.assign(new Error('a'), { code: 'ERR_SESSION_X' })) : undefined
  t.equal((await visitor.get('/read')).statusCode, 500)
})
