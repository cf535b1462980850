import t from 'tap'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { newRecord } from '../../lib/testing/store-contract/bench.ts'
import { reseal, withAllMembers } from '../../lib/transport/reseal.ts'
import { StoreRecord } from '../../lib/transport/store-record.ts'
import type { CommitResult, SessionChanges, StoredRecord } from '../../types/store.ts'
import { RecordingStore } from '../helpers/recording-store.ts'

const KEY = 'K'.repeat(43)
const LATER = 4_000_000_000

function create(): { inner: MemoryStore; store: RecordingStore; record: StoreRecord } {
  const inner = new MemoryStore({ pruneInterval: 0 })
  inner.create(KEY, newRecord({ json: '{"a":1,"__proto__":{"b":2}}' }), LATER - 10)
  const record = new StoreRecord({ id: 'id' }, inner.load(KEY) as StoredRecord)
  return { inner, store: new RecordingStore(inner), record }
}

const ACTIVITY: SessionChanges = { set: {}, unset: [], lastSeenAt: LATER - 5 }

t.test('changes of all members have the text of those that stay the same', (t) => {
  const json = '{"a": 1,"b":[ 2 ],"__proto__":{"c":3}}'
  t.strictSame(withAllMembers(json, { set: { a: '4', d: '5' }, unset: ['b'] }), {
    set: JSON.parse('{"a":"4","__proto__":"{\\"c\\":3}","d":"5"}'),
    unset: ['b']
  })
  t.strictSame(withAllMembers('{}', ACTIVITY), ACTIVITY)
  t.end()
})

t.test('all members are written, with the changes, in the version that was loaded', async (t) => {
  const { inner, store, record } = create()
  const changes = { set: { c: '3' }, unset: ['a'], lastSeenAt: LATER - 5 }
  t.equal(await reseal(store, record, changes, LATER, fail), 'committed')
  const [[method, key, written, expiresAt, version] = []] = store.takeCalls() as unknown[][]
  const set = JSON.parse('{"__proto__":"{\\"b\\":2}","c":"3"}')
  t.same([method, key, expiresAt, version], ['commit', KEY, LATER, 0])
  t.strictSame(written, { ...changes, set })
  t.match(inner.load(KEY), { json: '{"__proto__":{"b":2},"c":3}', lastSeenAt: LATER - 5, expiresAt: LATER })
})

t.test('what another request has written since stays, and only the changes are written', async (t) => {
  const { inner, store, record } = create()
  inner.commit(KEY, { set: { a: '2' }, unset: [] }, LATER)
  t.equal(await reseal(store, record, ACTIVITY, LATER, () => 'committed'), 'committed')
  t.equal(await reseal(store, record, ACTIVITY, LATER, () => 'gone'), 'gone')
  t.match(inner.load(KEY), { json: '{"a":2,"__proto__":{"b":2}}', version: 1 })
})

t.test('a session that has ended stays so', async (t) => {
  const { inner, store, record } = create()
  inner.destroy(KEY)
  t.equal(await reseal(store, record, ACTIVITY, LATER, fail), 'gone')
})

function fail(): CommitResult {
  throw new Error('There is nothing else to write.')
}
