import t from 'tap'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import { MemberSeal } from '../../lib/format/sealed-member.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { isCurrent, SEALED_SCALE, SealedStore } from '../../lib/stores/sealed.ts'
import { testStore } from '../../lib/testing/index.ts'
import { newRecord } from '../../lib/testing/store-contract/bench.ts'
import { chain } from '../../lib/util/maybe-async.ts'
import type { MaybePromise, SessionStore, StoredRecord, StoreStep } from '../../types/store.ts'
import { CIPHER, fixedRandom, OLD_SECRET, SECRET } from '../format/samples.ts'

const KEY = 'K'.repeat(43)
const OTHER_KEY = 'L'.repeat(43)
const LATER = 4_000_000_000
const UNREADABLE = { code: 'ERR_SESSION_UNREADABLE', message: /^The store has this session, but its record is damaged/ }

function sealOf(secrets: Buffer[] = [SECRET]): MemberSeal {
  return new MemberSeal(deriveKeys(secrets, 'member'), fixedRandom(), CIPHER)
}

/** The contract compares records whole, and so with all that they have as properties of their own. */
class PlainRecords extends SealedStore {
  override load(key: string): MaybePromise<StoredRecord | undefined> {
    return chain(super.load(key), (record) => record && toPlain(record))
  }

  override list(ownerId: string): MaybePromise<StoredRecord[]> {
    return chain(super.list(ownerId), (records) => records.map(toPlain))
  }
}

function toPlain(record: StoredRecord): StoredRecord {
  return { ...record, json: record.json, description: record.description }
}

t.test('the contract', async (t) => {
  testStore({
    test: (name, run) => t.test(name, run),
    open: (clock) => {
      const store = new PlainRecords(new MemoryStore({ clock }), sealOf())
      const { entries } = store
      const plain: SessionStore['entries'] = (...given) =>
        chain(entries?.(...given) as StoreStep<StoredRecord[]>, ({ found, next }) => ({
          found: found.map(toPlain),
          next
        }))
      return Object.assign(store, { entries: plain })
    }
  })
})

/** A store with a record in it. */
function create(json = '{"a":1,"b":"hunter2"}', description = '{"agent":"Firefox"}') {
  const inner = new MemoryStore({ pruneInterval: 0 })
  const store = new SealedStore(inner, sealOf())
  store.create(KEY, newRecord({ json, description, ownerId: 'ada' }), LATER)
  const raw = (): StoredRecord => inner.load(KEY) as StoredRecord
  const rawData = (): Record<string, string> => JSON.parse(raw().json)
  const read = (from: SessionStore = store): StoredRecord => from.load(KEY) as StoredRecord
  return { inner, store, raw, rawData, read }
}

t.test('the store below has names, times and the owner, and no value', async (t) => {
  const { store, raw, rawData, read } = create()
  t.same(Object.keys(rawData()), ['a', 'b'])
  for (const value of Object.values(rawData())) t.match(value, /^m1[\w-]{6}\.[\w-]+$/)
  t.match(raw().description, /^\{"agent":"m1[\w-]{6}\.[\w-]+"\}$/)
  t.equal(raw().ownerId, 'ada')
  t.notMatch(JSON.stringify(raw()), /hunter2|Firefox/)
  t.equal(read().json, '{"a":1,"b":"hunter2"}')
  t.equal(read().description, '{"agent":"Firefox"}')
  store.create(OTHER_KEY, newRecord(), LATER)
  t.equal((store.load(OTHER_KEY) as StoredRecord).description, undefined)
})

t.test('a change seals what it changes, and leaves the rest as it is', async (t) => {
  const { store, rawData, read } = create()
  const before = rawData()
  store.commit(KEY, { set: { a: '2', __proto__: null } as never, unset: [] }, LATER)
  t.equal(rawData().b, before.b)
  t.not(rawData().a, before.a)
  t.equal(read().json, '{"a":2,"b":"hunter2"}')
  store.commit(KEY, { set: {}, unset: ['b'] }, LATER)
  t.equal(read().json, '{"a":2}')
  const set = JSON.parse('{"__proto__":"1"}')
  store.commit(KEY, { set, unset: ['a'] }, LATER)
  t.equal(read().json, '{"__proto__":1}')
})

t.test('what was moved, changed or put there by somebody else is unreadable', async (t) => {
  const tamper: Record<string, (data: Record<string, string>) => unknown> = {
    'the value of another member': (data) => ({ a: data.b, b: data.a }),
    'a member under another name': (data) => ({ c: data.a }),
    'a plain value': (data) => ({ ...data, a: 1 }),
    'a plain text': (data) => ({ ...data, a: 'admin' }),
    'a plain object': (data) => ({ ...data, a: { a: data.a } }),
    'a value that is cut off': (data) => ({ ...data, a: data.a?.slice(0, -1) }),
    'an array': (data) => Object.values(data)
  }
  for (const [name, change] of Object.entries(tamper)) {
    const { inner, store, raw, rawData } = create()
    const record = { ...raw(), json: JSON.stringify(change(rawData())) }
    inner.destroy(KEY)
    inner.create(KEY, record, LATER)
    t.throws(() => store.load(KEY), UNREADABLE, name)
    const [listed] = await store.list('ada')
    t.throws(() => listed?.json, UNREADABLE)
    t.equal(listed?.description, '{"agent":"Firefox"}', 'the rest is there')
  }
  for (const json of ['', '{', '{"a":"m1', 'null', '5', '[]']) {
    const { inner, store, raw } = create()
    const record = { ...raw(), json, description: json }
    inner.destroy(KEY)
    inner.create(KEY, record, LATER)
    t.throws(() => store.load(KEY), UNREADABLE, json)
    const [listed] = await store.list('ada')
    if (json !== '') t.throws(() => listed?.description, UNREADABLE, json)
  }
})

t.test('the record of one session opens in no other, whatever the store says of its key', async (t) => {
  const { inner, store, raw } = create()
  inner.create(OTHER_KEY, raw(), LATER)
  t.throws(() => store.load(OTHER_KEY), UNREADABLE)
  const lying = new SealedStore({ ...bound(inner), load: () => raw() }, sealOf())
  t.throws(() => lying.load(OTHER_KEY), UNREADABLE)
  t.equal((lying.load(KEY) as StoredRecord).key, KEY)
})

t.test('a record that was not sealed is unreadable, unless it has nothing in it', async (t) => {
  const { inner, store } = create()
  inner.create(OTHER_KEY, newRecord({ json: '{"role":"admin"}', ownerId: 'ada' }), LATER)
  t.throws(() => store.load(OTHER_KEY), UNREADABLE)
  const listed = await store.list('ada')
  t.same(listed.map(({ key }) => key).sort(), [KEY, OTHER_KEY], 'it can be listed, and so ended')
  inner.create('M'.repeat(43), newRecord({ json: '{}' }), LATER)
  t.equal((store.load('M'.repeat(43)) as StoredRecord).json, '{}')
})

t.test('who may trust what is not sealed says which records are', async (t) => {
  const { inner } = create()
  inner.create(OTHER_KEY, newRecord({ json: '{"role":"admin"}', ownerId: 'ada' }), LATER)
  const store = new SealedStore(inner, sealOf(), ({ extensions }) => extensions === ':S1')
  t.equal((store.load(OTHER_KEY) as StoredRecord).json, '{"role":"admin"}')
  t.equal((store.load(KEY) as StoredRecord).json, '{"a":1,"b":"hunter2"}')
  t.same((await store.list('ada')).map(({ json }) => json).sort(), ['{"a":1,"b":"hunter2"}', '{"role":"admin"}'])
})

t.test('lists open what is read of them', async (t) => {
  const { inner, store } = create()
  const [listed] = await store.list('ada')
  t.equal(listed?.json, '{"a":1,"b":"hunter2"}')
  const page = await store.entries?.(undefined, 10)
  t.equal(page?.found[0]?.description, '{"agent":"Firefox"}')
  t.equal(page?.next, undefined)
  t.equal((await store.count?.(undefined))?.found, 1)
  t.equal((await store.destroyEverything?.(undefined))?.found, 1)
  const { create: make, load, commit, touch, destroy, list, destroyAll } = bound(inner)
  const poor = new SealedStore({ create: make, load, commit, touch, destroy, list, destroyAll }, sealOf())
  t.same(
    [poor.count, poor.entries, poor.destroyEverything, poor.loadsAtOnce],
    [undefined, undefined, undefined, undefined]
  )
})

t.test('a record says that its values are sealed, but what is no session keeps its mark', async (t) => {
  const { inner, store, raw, read } = create()
  t.equal(raw().extensions, ':S1')
  t.equal(read().extensions, '')
  store.commit(KEY, { set: {}, unset: [], extensions: ':v2' }, LATER)
  t.equal(raw().extensions, ':S1:v2')
  t.equal(read().extensions, ':v2')
  store.commit(KEY, { set: {}, unset: [], extensions: '' }, LATER)
  t.equal(raw().extensions, ':S1')
  store.create(OTHER_KEY, newRecord({ json: '{"secret":"x"}', extensions: ':N' }), LATER)
  const other = inner.load(OTHER_KEY) as StoredRecord
  t.equal(other.extensions, ':N')
  t.notMatch(other.json, '"x"')
})

t.test('the newest key seals, all open, and a record tells which it has', async (t) => {
  const { inner, store } = create()
  const after = new SealedStore(inner, sealOf([OLD_SECRET, SECRET]))
  const found = after.load(KEY) as StoredRecord
  t.equal(found.json, '{"a":1,"b":"hunter2"}')
  t.equal(isCurrent(found), false)
  after.commit(KEY, { set: { a: '1' }, unset: [] }, LATER)
  const half = after.load(KEY) as StoredRecord
  t.equal(half.json, '{"a":1,"b":"hunter2"}')
  t.equal(isCurrent(half), false)
  after.commit(KEY, { set: { b: '"hunter2"' }, unset: [] }, LATER)
  const whole = after.load(KEY) as StoredRecord
  t.equal(whole.json, '{"a":1,"b":"hunter2"}')
  t.equal(isCurrent(whole), true)
  t.throws(() => store.load(KEY), UNREADABLE)
  t.equal(isCurrent(inner.load(KEY) as StoredRecord), true, 'one that is not sealed')
})

t.test('a store that answers later, or nothing, or nonsense', async (t) => {
  const { inner } = create()
  const later = new SealedStore({ ...bound(inner), load: async (key) => inner.load(key) }, sealOf())
  t.equal((await later.load(KEY))?.json, '{"a":1,"b":"hunter2"}')
  t.equal(await later.load(OTHER_KEY), undefined)
  const nonsense = new SealedStore({ ...bound(inner), load: () => null as never }, sealOf())
  t.equal(nonsense.load(KEY), null, 'for its guard to refuse')
})

t.test('sizes are those that the store gets', async (t) => {
  const texts = [
    '{}',
    '{"a":1}',
    '{"":0}',
    '{"":0,"0":1}',
    '{"ü":"日本","\\"":{"a":[1,2]}}',
    `{"a":"${'x'.repeat(9000)}"}`
  ]
  for (const json of texts) {
    const { raw } = create(json)
    t.equal(SEALED_SCALE.bytesOf(json), Buffer.byteLength(raw().json), json.slice(0, 40))
    t.ok(SEALED_SCALE.bytesOf(json) <= json.length * SEALED_SCALE.maxBytesPerUnit)
  }
})

/** The methods of a store, for one that differs in some of them. */
function bound(store: MemoryStore): SessionStore {
  return {
    create: store.create.bind(store),
    load: store.load.bind(store),
    commit: store.commit.bind(store),
    touch: store.touch.bind(store),
    destroy: store.destroy.bind(store),
    list: store.list.bind(store),
    destroyAll: store.destroyAll.bind(store)
  }
}
