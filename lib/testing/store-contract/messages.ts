import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import type { ContractTests } from './bench.ts'
import { HOUR, newKey, newRecord } from './bench.ts'

/** Tests of what a store tells. A store that tells nothing passes them. */
export function testMessages({ test, testUnless }: ContractTests): void {
  test('who listens hears what is published, until they stop', async ({ store }) => {
    if (store.listen === undefined) return
    const heard: string[] = []
    const events = new EventEmitter()
    const stop = await store.listen(
      (message) => {
        heard.push(message)
        events.emit('heard')
      },
      assert.fail as () => never
    )
    const texts = [newKey(), `${newKey()} ä€😀 'a' "b" \\ \n`, newKey().repeat(90)]
    for (const text of texts) {
      const told = once(events, 'heard')
      await store.publish?.(text)
      await told
    }
    await stop()
    const late = newKey()
    await store.publish?.(late)
    // Others may use the same store.
    assert.deepEqual(
      heard.filter((text) => texts.includes(text)),
      texts
    )
    assert.ok(!heard.includes(late))
  })

  testUnless(['owners'], 'a store that tells who made room tells the truth', async ({ store, now, add }) => {
    const ownerId = newKey()
    const oldest = await add({ ownerId, createdAt: now - 30 })
    const told: unknown[] = []
    const evicted = (...values: unknown[]): void => void told.push(values)
    const call = { deadline: performance.now() + 60_000, evicted }
    const create = (max: number, evict: boolean): unknown =>
      store.create(newKey(), newRecord({ ownerId, createdAt: now }), now + HOUR, { max, evict }, call)
    assert.equal(await create(2, true), true)
    assert.equal(await create(2, false), 'over-limit')
    assert.deepEqual(told, [])
    assert.equal(await create(2, true), true)
    if (told.length > 0) assert.deepEqual(told, [[oldest, ownerId]])
  })
}
