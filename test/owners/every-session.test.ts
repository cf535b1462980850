import t from 'tap'
import { countEvery, endEvery, pageOf } from '../../lib/owners/every-session.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import type { SessionStore, StoreStep } from '../../types/store.ts'

/** A store whose method `name` returns one step after the other, and the cursors that it got. */
function stepping<Found>(
  name: 'count' | 'entries' | 'destroyEverything',
  steps: readonly StoreStep<Found>[]
): { store: SessionStore; calls: unknown[][] } {
  const calls: unknown[][] = []
  const step = async (...values: unknown[]): Promise<unknown> => steps[calls.push(values) - 1]
  return { calls, store: Object.assign(new MemoryStore({ pruneInterval: 0 }), { [name]: step }) as SessionStore }
}

t.test('the sessions of all steps count', async (t) => {
  const { store, calls } = stepping('count', [
    { found: 2, next: 'a' },
    { found: 0, next: 'b' },
    { found: 3, next: undefined }
  ])
  t.equal(await countEvery(store), 5)
  t.same(calls, [[undefined], ['a'], ['b']])
})

t.test('only the last page is empty', async (t) => {
  const { store, calls } = stepping<unknown[]>('entries', [
    { found: [], next: 'b' },
    { found: [1], next: 'c' },
    { found: [], next: undefined }
  ])
  t.same(await pageOf(store, 'a', 7), { found: [1], next: 'c' })
  t.same(await pageOf(store, 'c'), { found: [], next: undefined })
  t.same(calls, [
    ['a', 7],
    ['b', 7],
    ['c', 100]
  ])
})

t.test('a limit is a whole number, and a cursor what a store may have returned', async (t) => {
  const store = new MemoryStore({ pruneInterval: 0 })
  const code = 'ERR_SESSION_VALUE'
  for (const limit of [0, 1001, 1.5, '5', Number.NaN]) {
    const got = limit === '5' ? 'a string' : limit
    const message = `entries() takes as limit a whole number from 1 to 1000; it got ${got}.`
    await t.rejects(pageOf(store, undefined, limit as number), { code, message })
  }
  for (const cursor of ['', 'ä', "'", 'a b', 'a'.repeat(201), 5, null]) {
    await t.rejects(pageOf(store, cursor as string), { code, statusCode: 400, message: /for the first page none/ })
  }
  for (const cursor of ['5', 'A'.repeat(43), '12@[::1]:6379', 'x']) {
    t.same(await pageOf(store, cursor, 1000), { found: [], next: undefined })
  }
})

t.test('what appears behind a step ends in the next pass, until a pass finds nothing', async (t) => {
  const { store, calls } = stepping('destroyEverything', [
    { found: 5, next: 'a' },
    { found: 1, next: undefined },
    { found: 2, next: undefined },
    { found: 0, next: 'a' },
    { found: 0, next: undefined }
  ])
  t.equal(await endEvery(store), 8)
  t.same(calls, [[undefined], ['a'], [undefined], [undefined], ['a']])
})

t.test('it does not go on for ever', async (t) => {
  const { store, calls } = stepping('destroyEverything', Array(20).fill({ found: 1, next: undefined }))
  t.equal(await endEvery(store), 10)
  t.equal(calls.length, 10)
})

t.test('a store that cannot is refused', async (t) => {
  const { store } = stepping('count', [])
  const lacking = Object.assign(store, { count: undefined, entries: undefined, destroyEverything: undefined })
  const refusal = (method: string, name: string) => ({
    code: 'ERR_SESSION_STORE_REQUIRED',
    message: `${method}() needs a store that can go through all of its sessions: this one has no method ${name}().`
  })
  await t.rejects(countEvery(lacking), refusal('count', 'count'))
  await t.rejects(pageOf(lacking, undefined), refusal('entries', 'entries'))
  await t.rejects(endEvery(lacking), refusal('revokeEverything', 'destroyEverything'))
})
