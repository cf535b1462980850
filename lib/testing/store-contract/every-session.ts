import assert from 'node:assert/strict'
import type { SessionStore, StoredRecord } from '../../../types/store.ts'
import { NO_SESSION } from '../../data/no-session.ts'
import { countEvery, endEvery } from '../../owners/every-session.ts'
import { range } from '../range.ts'
import type { Bench, ContractTests } from './bench.ts'
import { EXTENSIONS, HOUR, newKey, newRecord, SET_A } from './bench.ts'

const MANY = 25
/** No walk through what the tests have added takes so many steps. */
const TOO_MANY_STEPS = 100_000

/** Tests of `count`, `entries` and `destroyEverything`. A store that has none of them passes. */
export function testEverySession({ testUnless }: ContractTests): void {
  testUnless(['owners'], 'count counts the live sessions and nothing else', async ({ store, now, advance, add }) => {
    if (store.count === undefined) return
    // What other tests have added has expired by then.
    advance(2 * HOUR)
    const then = now + 2 * HOUR
    const before = await countEvery(store)
    for (const ownerId of ['ada', undefined]) {
      await add({ ownerId }, then + HOUR)
      await add({ ownerId, extensions: EXTENSIONS }, then + HOUR)
      await add({ ownerId }, then + 10)
      await add({ ownerId }, then - 1)
      await add({ ownerId, extensions: NO_SESSION }, then + HOUR)
      await store.destroy(await add({ ownerId }, then + HOUR))
    }
    assert.equal(await countEvery(store), before + 6)
    advance(11)
    assert.equal(await countEvery(store), before + 4)
  })

  testUnless(['owners'], 'entries returns every live session, in parts', async (bench) => {
    const { store, now, add } = bench
    if (store.entries === undefined) return
    const keys = new Set<string>()
    for (const number of range(MANY)) {
      const ownerId = number % 2 === 0 ? `ada${number}` : undefined
      keys.add(await add({ ownerId, json: `{"n":${number}}`, description: '{"a":1}', extensions: EXTENSIONS }))
      await add({ ownerId, extensions: NO_SESSION })
      await add({ ownerId }, now - 1)
    }
    const [first = ''] = keys
    await store.commit(first, SET_A, now + HOUR)
    const { found, next } = await store.entries(undefined, 2)
    assert.ok(found.length < MANY && next !== undefined, 'a step returns about as many as asked for')
    for (const limit of [1, 10, 1000]) {
      const all = await entriesOf(store, limit)
      for (const key of keys) assert.deepEqual(all.get(key), await store.load(key))
      for (const record of all.values()) assert.ok(record.extensions !== NO_SESSION && record.expiresAt >= now)
    }
  })

  testUnless(['owners'], 'entries goes on where it was, whatever begins and ends', async ({ store, now, add }) => {
    if (store.entries === undefined) return
    const keys = new Set<string>()
    for (const number of range(MANY)) keys.add(await add({ ownerId: number % 2 === 0 ? 'ada' : undefined }))
    const all = await entriesOf(store, 3, async (records) => {
      for (const { key } of records) await store.destroy(key)
      // Those that are still to come are used, which may change their order.
      for (const key of keys) await store.touch(key, now + HOUR)
      await add()
    })
    for (const key of keys) assert.ok(all.has(key))
  })

  testUnless(['owners'], 'destroyEverything ends whatever the store has', async ({ store, now, add }) => {
    if (store.destroyEverything === undefined) return
    const ownerId = newKey()
    const keys = [
      await add({ ownerId }),
      await add(),
      await add({ ownerId, extensions: NO_SESSION }),
      await add({ extensions: NO_SESSION })
    ]
    assert.ok((await endEvery(store)) >= keys.length)
    for (const key of keys) {
      assert.equal(await store.load(key), undefined)
      assert.equal(await store.commit(key, SET_A, now + HOUR), 'gone')
    }
    assert.deepEqual(await store.list(ownerId), [])
    assert.equal((await store.destroyEverything(undefined)).found, 0)
    const [key = ''] = keys
    const limit = { max: 1, evict: false }
    assert.equal(await store.create(key, newRecord({ ownerId }), now + HOUR, limit), true, 'the keys are free')
    assert.equal((await store.list(ownerId)).length, 1)
  })
}

/** Walks through all sessions. `meanwhile`: what happens after each step, which gets what it found. */
async function entriesOf(
  store: Bench['store'],
  limit: number,
  meanwhile: (found: readonly StoredRecord[]) => Promise<void> = async () => {}
): Promise<Map<string, StoredRecord>> {
  const { entries } = store as Required<Pick<SessionStore, 'entries'>>
  const all = new Map<string, StoredRecord>()
  let [cursor, steps]: [string | undefined, number] = [undefined, 0]
  do {
    const { found, next }: Awaited<ReturnType<typeof entries>> = await entries.call(store, cursor, limit)
    for (const record of found) all.set(record.key, record)
    assert.ok(++steps < TOO_MANY_STEPS, 'a walk comes to its end')
    await meanwhile(found)
    cursor = next
  } while (cursor !== undefined)
  return all
}
