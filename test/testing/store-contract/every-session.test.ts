import t from 'tap'
import { NO_SESSION } from '../../../lib/data/no-session.ts'
import { MemoryStore } from '../../../lib/stores/memory.ts'
import { testEverySession } from '../../../lib/testing/store-contract/every-session.ts'
import type { StoredRecord, StoreStep } from '../../../types/store.ts'
import { collect } from '../collect.ts'
import { broken } from './broken-store.ts'
import { checkContract } from './check-contract.ts'

type Page = StoreStep<StoredRecord[]>

const COUNT = 'count counts the live sessions and nothing else'
const ENTRIES = 'entries returns every live session, in parts'
const GOES_ON = 'entries goes on where it was, whatever begins and ends'
const DESTROY = 'destroyEverything ends whatever the store has'

checkContract(t, testEverySession, [
  [
    'what is kept beside sessions counts',
    COUNT,
    (clock) => {
      let others = 0
      return broken({
        create: (store, key, record, expiresAt) => {
          if (record.extensions === NO_SESSION) others++
          return store.create(key, record, expiresAt)
        },
        count: async (store) => ({ found: ((await store.count()).found as number) + others, next: undefined })
      })(clock)
    }
  ],
  ['expired ones count', COUNT, () => new MemoryStore({ clock: () => 0 })],
  ['a limit means nothing', ENTRIES, broken({ entries: (store, cursor) => store.entries(cursor, 1000) })],
  [
    'there is one page',
    ENTRIES,
    broken({
      entries: async (store, _cursor, limit) => ({ ...(await store.entries(undefined, limit)), next: undefined })
    })
  ],
  ['a walk does not end', ENTRIES, broken({ entries: (store) => ({ ...store.entries(undefined, 1), next: 'x' }) })],
  [
    'what is kept beside sessions is listed',
    ENTRIES,
    (clock) => {
      const others: string[] = []
      return broken({
        create: (store, key, record, expiresAt) => {
          if (record.extensions === NO_SESSION) others.push(key)
          return store.create(key, record, expiresAt)
        },
        entries: async (store, cursor, limit) => {
          const { found, next } = (await store.entries(cursor, limit)) as Page
          return { found: [...found, ...others.splice(0).map((key) => store.load(key) as StoredRecord)], next }
        }
      })(clock)
    }
  ],
  [
    'entries are not what is loaded',
    ENTRIES,
    broken({
      entries: async (store, cursor, limit) => {
        const { found, next } = (await store.entries(cursor, limit)) as Page
        return { found: found.map((record) => ({ ...record, version: 9 })), next }
      }
    })
  ],
  [
    'a cursor is a number of sessions',
    GOES_ON,
    broken({
      entries: async (store, cursor, limit) => {
        const { found } = (await store.entries(undefined, 1000)) as Page
        const [start, end] = [Number(cursor ?? 0), Number(cursor ?? 0) + limit]
        return { found: found.slice(start, end), next: end < found.length ? String(end) : undefined }
      }
    })
  ],
  [
    'what is kept beside sessions stays',
    DESTROY,
    broken({
      destroyEverything: async (store, cursor) => {
        const { found } = (await store.entries(cursor, 1000)) as Page
        for (const { key } of found) await store.destroy(key)
        return { found: found.length, next: undefined }
      }
    })
  ],
  ['nothing ends', DESTROY, broken({ destroyEverything: () => ({ found: 0, next: undefined }) })]
])

t.test('a store that has none of the methods passes', async (t) => {
  const open = (clock: () => number): MemoryStore =>
    Object.assign(broken({})(clock), { count: undefined, entries: undefined, destroyEverything: undefined })
  const { contractTests } = await import('../../../lib/testing/store-contract/bench.ts')
  for (const [name, run] of collect((test) => testEverySession(contractTests({ test, open })))) {
    await t.resolves(run(), name)
  }
})
