import assert from 'node:assert/strict'
import { range } from '../range.ts'
import type { ContractTests } from './bench.ts'
import { EXTENSIONS, HOUR, newKey, newRecord, SET_A } from './bench.ts'

/** Tests of the sessions of an owner: `list`, `destroyAll`, and the limit that `create` enforces. */
export function testOwners({ testUnless }: ContractTests): void {
  testUnless(['owners'], 'list returns the live records of one owner', async ({ store, now, advance, add }) => {
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
      const first = await add({ ownerId: mine, extensions: EXTENSIONS })
      const keys = [first, await add({ ownerId: mine }), await add({ ownerId: mine })]
      await add({ ownerId: `${mine}x` })
      await add({ ownerId: undefined })
      await add({ ownerId: mine }, now - 1)
      const listed = await store.list(mine)
      assert.deepEqual(listed.map(({ key }) => key).sort(), keys.toSorted(), ownerId)
      assert.deepEqual(
        await store.load(first),
        listed.find(({ key }) => key === first)
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

  testUnless(['owners'], 'a record stays listed until it expires', async ({ store, now, advance, add }) => {
    const mine = newKey()
    const [touched, committed] = [await add({ ownerId: mine }, now + 10), await add({ ownerId: mine }, now + 10)]
    await store.touch(touched, now + HOUR)
    await store.commit(committed, SET_A, now + HOUR)
    advance(HOUR)
    assert.equal((await store.list(mine)).length, 2)
    advance(1)
    assert.deepEqual(await store.list(mine), [])
  })

  testUnless(['owners'], 'destroyAll ends the sessions of one owner', async ({ store, now, add }) => {
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

  testUnless(['owners'], 'a limit that evicts ends the oldest', async ({ store, now, add }) => {
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

  testUnless(['owners'], 'a limit that refuses writes nothing', async ({ store, now, add }) => {
    const ownerId = newKey()
    const limit = { max: 2, evict: false }
    const first = await add({ ownerId }, now + 10)
    await add({ ownerId })
    await add({ ownerId }, now - 1)
    const key = newKey()
    assert.equal(await store.create(key, newRecord({ ownerId }), now + HOUR, limit), 'over-limit')
    assert.equal(await store.load(key), undefined)
    assert.equal((await store.list(ownerId)).length, 2)
    const call = { deadline: performance.now() + 60_000, replacing: first }
    assert.equal(await store.create(key, newRecord({ ownerId }), now + HOUR, limit, call), true)
    const someone = newKey()
    assert.equal(await store.create(newKey(), newRecord({ ownerId: someone }), now + HOUR, limit), true)
  })

  testUnless(['owners'], 'parallel logins do not exceed a limit', async ({ store, now }) => {
    for (const evict of [true, false]) {
      const ownerId = newKey()
      const logins = range(20).map(() => store.create(newKey(), newRecord({ ownerId }), now + HOUR, { max: 3, evict }))
      const results = await Promise.all(logins)
      assert.equal((await store.list(ownerId)).length, 3)
      assert.equal(results.filter((result) => result === true).length, evict ? 20 : 3)
    }
  })
}
