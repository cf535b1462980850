import assert from 'node:assert/strict'
import type { StoreCall } from '../../../types/store.ts'
import type { ContractTests } from './bench.ts'
import { HOUR, newKey, newRecord, SET_A } from './bench.ts'

/** A call whose time is over. */
function over(): StoreCall {
  return { deadline: performance.now() - 1 }
}

/** A call that has time. */
function inTime(): StoreCall {
  return { deadline: performance.now() + 10_000 }
}

/** Tests of the deadline of a call. */
export function testDeadlines({ test, testUnless }: ContractTests): void {
  test('a write whose deadline has passed throws and writes nothing', async ({ store, now, add }) => {
    const [free, key] = [newKey(), await add({ json: '{"a":0}' })]
    const before = await store.load(key)
    await assert.rejects(async () => store.create(free, newRecord(), now + HOUR, undefined, over()))
    await assert.rejects(async () => store.commit(key, SET_A, now + 2 * HOUR, undefined, over()))
    await assert.rejects(async () => store.commit(key, SET_A, now - 1, undefined, over()))
    await assert.rejects(async () => store.touch(key, now + 2 * HOUR, now + 1, over()))
    assert.equal(await store.load(free), undefined)
    assert.deepEqual(await store.load(key), before)
  })

  testUnless(['owners'], 'nothing of an owner changes after the deadline', async ({ store, now, add }) => {
    const ownerId = newKey()
    const keys = [await add({ ownerId }), await add({ ownerId })].sort()
    const limit = { max: 1, evict: true }
    await assert.rejects(async () => store.create(newKey(), newRecord({ ownerId }), now + HOUR, limit, over()))
    await assert.rejects(async () => store.destroyAll(ownerId, undefined, over()))
    assert.deepEqual((await store.list(ownerId)).map(({ key }) => key).sort(), keys)
  })

  test('destroy may be late', async ({ store, add }) => {
    const key = await add()
    await store.destroy(key, over())
    assert.equal(await store.load(key), undefined)
  })

  test('a write in time is applied', async ({ store, now, data }) => {
    const key = newKey()
    assert.equal(await store.create(key, newRecord(), now + HOUR, undefined, inTime()), true)
    assert.equal(await store.commit(key, SET_A, now + HOUR, 0, inTime()), 'committed')
    assert.equal(await store.touch(key, now + 2 * HOUR, now, inTime()), true)
    assert.deepEqual(await data(key), { a: 1 })
    assert.equal((await store.load(key))?.expiresAt, now + 2 * HOUR)
    await store.destroy(key, inTime())
    assert.equal(await store.load(key), undefined)
  })

  testUnless(['owners'], 'all sessions of an owner end in time', async ({ store, now, add }) => {
    const ownerId = newKey()
    await add({ ownerId })
    const limit = { max: 1, evict: true }
    const key = newKey()
    assert.equal(await store.create(key, newRecord({ ownerId }), now + HOUR, limit, inTime()), true)
    assert.deepEqual(
      (await store.list(ownerId)).map(({ key }) => key),
      [key]
    )
    assert.equal(await store.destroyAll(ownerId, undefined, inTime()), 1)
    assert.deepEqual(await store.list(ownerId), [])
  })
}
