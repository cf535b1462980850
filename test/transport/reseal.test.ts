import t from 'tap'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { newRecord } from '../../lib/testing/store-contract/bench.ts'
import { reseal } from '../../lib/transport/reseal.ts'
import { StoreRecord } from '../../lib/transport/store-record.ts'
import type { SessionStore, StoredRecord } from '../../types/store.ts'
import { RecordingStore } from '../helpers/recording-store.ts'

const KEY = 'K'.repeat(43)
const LATER = 4_000_000_000

function create(): { inner: MemoryStore; store: RecordingStore; record: StoreRecord } {
  const inner = new MemoryStore({ pruneInterval: 0 })
  inner.create(KEY, newRecord({ json: '{"a":1,"__proto__":{"b":2}}' }), LATER - 10)
  const record = new StoreRecord({ id: 'id' }, inner.load(KEY) as StoredRecord)
  return { inner, store: new RecordingStore(inner), record }
}

t.test('all members are written as they are, with the activity, in the version that was loaded', async (t) => {
  const { inner, store, record } = create()
  t.equal(await reseal(store, record, LATER, LATER - 5), 'committed')
  const [[method, key, changes, expiresAt, version] = []] = store.takeCalls() as unknown[][]
  const set = JSON.parse('{"a":"1","__proto__":"{\\"b\\":2}"}')
  t.same([method, key, expiresAt, version], ['commit', KEY, LATER, 0])
  t.strictSame(changes, { set, unset: [], lastSeenAt: LATER - 5 })
  t.match(inner.load(KEY), { json: '{"a":1,"__proto__":{"b":2}}', lastSeenAt: LATER - 5, expiresAt: LATER })
})

t.test('what another request has written since stays', async (t) => {
  const { inner, store, record } = create()
  inner.commit(KEY, { set: { a: '2' }, unset: [] }, LATER)
  t.equal(await reseal(store, record, LATER, LATER - 5), 'committed', 'the activity')
  t.match(inner.load(KEY), { json: '{"a":2,"__proto__":{"b":2}}', lastSeenAt: LATER - 5, version: 1 })
})

t.test('a session that has ended stays so, whenever it did', async (t) => {
  const { inner, store, record } = create()
  inner.destroy(KEY)
  t.equal(await reseal(store, record, LATER, undefined), 'gone')
  const meanwhile = { commit: () => 'conflict', touch: () => false } as unknown as SessionStore
  t.equal(reseal(meanwhile, record, LATER, undefined), 'gone')
})
