import t from 'tap'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { commitWaiting, isWaiting, keptUntil } from '../../lib/transport/waiting.ts'
import { once, RecordingStore } from '../helpers/recording-store.ts'

const NOW = 1_763_640_000
const TIMES = { idleTimeout: 86_400, absoluteTimeout: 30 * 86_400 }
const TIMEOUTS = { ...TIMES, maxIdleTimeout: 30 * 86_400, maxAbsoluteTimeout: 30 * 86_400 }
const NEXT_ONLY = '{"next":"/orders"}'

function recordWith(json: string, lastSeenAt = NOW, ownerId?: string) {
  return { id: 'id', createdAt: NOW, lastSeenAt, permanent: false, ownerId, extensions: undefined, json }
}

/** A store with one record, which holds no more than a page. */
async function create() {
  const store = new RecordingStore(new MemoryStore({ clock: () => NOW * 1000, pruneInterval: 0 }))
  const { id: key, ...record } = recordWith(NEXT_ONLY)
  await store.inner.create(key, { ...record, description: undefined }, NOW + 900)
  return { store, key }
}

t.test('a session waits that has no owner and holds no more than a page', async (t) => {
  t.equal(isWaiting({ ownerId: undefined, json: NEXT_ONLY }), true)
  t.equal(isWaiting({ ownerId: undefined, json: '{"next": "/orders"}' }), true, 'as a database spells it')
  for (const json of ['{}', '{"next":"/orders","cart":{}}', '{"cart":{},"next":"/orders"}', '{"nextOne":1}']) {
    t.equal(isWaiting({ ownerId: undefined, json }), false, json)
  }
  t.equal(isWaiting({ ownerId: '1', json: NEXT_ONLY }), false)
  t.equal(isWaiting({ ownerId: undefined, json: NEXT_ONLY }, { next: '"/orders"' }), true)
  t.equal(isWaiting({ ownerId: undefined, json: NEXT_ONLY }, { next: '"/orders"', cart: '{}' }), false)
})

t.test('it is kept for 15 minutes after its last activity, every other session as its timeouts say', async (t) => {
  t.equal(keptUntil(recordWith(NEXT_ONLY, NOW + 60), TIMEOUTS), NOW + 60 + 900)
  t.equal(keptUntil(recordWith(NEXT_ONLY), { ...TIMEOUTS, idleTimeout: 300 }), NOW + 300)
  t.equal(keptUntil(recordWith('{"cart":{}}'), TIMEOUTS), NOW + 86_400)
  t.equal(keptUntil(recordWith(NEXT_ONLY, NOW, '1'), TIMEOUTS), NOW + 86_400)
})

t.test('a commit keeps it waiting, in one load and one commit', async (t) => {
  const { store, key } = await create()
  const changes = { set: { next: '"/other"' }, unset: [], lastSeenAt: NOW + 60 }
  const record = recordWith('{"next":"/other"}', NOW + 60)
  t.equal(await commitWaiting(store, key, record, changes, TIMEOUTS), 'committed')
  t.same(store.takeMethods(), ['load', 'commit'])
  t.match(await store.inner.load(key), { json: '{"next":"/other"}', lastSeenAt: NOW + 60, expiresAt: NOW + 960 })
})

t.test('what another request has written ends as late as its own commit says', async (t) => {
  const cart = { set: { cart: '{}' }, unset: [] }
  const activity = { set: {}, unset: [], lastSeenAt: NOW + 60 }
  for (const moment of ['load', 'commit'] as const) {
    const { store, key } = await create()
    store.before = once(moment, () => store.inner.commit(key, cart, NOW + 86_400))
    t.equal(await commitWaiting(store, key, recordWith(NEXT_ONLY, NOW + 60), activity, TIMEOUTS), 'committed')
    const expected = { json: '{"next":"/orders","cart":{}}', expiresAt: NOW + 60 + 86_400 }
    t.match(await store.inner.load(key), expected, `between this request and its ${moment}`)
  }
})

t.test('a request that is no activity does not cut short what others have noted', async (t) => {
  const { store, key } = await create()
  await store.inner.touch(key, NOW + 300 + 900, NOW + 300)
  const changes = { set: { next: '"/other"' }, unset: [] }
  t.equal(await commitWaiting(store, key, recordWith('{"next":"/other"}'), changes, TIMEOUTS), 'committed')
  t.match(await store.inner.load(key), { expiresAt: NOW + 1200 })
})

t.test('a session that has ended is gone', async (t) => {
  for (const moment of ['load', 'commit'] as const) {
    const { store, key } = await create()
    store.before = once(moment, () => store.inner.destroy(key))
    const changes = { set: {}, unset: [] }
    t.equal(await commitWaiting(store, key, recordWith(NEXT_ONLY), changes, TIMEOUTS), 'gone')
  }
})
