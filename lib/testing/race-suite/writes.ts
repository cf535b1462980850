import assert from 'node:assert/strict'
import type { Races } from './races.ts'
import { setCookie } from './reply.ts'
import { IDLE } from './site.ts'

/** Requests that overlap and write data. No step of the store needs to be atomic. */
export function testWrites({ test }: Races): void {
  test('a slow request keeps the keys that other requests wrote', async ({ browser }) => {
    await browser.write({ before: 1 })
    const slow = await browser.hold('write', { set: { slow: 1 } })
    await browser.write({ quick: 1 })
    await slow.release()
    assert.deepEqual(await browser.read(), { before: 1, slow: 1, quick: 1 })
  })

  test('the last write to a key wins, with its whole value', async ({ browser }) => {
    await browser.write({ value: { by: 'nobody' } })
    const first = await browser.hold('write', { set: { value: { by: 'first', first: true } } })
    const second = await browser.hold('write', { set: { value: { by: 'second', second: true } } })
    await second.release()
    await first.release()
    assert.deepEqual(await browser.read(), { value: { by: 'first', first: true } })
  })

  test('a request that only reads overwrites nothing', async ({ browser, advance }) => {
    await browser.write({ a: 'old', b: 'old' })
    advance(IDLE / 2)
    const reader = await browser.hold('read')
    await browser.write({ a: 'new' }, ['b'])
    const reply = await reader.release()
    assert.deepEqual(reply.json(), { a: 'old', b: 'old' }, 'a request sees the data that it loaded')
    assert.notEqual(setCookie(reply), undefined, 'the request stores the activity, and nothing else')
    assert.deepEqual(await browser.read(), { a: 'new' })
  })

  test('a deletion and a write to another key both count, in either order', async ({ browser }) => {
    for (const [set, unset] of [
      [0, 1],
      [1, 0]
    ] as const) {
      await browser.write({ gone: 1, kept: 1, changed: 1 })
      const held = [
        await browser.hold('write', { set: { changed: 2 } }),
        await browser.hold('write', { unset: ['gone'] })
      ]
      await held[set]?.release()
      await held[unset]?.release()
      assert.deepEqual(await browser.read(), { kept: 1, changed: 2 })
    }
  })

  test('the last deletion or write of a key wins', async ({ browser }) => {
    await browser.write({ key: 1, kept: 1 })
    const deletion = await browser.hold('write', { unset: ['key'] })
    const write = await browser.hold('write', { set: { key: 2 } })
    await deletion.release()
    await write.release()
    assert.deepEqual(await browser.read(), { key: 2, kept: 1 })
    const laterDeletion = await browser.hold('write', { unset: ['key'] })
    await browser.write({ key: 3 })
    await laterDeletion.release()
    assert.deepEqual(await browser.read(), { kept: 1 })
  })

  test('a request that deletes the last key it knows keeps the keys that others wrote', async ({ browser }) => {
    await browser.write({ last: 1 })
    const before = browser.copy()
    const slow = await browser.hold('write', { unset: ['last'] })
    await browser.write({ added: 1 })
    await slow.release()
    assert.deepEqual(await before.read(), { added: 1 })
    assert.deepEqual(await browser.read(), { added: 1 }, 'the browser still has its cookie')
  })
}
