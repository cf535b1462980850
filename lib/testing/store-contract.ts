import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { Method } from '../../types/method.ts'
import type { SessionChanges, SessionRecord, SessionStore } from '../../types/store.ts'

/** What a contract that came from elsewhere may be unable to keep. */
export type StoreWeakness =
  /** Steps that take place at the same time may overwrite each other, and versions mean nothing. */
  | 'atomicity'
  /** Sessions cannot be listed, ended or limited by their owner. */
  | 'owners'

/** What `testStore` needs to know of a store and of the runner. */
export interface StoreSuite {
  /** `test` of `node:test` or of `tap`, or anything else that takes a name and an asynchronous function. */
  test(name: string, run: () => Promise<void>): unknown
  /**
   * A store for one test. It may hold what earlier tests left behind. `clock` gives milliseconds since 1970 and stands still
   * until the suite moves it; a store that cannot be given a clock of its own cannot be tested for its expiry.
   */
  open(clock: () => number): SessionStore | Promise<SessionStore>
  /** Called after each test with what `open` gave. Default: its own `close`. */
  close?: Method<[store: SessionStore], unknown> | undefined
  /** What the store is known not to do. Default: nothing. Those tests are left out, and said to be. */
  without?: readonly StoreWeakness[] | undefined
}

interface Bench {
  readonly store: SessionStore
  /** The current second. */
  readonly now: number
  /** Moves the clock. */
  advance(seconds: number): void
  /** Adds a record under a new key and gives the key. */
  add(record?: Partial<SessionRecord>, expiresAt?: number): Promise<string>
  /** The data behind a key, or undefined. */
  data(key: string): Promise<unknown>
}

const START = 1_763_640_000
const HOUR = 3600

/**
 * The tests of the contract that `SessionStore` states, for any store and any runner.
 *
 * @example
 * ```ts
 * import { test } from 'node:test'
 * import { testStore } from 'fastify-typed-session/testing'
 *
 * testStore({ test, open: (clock) => new MyStore({ clock }) })
 * ```
 */
export function testStore(suite: StoreSuite): void {
  const without = suite.without ?? []
  const test = (name: string, run: (bench: Bench) => Promise<void>): void => {
    suite.test(name, () => withStore(suite, run))
  }
  const testUnless = (weakness: StoreWeakness, name: string, run: (bench: Bench) => Promise<void>): void => {
    if (without.includes(weakness)) suite.test(`left out (${weakness}): ${name}`, async () => {})
    else test(name, run)
  }

  test('a record comes back as it was created', async ({ store, now, add }) => {
    const description = '{"agent":"Firefox"}'
    const record = {
      json: '{"a":1}',
      createdAt: now - 10,
      lastSeenAt: now - 5,
      permanent: true,
      ownerId: 'ada',
      description
    }
    const key = await add(record, now + HOUR)
    assert.deepEqual(await store.load(key), { ...record, key, expiresAt: now + HOUR, version: 0 })
    const bare = await add({ ownerId: undefined, description: undefined, permanent: false })
    const loaded = await store.load(bare)
    assert.equal(loaded?.ownerId, undefined)
    assert.equal(loaded?.description, undefined)
    assert.equal(loaded?.permanent, false)
  })

  test('values come back as they were, in the order that they had', async ({ add, data, store, now }) => {
    for (const [what, value] of Object.entries(VALUES)) {
      const json = JSON.stringify({ value })
      const key = await add({ json })
      assert.equal(JSON.stringify(await data(key)), json, what)
      await store.commit(key, { set: { value: 'null', again: JSON.stringify(value) }, unset: [] }, now + HOUR)
      assert.equal(JSON.stringify(((await data(key)) as { again: unknown }).again), JSON.stringify(value), what)
    }
  })

  test('members may have any name', async ({ add, data, store, now }) => {
    const members = Object.fromEntries(NAMES.map((name, index) => [name, index]))
    const key = await add({ json: JSON.stringify(members) })
    assert.deepEqual(await data(key), members)
    const set = Object.fromEntries(NAMES.map((name) => [name, '"new"']))
    await store.commit(key, { set, unset: [] }, now + HOUR)
    assert.deepEqual(await data(key), Object.fromEntries(NAMES.map((name) => [name, 'new'])))
    await store.commit(key, { set: {}, unset: NAMES }, now + HOUR)
    assert.deepEqual(await data(key), {})
  })

  test('an unknown key is not found by any method', async ({ store, now }) => {
    const key = newKey()
    assert.equal(await store.load(key), undefined)
    assert.equal(await store.commit(key, SET_A, now + HOUR), 'gone')
    assert.equal(await store.touch(key, now + HOUR), false)
    await store.destroy(key)
    assert.equal(await store.load(key), undefined, 'and none of them made one')
  })

  test('create never overwrites', async ({ store, now, add, data }) => {
    const key = await add({ json: '{"mine":1}' })
    assert.equal(await store.create(key, newRecord({ json: '{"theirs":1}' }), now + HOUR), false)
    assert.deepEqual(await data(key), { mine: 1 })
  })

  testUnless('atomicity', 'of many who create one key at once, one does', async ({ store, now }) => {
    const key = newKey()
    const results = await Promise.all(
      range(10).map((index) => store.create(key, newRecord({ json: `{"n":${index}}` }), now + HOUR))
    )
    assert.deepEqual(
      results.filter((result) => result === true),
      [true]
    )
    assert.deepEqual(JSON.parse((await store.load(key))?.json ?? ''), { n: results.indexOf(true) })
  })

  test('a record is there at its last second and gone at the next', async ({ store, now, advance, add }) => {
    const [loaded, committed, touched] = [await add({}, now + 10), await add({}, now + 10), await add({}, now + 10)]
    advance(10)
    assert.notEqual(await store.load(loaded), undefined)
    advance(1)
    assert.equal(await store.load(loaded), undefined)
    assert.equal(await store.commit(committed, SET_A, now + HOUR), 'gone')
    assert.equal(await store.touch(touched, now + HOUR), false)
    assert.equal(await store.load(committed), undefined)
    assert.equal(await store.load(touched), undefined)
  })

  test('the key of an expired record is free', async ({ store, now, advance, add, data }) => {
    const key = await add({ json: '{"old":1}', ownerId: 'ada' }, now + 10)
    advance(11)
    assert.equal(await store.create(key, newRecord({ json: '{"new":1}' }), now + HOUR), true)
    assert.deepEqual(await data(key), { new: 1 })
    assert.equal((await store.load(key))?.version, 0)
  })

  test('a commit sets and removes members and leaves the others', async ({ store, now, add, data }) => {
    const key = await add({ json: '{"kept":[1,{"b":2}],"changed":"old","removed":true}' })
    const changes = { set: { changed: '"new"', added: '{"z":1,"a":2}' }, unset: ['removed', 'never there'] }
    assert.equal(await store.commit(key, changes, now + HOUR), 'committed')
    assert.deepEqual(await data(key), { kept: [1, { b: 2 }], changed: 'new', added: { z: 1, a: 2 } })
  })

  test('a commit moves the expiry, and what else it names', async ({ store, now, add }) => {
    const key = await add({ permanent: false, createdAt: now - 9, lastSeenAt: now - 9 }, now + 10)
    await store.commit(key, SET_A, now + 20)
    const first = await store.load(key)
    assert.deepEqual([first?.expiresAt, first?.permanent, first?.lastSeenAt], [now + 20, false, now - 9])
    await store.commit(key, { ...SET_A, permanent: true, lastSeenAt: now }, now + 20)
    const second = await store.load(key)
    assert.deepEqual([second?.permanent, second?.lastSeenAt, second?.createdAt], [true, now, now - 9])
  })

  test('an expiry in the past ends a record', async ({ store, now, add }) => {
    const [committed, touched] = [await add({ ownerId: 'ada' }), await add({ ownerId: 'ada' })]
    assert.equal(await store.commit(committed, { set: {}, unset: [] }, now - 1), 'committed')
    assert.equal(await store.touch(touched, now - 1), true)
    assert.equal(await store.load(committed), undefined)
    assert.equal(await store.load(touched), undefined)
    assert.equal(await store.commit(committed, SET_A, now + HOUR), 'gone')
  })

  testUnless('atomicity', 'every commit adds one to the version', async ({ store, now, add }) => {
    const key = await add()
    await store.commit(key, SET_A, now + HOUR)
    await store.commit(key, { set: {}, unset: [] }, now + HOUR, 1)
    await store.touch(key, now + HOUR)
    assert.equal((await store.load(key))?.version, 2)
  })

  testUnless('atomicity', 'a commit for another version writes nothing', async ({ store, now, add }) => {
    const key = await add({ json: '{"a":0}' }, now + 10)
    await store.commit(key, { set: { a: '1' }, unset: [] }, now + 10)
    const before = await store.load(key)
    const stale: SessionChanges = { set: { a: '2' }, unset: [], permanent: true, lastSeenAt: now + 5 }
    assert.equal(await store.commit(key, stale, now + HOUR, 0), 'conflict')
    assert.deepEqual(await store.load(key), before)
    assert.equal(await store.commit(key, stale, now + HOUR, 1), 'committed')
  })

  testUnless('atomicity', 'commits of different members at once are all kept', async ({ store, now, add, data }) => {
    const key = await add({ json: '{"first":0}' })
    const names = range(30).map((index) => `member${index}`)
    const commits = names.map((name) => store.commit(key, { set: { [name]: '1' }, unset: [] }, now + HOUR))
    assert.deepEqual(new Set(await Promise.all(commits)), new Set(['committed']))
    assert.deepEqual(await data(key), { first: 0, ...Object.fromEntries(names.map((name) => [name, 1])) })
    assert.equal((await store.load(key))?.version, 30)
  })

  testUnless('atomicity', 'of many commits for one version, one is made', async ({ store, now, add, data }) => {
    const key = await add({ json: '{"n":-1}' })
    const commits = range(20).map((index) => store.commit(key, { set: { n: String(index) }, unset: [] }, now + HOUR, 0))
    const results = await Promise.all(commits)
    assert.equal(results.filter((result) => result === 'committed').length, 1)
    assert.equal(results.filter((result) => result === 'conflict').length, 19)
    assert.deepEqual(await data(key), { n: results.indexOf('committed') })
  })

  test('a touch moves the expiry and no data', async ({ store, now, advance, add }) => {
    const key = await add({ json: '{"a":1}', lastSeenAt: now }, now + 10)
    advance(5)
    assert.equal(await store.touch(key, now + 15, now + 5), true)
    advance(10)
    const touched = await store.load(key)
    assert.deepEqual([touched?.json, touched?.version, touched?.lastSeenAt], ['{"a":1}', 0, now + 5])
    assert.equal(await store.touch(key, now + 16), true)
    assert.equal((await store.load(key))?.lastSeenAt, now + 5)
    advance(2)
    assert.equal(await store.load(key), undefined)
  })

  test('what was destroyed comes back by no method', async ({ store, now, add }) => {
    const key = await add({ ownerId: 'ada' })
    await store.destroy(key)
    await store.destroy(key)
    assert.equal(await store.load(key), undefined)
    assert.equal(await store.commit(key, SET_A, now + HOUR), 'gone')
    assert.equal(await store.touch(key, now + HOUR), false)
    assert.equal(await store.load(key), undefined)
  })

  testUnless('atomicity', 'a destroy among commits is final', async ({ store, now, add }) => {
    for (const _ of range(5)) {
      const key = await add()
      await Promise.all([
        ...range(5).map(() => store.commit(key, SET_A, now + HOUR)),
        store.destroy(key),
        ...range(5).map(() => store.commit(key, SET_A, now + HOUR)),
        store.touch(key, now + HOUR)
      ])
      assert.equal(await store.load(key), undefined)
    }
  })

  test('a large record comes back whole', async ({ add, data, store, now }) => {
    const text = 'ä€😀'.repeat(40_000)
    const key = await add({ json: JSON.stringify({ text }) })
    assert.deepEqual(await data(key), { text })
    await store.commit(key, SET_A, now + HOUR)
    assert.deepEqual(await data(key), { text, a: 1 })
  })

  testUnless('owners', 'list gives the live records of one owner', async ({ store, now, advance, add }) => {
    for (const ownerId of [
      'ada',
      'a',
      "o'hara; drop",
      '100%_*?[a-z]',
      '{ada}',
      'a:b:c',
      'ä€😀',
      'a\nb\tc',
      'x'.repeat(255)
    ]) {
      const mine = ownerId + newKey().slice(0, 8)
      const keys = [await add({ ownerId: mine }), await add({ ownerId: mine }), await add({ ownerId: mine })]
      await add({ ownerId: `${mine}x` })
      await add({ ownerId: undefined })
      await add({ ownerId: mine }, now - 1)
      const listed = await store.list(mine)
      assert.deepEqual(listed.map(({ key }) => key).sort(), keys.toSorted(), ownerId)
      assert.deepEqual(
        await store.load(keys[0] as string),
        listed.find(({ key }) => key === keys[0])
      )
    }
    const mine = newKey()
    const [short, long, destroyed] = [
      await add({ ownerId: mine }, now + 10),
      await add({ ownerId: mine }, now + 20),
      await add({ ownerId: mine })
    ]
    await store.destroy(destroyed)
    assert.deepEqual((await store.list(mine)).map(({ key }) => key).sort(), [short, long].sort())
    advance(11)
    assert.deepEqual(
      (await store.list(mine)).map(({ key }) => key),
      [long]
    )
    assert.deepEqual(await store.list(newKey()), [])
  })

  testUnless('owners', 'a record stays listed for as long as it lives', async ({ store, now, advance, add }) => {
    const mine = newKey()
    const [touched, committed] = [await add({ ownerId: mine }, now + 10), await add({ ownerId: mine }, now + 10)]
    await store.touch(touched, now + HOUR)
    await store.commit(committed, SET_A, now + HOUR)
    advance(HOUR)
    assert.equal((await store.list(mine)).length, 2)
    advance(1)
    assert.deepEqual(await store.list(mine), [])
  })

  testUnless('owners', 'destroyAll ends the sessions of one owner', async ({ store, now, add }) => {
    const [mine, other] = [newKey(), newKey()]
    const keys = [await add({ ownerId: mine }), await add({ ownerId: mine }), await add({ ownerId: mine })]
    const theirs = await add({ ownerId: other })
    await add({ ownerId: mine }, now - 1)
    assert.equal(await store.destroyAll(mine, keys[1]), 2)
    assert.equal(await store.load(keys[0] as string), undefined)
    assert.notEqual(await store.load(keys[1] as string), undefined)
    assert.notEqual(await store.load(theirs), undefined)
    assert.equal(await store.destroyAll(mine), 1)
    assert.deepEqual(await store.list(mine), [])
    assert.equal(await store.destroyAll(mine), 0)
    assert.equal((await store.list(other)).length, 1)
  })

  testUnless('owners', 'a limit that evicts ends the oldest', async ({ store, now, add }) => {
    const ownerId = newKey()
    const limit = { max: 2, evict: true }
    const newest = await add({ ownerId, createdAt: now - 1 })
    const oldest = await add({ ownerId, createdAt: now - 30 })
    const middle = await add({ ownerId, createdAt: now - 20 })
    const key = newKey()
    assert.equal(await store.create(key, newRecord({ ownerId, createdAt: now }), now + HOUR, limit), true)
    assert.deepEqual((await store.list(ownerId)).map(({ key }) => key).sort(), [newest, key].sort())
    assert.equal(await store.load(oldest), undefined)
    assert.equal(await store.load(middle), undefined)
  })

  testUnless('owners', 'a limit that refuses writes nothing', async ({ store, now, add }) => {
    const ownerId = newKey()
    const limit = { max: 2, evict: false }
    const first = await add({ ownerId }, now + 10)
    await add({ ownerId })
    await add({ ownerId }, now - 1)
    const key = newKey()
    assert.equal(await store.create(key, newRecord({ ownerId }), now + HOUR, limit), 'over-limit')
    assert.equal(await store.load(key), undefined)
    assert.equal((await store.list(ownerId)).length, 2)
    const replacement = { ...limit, replacing: first }
    assert.equal(await store.create(key, newRecord({ ownerId }), now + HOUR, replacement), true)
    const someone = newKey()
    assert.equal(await store.create(newKey(), newRecord({ ownerId: someone }), now + HOUR, limit), true)
  })

  testUnless('owners', 'logins at once do not get past a limit', async ({ store, now }) => {
    for (const evict of [true, false]) {
      const ownerId = newKey()
      const logins = range(20).map(() => store.create(newKey(), newRecord({ ownerId }), now + HOUR, { max: 3, evict }))
      const results = await Promise.all(logins)
      assert.equal((await store.list(ownerId)).length, 3)
      assert.equal(results.filter((result) => result === true).length, evict ? 20 : 3)
    }
  })
}

async function withStore(suite: StoreSuite, run: (bench: Bench) => Promise<void>): Promise<void> {
  let milliseconds = START * 1000 + 500
  const store = await suite.open(() => milliseconds)
  const add = async (record: Partial<SessionRecord> = {}, expiresAt = START + HOUR): Promise<string> => {
    const key = newKey()
    assert.equal(await store.create(key, newRecord(record), expiresAt), true)
    return key
  }
  try {
    await run({
      store,
      now: START,
      advance: (seconds) => {
        milliseconds += seconds * 1000
      },
      add,
      data: async (key) => JSON.parse((await store.load(key))?.json ?? 'null')
    })
  } finally {
    await (suite.close === undefined ? store.close?.() : suite.close(store))
  }
}

const SET_A: SessionChanges = { set: { a: '1' }, unset: [] }

const VALUES: Readonly<Record<string, unknown>> = {
  'the order of keys': { zebra: 1, apple: 2, b: { y: 1, x: 2 } },
  'empty things': [[], {}, '', null, false, 0],
  numbers: [1e308, 5e-324, 0.1, -1, 9007199254740991, 1e21],
  'text of every kind': ['ä€😀\u2028', '\u0000', '\ud800', '"\\/\b\f\n\r\t', "'); DROP TABLE sessions; --"],
  'JSON in a string': '{"a":[1,2]}'
}

const NAMES: readonly string[] = [
  '',
  'a.b',
  '$set',
  '%s',
  'ä😀',
  "it's",
  '"',
  '\\',
  'a b',
  '1',
  '-1',
  'json',
  'version',
  'constructor',
  '__proto__',
  '\u0000',
  '\ud800'
]

function newKey(): string {
  return randomBytes(32).toString('base64url')
}

function newRecord(record: Partial<SessionRecord> = {}): SessionRecord {
  const { json = '{}', createdAt = START, lastSeenAt = START, permanent = false, ownerId, description } = record
  return { json, createdAt, lastSeenAt, permanent, ownerId, description }
}

function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index)
}
