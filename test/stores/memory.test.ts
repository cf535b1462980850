import { execFileSync } from 'node:child_process'
import type { Test } from 'tap'
import t from 'tap'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'
import { testStore } from '../../lib/testing/index.ts'
import { newRecord } from '../../lib/testing/store-contract/bench.ts'
import type { SessionRecord } from '../../types/store.ts'
import { START } from '../helpers/app.ts'
import { FakeTime } from '../helpers/fake-time.ts'

const NOW = 1_763_640_000
const HOUR = 3600
const SET_A = { set: { a: '1' }, unset: [] }
const EXPIRED = NOW - 1

t.test('the contract', async (t) => {
  testStore({ test: (name, run) => t.test(name, run), open: (clock) => new MemoryStore({ clock }) })
})

/** JSON of so many bytes. */
function jsonOf(bytes: number): string {
  return JSON.stringify({ a: 'x'.repeat(bytes - '{"a":""}'.length) })
}

interface Scene {
  store: MemoryStore
  clock: FakeClock
  warnings: unknown[][]
  /** Creates sessions with these keys, one after the other. */
  fill(keys: string, record?: Partial<SessionRecord>, expiresAt?: number): Promise<void>
}

function create(t: Test, options: ConstructorParameters<typeof MemoryStore>[0] = {}): Scene {
  const clock = new FakeClock(START)
  const store = new MemoryStore({ clock: clock.now, pruneInterval: 0, ...options })
  const warnings: unknown[][] = []
  t.intercept(process, 'emitWarning', { value: (...warning: unknown[]) => void warnings.push(warning) })
  return {
    store,
    clock,
    warnings,
    fill: async (keys, record, expiresAt = NOW + HOUR) => {
      for (const key of keys) {
        // An owner of its own for each, so that they can be listed without being used.
        t.equal(await store.create(key, newRecord({ ownerId: key, ...record }), expiresAt), true, key)
      }
    }
  }
}

/** The keys among these whose sessions are there, without using them. */
async function aliveOf(store: MemoryStore, keys: string): Promise<string> {
  const found: string[] = []
  for (const key of keys) if ((await store.list(key)).length > 0) found.push(key)
  return found.join('')
}

t.test(
  'when there are too many, the session that was used least recently goes, and a warning says so once',
  async (t) => {
    const { store, fill, warnings } = create(t, { maxSessions: 3 })
    await fill('abc')
    t.same(warnings, [])
    await fill('d')
    t.equal(await aliveOf(store, 'abcd'), 'bcd')
    await fill('e')
    t.equal(await aliveOf(store, 'abcde'), 'cde')
    t.equal(store.size, 3)
    t.equal(warnings.length, 1)
    t.match(warnings[0], [
      /^The MemoryStore is full \(3 sessions, 134217728 bytes\).*Raise maxSessions/,
      { type: 'SessionStoreWarning', code: 'SESSION_MEMORY_STORE_FULL' }
    ])
  }
)

t.test('sessions without an owner make room first, however recently they were used', async (t) => {
  const { store, fill, warnings } = create(t, { maxSessions: 4 })
  await fill('ab')
  for (let stranger = 0; stranger < 50; stranger++) {
    await fill([String.fromCharCode(200 + stranger)].join(''), { ownerId: undefined })
  }
  t.equal(await aliveOf(store, 'ab'), 'ab', 'a flood of strangers logs nobody out')
  t.equal(store.size, 4)
  t.ok(await store.load(String.fromCharCode(249)), 'the newest strangers are there')
  t.ok(await store.load(String.fromCharCode(248)))
  t.equal(warnings.length, 1)
  await fill('cd')
  t.equal(await aliveOf(store, 'abcd'), 'abcd', 'strangers make room for users')
  await fill('s', { ownerId: undefined })
  t.equal(await aliveOf(store, 'abcd'), 'bcd', 'a stranger gets room all the same, or nobody could log in')
  await fill('z', { ownerId: undefined })
  t.equal(await aliveOf(store, 'bcd'), 'bcd', 'but strangers together take no more than that')
})

t.test('a session without an owner that grows stays, and others without one make room first', async (t) => {
  const { store, fill } = create(t, { maxBytes: 300 })
  await fill('a', { json: jsonOf(99) })
  await fill('st', { ownerId: undefined, json: jsonOf(50) })
  const grow = (key: string, bytes: number) =>
    store.commit(key, { set: { a: JSON.stringify('x'.repeat(bytes)) }, unset: [] }, NOW + HOUR)
  t.equal(await grow('s', 160), 'committed')
  t.ok(await store.load('s'))
  t.equal(await store.load('t'), undefined)
  t.equal(await aliveOf(store, 'a'), 'a')
  t.equal(await grow('s', 250), 'committed')
  t.ok(await store.load('s'), 'it does not make room for itself')
  t.equal(await aliveOf(store, 'a'), '', 'only a user whose room it needs goes')
  t.equal(store.size, 1)
})

t.test('eviction costs the same, however many sessions of users there are', async (t) => {
  const { store, fill } = create(t, { maxSessions: 50_000 })
  await fill(Array.from({ length: 49_999 }, (_, index) => String.fromCodePoint(0x10000 + index)).join(''))
  const start = performance.now()
  for (let stranger = 0; stranger < 20_000; stranger++) {
    await store.create(`stranger ${stranger}`, newRecord(), NOW + HOUR)
  }
  t.ok(performance.now() - start < 2000)
  t.equal(store.size, 50_000)
})

t.test('loads, touches and commits are uses; lists are not', async (t) => {
  const { store, fill } = create(t, { maxSessions: 4 })
  await fill('abcd')
  await store.load('a')
  await store.touch('b', NOW + HOUR)
  await store.commit('c', SET_A, NOW + HOUR)
  await store.list('d')
  await fill('e')
  t.equal(await aliveOf(store, 'abcde'), 'abce', 'd was the only one that was not used')
  await fill('fg')
  t.equal(await aliveOf(store, 'abcefg'), 'cefg')
})

t.test('the order is right for one that is used again and again, with others in between', async (t) => {
  const created = create(t, { maxSessions: 3 })
  await created.fill('a')
  await created.store.load('a')
  await created.fill('b')
  await created.store.load('a')
  await created.fill('cd')
  t.equal(await aliveOf(created.store, 'abcd'), 'acd', 'b was used before a')

  const loaded = create(t, { maxSessions: 3 })
  await loaded.fill('ab')
  await loaded.store.load('a')
  await loaded.store.load('b')
  await loaded.fill('cd')
  t.equal(await aliveOf(loaded.store, 'abcd'), 'bcd', 'a was used before b')
})

t.test('what has expired makes room before anything that is alive', async (t) => {
  const { store, clock, fill, warnings } = create(t, { maxSessions: 3 })
  await fill('a')
  await fill('b', {}, NOW + 10)
  await fill('c', {}, NOW + 20)
  clock.advance(11)
  await fill('d')
  t.equal(await aliveOf(store, 'abcd'), 'acd')
  t.same(warnings, [], 'and nobody need know')
  clock.advance(10)
  await fill('e')
  t.equal(await aliveOf(store, 'acde'), 'ade')
})

t.test('bytes of JSON are bounded, whether sessions come or grow', async (t) => {
  const { store, fill, warnings } = create(t, { maxBytes: 100 })
  await fill('abcd', { json: jsonOf(24) })
  t.same(warnings, [])
  await fill('e', { json: jsonOf(25) })
  t.equal(await aliveOf(store, 'abcde'), 'cde', 'two had to go for one that is a little larger')
  t.equal(
    await store.commit('e', { set: { a: JSON.stringify('x'.repeat(50 - 8)) }, unset: [] }, NOW + HOUR),
    'committed'
  )
  t.equal(await aliveOf(store, 'cde'), 'de', 'now 51 and 25')
  await store.commit('e', { set: {}, unset: ['a'] }, NOW + HOUR)
  await fill('fgh', { json: jsonOf(23) })
  t.equal(await aliveOf(store, 'defgh'), 'defgh', 'what a session gives up is room again')
  await store.destroy('d')
  await fill('i', { json: jsonOf(24) })
  t.equal(await aliveOf(store, 'efghi'), 'efghi', 'and so is what is destroyed')
  t.equal(warnings.length, 1)
})

t.test('owners and descriptions count like data: anybody can send a long user agent', async (t) => {
  const { store, fill } = create(t, { maxBytes: 100 })
  await fill('a', { description: jsonOf(49), json: jsonOf(49) })
  t.equal(await aliveOf(store, 'a'), 'a')
  await fill('b', { json: jsonOf(10) })
  t.equal(await aliveOf(store, 'ab'), 'b')
  await fill('c', { json: jsonOf(88) })
  t.equal(await aliveOf(store, 'bc'), 'bc', 'what ended is not counted any more')
})

t.test('bytes are counted as they travel, not as characters', async (t) => {
  const { store, fill } = create(t, { maxBytes: 40 })
  await fill('a', { json: '{"a":"ääää"}' })
  await fill('b', { json: '{"a":"ääää"}' })
  t.equal(await aliveOf(store, 'ab'), 'ab')
  await fill('c', { json: '{"a":"ä"}' })
  t.equal(await aliveOf(store, 'abc'), 'bc')
})

t.test('a session that is larger than all that may be kept is refused and changes nothing', async (t) => {
  const { store, fill } = create(t, { maxBytes: 100 })
  await fill('a', { json: jsonOf(49) })
  const refused = {
    code: 'ERR_SESSION_TOO_LARGE',
    message: /would need 101 bytes; the MemoryStore holds at most 100 bytes/
  }
  t.throws(() => store.create('b', newRecord({ json: jsonOf(101) }), NOW + HOUR), refused)
  const growth = { set: { a: JSON.stringify('x'.repeat(100 - 8)) }, unset: [] }
  t.throws(() => store.commit('a', growth, NOW + HOUR), refused)
  t.match(await store.load('a'), { json: jsonOf(49), version: 0 })
  t.equal(store.size, 1)
  await fill('c', { json: jsonOf(49) })
  t.equal(await aliveOf(store, 'ac'), 'ac', 'nor is it counted')
})

t.test('a refused one evicts nobody of its owner', async (t) => {
  const { store } = create(t, { maxBytes: 100 })
  await store.create('a', newRecord({ ownerId: 'ana' }), NOW + HOUR)
  const limit = { max: 1, evict: true }
  t.throws(() => store.create('b', newRecord({ ownerId: 'ana', json: jsonOf(101) }), NOW + HOUR, limit), {
    code: 'ERR_SESSION_TOO_LARGE'
  })
  t.equal((await store.list('ana')).length, 1)
})

t.test('one session may take all the room there is', async (t) => {
  const { store, fill } = create(t, { maxBytes: 100 })
  await fill('abc', { json: jsonOf(30) })
  await store.commit('b', { set: { a: JSON.stringify('x'.repeat(99 - 8)) }, unset: [] }, NOW + HOUR)
  t.equal(await aliveOf(store, 'abc'), 'b')
  await fill('d', { json: jsonOf(99) })
  t.equal(await aliveOf(store, 'bd'), 'd')
})

t.test('a session in whose place another one comes stays until it is ended, and no other has to go', async (t) => {
  const { store, fill, warnings } = create(t, { maxSessions: 3 })
  await fill('abc')
  const call = { deadline: Number.POSITIVE_INFINITY, replacing: 'a' }
  t.equal(await store.create('d', newRecord({ ownerId: 'd' }), NOW + HOUR, undefined, call), true)
  t.equal(await aliveOf(store, 'abcd'), 'abcd', 'for this moment there is one more')
  t.equal(
    await store.commit('a', { set: {}, unset: [] }, 0),
    'committed',
    'a change that needs no room needs nobody to go'
  )
  await store.destroy('a')
  t.equal(await aliveOf(store, 'abcd'), 'bcd')
  t.same(warnings, [])
  await fill('e')
  t.equal(await aliveOf(store, 'bcde'), 'cde', 'without it, somebody goes')
})

t.test('one that is replaced leaves the room of its data, and no more', async (t) => {
  const { store, fill } = create(t, { maxBytes: 100 })
  const sized = (bytes: number): SessionRecord => newRecord({ ownerId: 'x', json: jsonOf(bytes - 1) })
  await fill('ab', { json: jsonOf(39) })
  const call = { deadline: Number.POSITIVE_INFINITY, replacing: 'b' }
  t.equal(await store.create('c', sized(40), NOW + HOUR, undefined, call), true)
  t.equal(await aliveOf(store, 'ab'), 'ab')
  t.equal(
    await store.commit('c', { set: { a: JSON.stringify('x'.repeat(40)) }, unset: [] }, NOW + HOUR, 0, call),
    'committed'
  )
  t.equal(await aliveOf(store, 'ab'), 'ab', 'nor when the new one grows, while there is room')
  t.equal(
    await store.commit('c', { set: { a: JSON.stringify('x'.repeat(70)) }, unset: [] }, NOW + HOUR, 1, call),
    'committed'
  )
  t.equal(await aliveOf(store, 'ab'), 'b', 'only others make room')
  t.not(await store.load('c'), undefined)
  await store.destroy('b')
  const missing = { ...call, replacing: 'not there' }
  t.equal(await store.create('d', sized(40), NOW + HOUR, undefined, missing), true)
  t.equal(await store.load('c'), undefined)
})

t.test('nothing is written for a caller that has given up, except the end of a session', async (t) => {
  const { store } = create(t)
  const late = { deadline: performance.now() - 1 }
  const record = newRecord({ ownerId: 'ada' })
  await store.create('a', record, NOW + HOUR)
  const before = await store.load('a')
  for (const attempt of [
    () => store.create('b', record, NOW + HOUR, { max: 1, evict: true }, late),
    () => store.commit('a', SET_A, NOW + HOUR, undefined, late),
    () => store.touch('a', NOW + 2, NOW, late),
    () => store.destroyAll('ada', undefined, late)
  ]) {
    t.throws(attempt, { message: 'The store had no time left for a change. Nothing was written.' })
  }
  t.same(await store.list('ada'), [before])
  const destroy: (key: string, call: object) => unknown = store.destroy.bind(store)
  await destroy('a', late)
  t.equal(store.size, 0)
})

t.test('prune removes what has expired, and says how many there were', async (t) => {
  const { store, clock, fill } = create(t)
  await fill('ab', {}, NOW + 10)
  await fill('c', {}, NOW + 11)
  t.equal(store.prune(), 0)
  clock.advance(10)
  t.equal(store.prune(), 0, 'the last second is one of theirs')
  clock.advance(1)
  t.equal(store.size, 3)
  t.equal(store.prune(), 2, 'not the one whose last second it is')
  t.equal(store.size, 1)
  t.equal(store.prune(), 0)
  await store.touch('c', NOW + 12)
  clock.advance(2)
  t.equal(store.prune(), 1, 'an expiry that was moved to be sooner is not missed')
  await fill('d', {}, EXPIRED)
  t.equal(store.prune(), 1)
  t.equal(store.prune(), 0, 'nothing is left to look for')
})

t.test('a timer prunes, and stops when the store is closed', async (t) => {
  const time = new FakeTime(t)
  const { store, clock, fill } = create(t, { pruneInterval: 60 })
  await fill('a', {}, NOW + 10)
  clock.advance(11)
  time.advance(30_000)
  t.equal(store.size, 0)
  await new Promise(setImmediate)
  await fill('b', {}, NOW + 20)
  clock.advance(10)
  time.advance(60_000)
  t.equal(store.size, 0)
  await new Promise(setImmediate)
  await store.close()
  t.equal(time.pending, 0)
  await fill('c', {}, NOW + 30)
  t.equal(store.size, 1, 'another application goes on using it')
  clock.advance(10)
  time.advance(30_000)
  t.equal(store.size, 0, 'and has it pruned')
  await new Promise(setImmediate)
  await store.close()
})

t.test("an owner's sessions are found after removals in any order", async (t) => {
  const keys = ['a', 'b', 'c', 'd']
  for (const order of permutationsOf(keys)) {
    const { store } = create(t)
    for (const key of keys) await store.create(key, newRecord({ ownerId: 'ana' }), NOW + HOUR)
    const left = new Set(keys)
    for (const key of order) {
      await store.destroy(key)
      left.delete(key)
      const listed = (await store.list('ana')).map(({ key }) => key).sort()
      if (listed.join() !== [...left].sort().join()) t.fail(`after ${order.join()} there are ${listed}`)
    }
    await store.create('e', newRecord({ ownerId: 'ana' }), NOW + HOUR)
    if ((await store.list('ana')).length !== 1) t.fail('a new one is not found')
  }
  t.pass('24 orders')
})

t.test('those that expired, were evicted or used in between are out of the list, too', async (t) => {
  const { store, clock } = create(t, { maxSessions: 3 })
  const add = (key: string, expiresAt: number): Promise<unknown> =>
    Promise.resolve(store.create(key, newRecord({ ownerId: 'ana' }), expiresAt))
  const keys = async (): Promise<string> => (await store.list('ana')).map(({ key }) => key).join('')
  await add('a', NOW + HOUR)
  await add('b', NOW + 10)
  await add('c', NOW + HOUR)
  t.equal(await keys(), 'cba', 'newest first')
  await store.load('a')
  clock.advance(11)
  t.equal(await keys(), 'ca')
  t.equal(await store.load('b'), undefined)
  await add('d', NOW + HOUR)
  t.equal(await keys(), 'dca')
  await add('e', NOW + HOUR)
  t.equal(await keys(), 'eda', 'c was used least recently')
  t.equal(await store.destroyAll('ana', 'd'), 2)
  t.equal(await keys(), 'd')
})

t.test('of owners with equally old sessions the one that was created first makes room', async (t) => {
  const { store } = create(t)
  const limit = { max: 2, evict: true }
  for (const key of 'abc') await store.create(key, newRecord({ ownerId: 'ana' }), NOW + HOUR, limit)
  t.same(
    (await store.list('ana')).map(({ key }) => key),
    ['c', 'b']
  )
})

t.test('what was handed in or out can be changed without changing what is kept', async (t) => {
  const { store } = create(t)
  const record = newRecord({ json: '{"a":1}' }) as { -readonly [Key in keyof SessionRecord]: SessionRecord[Key] }
  await store.create('a', record, NOW + HOUR)
  record.json = '{"a":2}'
  const loaded = (await store.load('a')) as { json: string }
  loaded.json = '{"a":3}'
  t.equal((await store.load('a'))?.json, '{"a":1}')
})

t.test('every answer is there at once, without a promise', async (t) => {
  const store = new MemoryStore({ clock: () => NOW * 1000, pruneInterval: 0 })
  t.equal(store.create('a', newRecord({ ownerId: 'ana' }), NOW + HOUR), true)
  t.match(store.load('a'), { key: 'a', version: 0 })
  t.equal(store.commit('a', SET_A, NOW + HOUR), 'committed')
  t.equal(store.touch('a', NOW + HOUR), true)
  t.match(store.list('ana'), [{ key: 'a', json: '{"a":1}' }])
  t.equal(store.destroyAll('ana'), 1)
  t.equal(store.destroy('a'), undefined)
  t.equal(store.close(), undefined)
})

t.test('options are checked', async (t) => {
  const INVALID = 'ERR_SESSION_OPTION_INVALID'
  const wrong: readonly [Record<string, unknown> | unknown, string][] = [
    [{ maxSessions: 0 }, INVALID],
    [{ maxSessions: 16_000_001 }, INVALID],
    [{ maxSessions: '5' }, INVALID],
    [{ maxBytes: 0 }, INVALID],
    [{ maxBytes: 1.5 }, INVALID],
    [{ pruneInterval: -1 }, INVALID],
    [{ pruneInterval: 86_401 }, INVALID],
    [{ clock: 5 }, INVALID],
    [null, INVALID],
    ['x', INVALID],
    [{ max: 5 }, 'ERR_SESSION_OPTION_UNKNOWN'],
    [{ ttl: 5 }, 'ERR_SESSION_OPTION_UNKNOWN']
  ]
  for (const [options, code] of wrong) t.throws(() => new MemoryStore(options as object), { code })
  const store = new MemoryStore({ maxSessions: 16_000_000, maxBytes: 1, pruneInterval: 86_400 })
  await store.close()
})

t.test('100 000 sessions take little more than their JSON', { timeout: 120_000 }, async (t) => {
  const loader = new URL('../helpers/strip-types.mjs', import.meta.url)
  const program = new URL('../helpers/memory-use.ts', import.meta.url)
  const { NODE_OPTIONS, NODE_V8_COVERAGE, ...env } = process.env
  const args = ['--expose-gc', '--import', loader.href, program.pathname]
  const { taken, json } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', env }))
  t.ok(json > 250, `${json} bytes of JSON`)
  t.ok(taken <= 1.3 * json + 300, `${taken} bytes for ${json} bytes of JSON`)
})

t.test('ending many sessions of one owner does not hold everybody else up', async (t) => {
  const { store, clock } = create(t)
  const count = 20_000
  for (let index = 0; index < count; index++) await store.create(String(index), newRecord({ ownerId: 'ana' }), NOW + 10)
  clock.advance(11)
  const started = performance.now()
  t.equal(store.prune(), count)
  const milliseconds = performance.now() - started
  t.ok(milliseconds < 1000, `${milliseconds} ms`)
})

function permutationsOf<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]]
  return items.flatMap((item) => permutationsOf(items.filter((other) => other !== item)).map((rest) => [item, ...rest]))
}

t.test('who listens is told of sessions that have expired, when they are removed', async (t) => {
  let now = 1_763_640_000
  const store = new MemoryStore({ pruneInterval: 0, clock: () => now * 1000 })
  const told: unknown[] = []
  const stop = store.listen(
    () => {},
    () => {},
    (...values) => told.push(values)
  )
  store.listen(() => {})
  const add = (key: string, ownerId?: string, extensions?: string): unknown => {
    const times = { createdAt: now, lastSeenAt: now, permanent: false, description: undefined }
    return store.create(key, { json: '{}', ownerId, extensions, ...times }, now + 10)
  }
  for (const key of ['found', 'pruned', 'ended', 'destroyed']) add(key, 'ana')
  add('anonymous')
  add('tombstone', undefined, ':N')
  store.commit('ended', { set: {}, unset: [] }, 0)
  store.destroy('destroyed')
  now += 11
  t.equal(store.load('found'), undefined)
  t.equal(store.prune(), 4)
  t.same(told, [
    ['found', 'ana'],
    ['anonymous', undefined],
    ['pruned', 'ana']
  ])
  stop()
  add('later')
  now += 11
  store.prune()
  t.equal(told.length, 3)
})
