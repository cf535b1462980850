import t from 'tap'
import { testDeadlines } from '../../../lib/testing/store-contract/deadlines.ts'
import type { StoreCall } from '../../../types/store.ts'
import { broken } from './broken-store.ts'
import { checkContract } from './check-contract.ts'

const WRITES_NOTHING = 'a write whose deadline has passed throws and writes nothing'

function refuseLate(call: StoreCall | undefined): void {
  if (call !== undefined && performance.now() > call.deadline) throw new Error('too late')
}

checkContract(t, testDeadlines, [
  [
    'a late create is applied',
    WRITES_NOTHING,
    broken({ create: (store, key, record, expiresAt, limit) => store.create(key, record, expiresAt, limit) })
  ],
  [
    'a late commit is applied',
    WRITES_NOTHING,
    broken({ commit: (store, key, changes, expiresAt, version) => store.commit(key, changes, expiresAt, version) })
  ],
  [
    'a late commit is applied, and throws',
    WRITES_NOTHING,
    broken({
      commit: async (store, key, changes, expiresAt, version, call) => {
        const result = await store.commit(key, changes, expiresAt, version)
        refuseLate(call)
        return result
      }
    })
  ],
  [
    'a late end by a commit is applied',
    WRITES_NOTHING,
    broken({
      commit: (store, key, changes, expiresAt, version, call) =>
        store.commit(key, changes, expiresAt, version, expiresAt < 1_763_640_000 ? undefined : call)
    })
  ],
  [
    'a late touch is applied',
    WRITES_NOTHING,
    broken({ touch: (store, key, expiresAt, lastSeenAt) => store.touch(key, expiresAt, lastSeenAt) })
  ],
  [
    'a late login evicts',
    'nothing of an owner changes after the deadline',
    broken({
      create: (store, key, record, expiresAt, limit, call) =>
        store.create(key, record, expiresAt, limit, limit && { ...call, deadline: Number.POSITIVE_INFINITY })
    })
  ],
  [
    'a late end of all is applied',
    'nothing of an owner changes after the deadline',
    broken({ destroyAll: (store, ownerId, exceptKey) => store.destroyAll(ownerId, exceptKey) })
  ],
  [
    'a late logout is refused',
    'destroy may be late',
    broken({
      destroy: (store, key, call) => {
        refuseLate(call)
        return store.destroy(key)
      }
    })
  ],
  [
    'every deadline has passed',
    'a write in time is applied',
    broken({
      commit: (store, key, changes, expiresAt, version, call) => {
        refuseLate(call && { deadline: 0 })
        return store.commit(key, changes, expiresAt, version)
      }
    })
  ],
  [
    'every deadline has passed, for all sessions of an owner',
    'all sessions of an owner end in time',
    broken({
      destroyAll: (store, ownerId, exceptKey, call) => {
        refuseLate(call && { deadline: 0 })
        return store.destroyAll(ownerId, exceptKey)
      }
    })
  ]
])
