import assert from 'node:assert/strict'
import type { ContractTests } from './bench.ts'
import { HOUR, newRecord, SET_A } from './bench.ts'

/** Tests of when records expire, and of `touch`. */
export function testExpiry({ test }: ContractTests): void {
  test('a record exists in its last second and is gone in the next', async ({ store, now, advance, add }) => {
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

  test('an expiry in the past ends a record', async ({ store, now, add }) => {
    const [committed, touched] = [await add({ ownerId: 'ada' }), await add({ ownerId: 'ada' })]
    assert.equal(await store.commit(committed, { set: {}, unset: [] }, now - 1), 'committed')
    assert.equal(await store.touch(touched, now - 1), true)
    assert.equal(await store.load(committed), undefined)
    assert.equal(await store.load(touched), undefined)
    assert.equal(await store.commit(committed, SET_A, now + HOUR), 'gone')
  })

  test('a touch changes the expiry and no data', async ({ store, now, advance, add }) => {
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
}
