import assert from 'node:assert/strict'
import { range } from '../range.ts'
import type { ContractTests } from './bench.ts'
import { EXTENSIONS, HOUR, newKey, newRecord, SET_A } from './bench.ts'

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

/** Tests of `create`, `load` and `destroy`, and of the data that come back. */
export function testRecords({ test, testUnless }: ContractTests): void {
  test('a record comes back as it was created', async ({ store, now, add }) => {
    const description = '{"agent":"Firefox"}'
    const record = {
      json: '{"a":1}',
      createdAt: now - 10,
      lastSeenAt: now - 5,
      permanent: true,
      ownerId: 'ada',
      description,
      extensions: EXTENSIONS
    }
    const key = await add(record, now + HOUR)
    assert.deepEqual(await store.load(key), { ...record, key, expiresAt: now + HOUR, version: 0 })
    const bare = await add({ ownerId: undefined, description: undefined, extensions: undefined, permanent: false })
    const loaded = await store.load(bare)
    assert.equal(loaded?.ownerId, undefined)
    assert.equal(loaded?.description, undefined)
    assert.equal(loaded?.extensions || undefined, undefined)
    assert.equal(loaded?.permanent, false)
  })

  test('values come back unchanged, in their order', async ({ add, data, store, now }) => {
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

  test('no method finds or creates an unknown key', async ({ store, now }) => {
    const key = newKey()
    assert.equal(await store.load(key), undefined)
    assert.equal(await store.commit(key, SET_A, now + HOUR), 'gone')
    assert.equal(await store.touch(key, now + HOUR), false)
    await store.destroy(key)
    assert.equal(await store.load(key), undefined, 'none of these methods creates a record')
  })

  test('create never overwrites', async ({ store, now, add, data }) => {
    const key = await add({ json: '{"mine":1}' })
    assert.equal(await store.create(key, newRecord({ json: '{"theirs":1}' }), now + HOUR), false)
    assert.deepEqual(await data(key), { mine: 1 })
  })

  testUnless(['atomicity'], 'of parallel creates of one key, one succeeds', async ({ store, now }) => {
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

  test('no method brings a destroyed record back', async ({ store, now, add }) => {
    const key = await add({ ownerId: 'ada' })
    await store.destroy(key)
    await store.destroy(key)
    assert.equal(await store.load(key), undefined)
    assert.equal(await store.commit(key, SET_A, now + HOUR), 'gone')
    assert.equal(await store.touch(key, now + HOUR), false)
    assert.equal(await store.load(key), undefined)
  })

  test('a large record comes back complete', async ({ add, data, store, now }) => {
    const text = 'ä€😀'.repeat(40_000)
    const key = await add({ json: JSON.stringify({ text }) })
    assert.deepEqual(await data(key), { text })
    await store.commit(key, SET_A, now + HOUR)
    assert.deepEqual(await data(key), { text, a: 1 })
  })
}
