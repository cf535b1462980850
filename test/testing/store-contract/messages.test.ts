import t from 'tap'
import type { MemoryStore } from '../../../lib/stores/memory.ts'
import { testMessages } from '../../../lib/testing/store-contract/messages.ts'
import { broken } from './broken-store.ts'
import { checkContract } from './check-contract.ts'

const HEARS = 'who listens hears what is published, until they stop'
const MADE_ROOM = 'a store that tells who made room tells the truth'

type Listen = (store: MemoryStore, onMessage: (message: string) => void) => () => void
type Create = NonNullable<Parameters<typeof broken>[0]['create']>

const listening = (listen: Listen) => broken({ listen: async (store, onMessage) => listen(store, onMessage) })

/** Tells of somebody, whoever made room. */
const telling = (
  tell: (key: string, ownerId: string | undefined) => [string, string | undefined] | undefined
): Create => {
  return (store, key, record, expiresAt, limit, call) => {
    const evicted = (key: string, ownerId: string | undefined): void => {
      const told = tell(key, ownerId)
      if (told !== undefined) call?.evicted?.(...told)
    }
    return store.create(key, record, expiresAt, limit, call && { deadline: call.deadline, evicted })
  }
}

checkContract(t, testMessages, [
  [
    'messages are changed',
    HEARS,
    listening((store, onMessage) => store.listen((message) => onMessage(message.slice(0, 1000))))
  ],
  [
    'it goes on after the stop',
    HEARS,
    listening((store, onMessage) => {
      store.listen(onMessage)
      return () => {}
    })
  ],
  ['it tells of another one', MADE_ROOM, broken({ create: telling((_key, ownerId) => ['another', ownerId]) })],
  ['it does not tell the owner', MADE_ROOM, broken({ create: telling((key) => [key, undefined]) })],
  [
    'it tells of one that stays',
    MADE_ROOM,
    broken({
      create: (store, key, record, expiresAt, limit, call) => {
        call?.evicted?.(key, record.ownerId)
        return store.create(key, record, expiresAt, limit, call)
      }
    })
  ]
])

t.test('a store that tells nothing passes', async (t) => {
  const silent = broken({ create: telling(() => undefined) })
  const { contractTests } = await import('../../../lib/testing/store-contract/bench.ts')
  const { collect } = await import('../collect.ts')
  const open = (clock: () => number): MemoryStore => Object.assign(silent(clock), { listen: undefined })
  for (const [name, run] of collect((test) => testMessages(contractTests({ test, open }))))
    await t.resolves(run(), name)
})
