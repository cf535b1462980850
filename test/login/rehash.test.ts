import t from 'tap'
import { StoreRequiredError } from '../../lib/errors.ts'
import { rehash } from '../../lib/login/rehash.ts'
import { seriesOwner } from '../../lib/login/remember-tokens.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'
import { START } from '../helpers/app.ts'
import { once, RecordingStore } from '../helpers/recording-store.ts'

const HASHES = { from: 'before', to: 'now' }

function create() {
  const clock = new FakeClock(START)
  const store = new RecordingStore(new MemoryStore({ clock: clock.now, pruneInterval: 0 }))
  const at = clock.now() / 1000
  const add = async (key: string, json: string, ownerId = '1'): Promise<void> => {
    const record = {
      json,
      createdAt: at,
      lastSeenAt: at - 5,
      permanent: false,
      ownerId,
      description: undefined,
      extensions: undefined
    }
    await store.create(key, record, at + 100)
  }
  const read = async (key: string): Promise<unknown> => JSON.parse((await store.inner.load(key))?.json ?? 'null')
  return { store, at, add, read }
}

const login = (hash: string, id = '1'): string => JSON.stringify({ visits: 1, _login: { id, at: 7, hash } })

t.test('what holds the previous hash gets the new one, and lives as long as before', async (t) => {
  const { store, at, add, read } = create()
  await add('session', login('before'))
  await add('series', JSON.stringify({ userId: '1', secret: 'x', hash: 'before' }), seriesOwner('1'))
  await rehash(store, '1', HASHES, 'kept')
  t.same(await read('session'), { visits: 1, _login: { id: '1', at: 7, hash: 'now' } })
  t.same(await read('series'), { userId: '1', secret: 'x', hash: 'now' })
  t.match(await store.inner.load('session'), { lastSeenAt: at - 5, expiresAt: at + 100, permanent: false })
})

t.test('everything else stays as it is', async (t) => {
  const { store, add, read } = create()
  const others: Record<string, [json: string, ownerId: string]> = {
    kept: [login('before'), '1'],
    'older password': [login('older'), '1'],
    'no login': ['{"visits":1}', '1'],
    'somebody else': [login('before', '2'), '2'],
    'not the login of its owner': [login('before', '2'), '1'],
    'an older series': ['{"hash":"older"}', seriesOwner('1')],
    'a series of somebody else': ['{"hash":"before"}', seriesOwner('2')]
  }
  for (const [key, [json, ownerId]] of Object.entries(others)) await add(key, json, ownerId)
  await rehash(store, '1', HASHES, 'kept')
  for (const [key, [json]] of Object.entries(others)) t.same(await read(key), JSON.parse(json), key)
})

t.test('a session that changes at the same time keeps the change, and one that ends stays ended', async (t) => {
  const { store, at, add, read } = create()
  await add('session', login('before'))
  store.before = once('commit', () => store.inner.commit('session', { set: { visits: '2' }, unset: [] }, at + 100))
  await rehash(store, '1', HASHES, 'kept')
  t.same(await read('session'), { visits: 2, _login: { id: '1', at: 7, hash: 'now' } })
  await add('other', login('before'))
  for (const end of [
    () => store.inner.destroy('other'),
    async () => {
      await store.inner.commit('other', { set: {}, unset: [] }, at + 100)
      store.before = once('load', () => store.inner.destroy('other'))
    }
  ]) {
    await add('other', login('before'))
    store.before = once('commit', end)
    await rehash(store, '1', HASHES, 'kept')
    t.equal(await read('other'), null)
  }
})

t.test('a session that cannot be read is no obstacle, and neither is a store that cannot list', async (t) => {
  const { store, add, read } = create()
  await add('session', login('before'))
  const list = store.list.bind(store)
  store.list = async (ownerId) => {
    const [record] = await list(ownerId)
    return record === undefined ? [] : [{ ...record, key: 'damaged', json: '{"_login"' }, record]
  }
  await rehash(store, '1', HASHES, 'kept')
  t.match(await read('session'), { _login: { hash: 'now' } })
  store.list = () => Promise.reject(new StoreRequiredError('It cannot.'))
  await rehash(store, '1', HASHES, 'kept')
  store.list = () => Promise.reject(new Error('down'))
  await t.rejects(rehash(store, '1', HASHES, 'kept'), { message: 'down' })
})
