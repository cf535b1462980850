import t from 'tap'
import { testExpiry } from '../../../lib/testing/store-contract/expiry.ts'
import { broken } from './broken-store.ts'
import { checkContract } from './check-contract.ts'

checkContract(t, testExpiry, [
  [
    'expired records are served',
    'a record exists in its last second and is gone in the next',
    broken({}, () => ({ clock: () => 0 }))
  ],
  [
    'records stay for a second longer',
    'a record exists in its last second and is gone in the next',
    broken({}, (clock) => ({ clock: () => clock() - 1000 }))
  ],
  [
    'records go a second early',
    'a record exists in its last second and is gone in the next',
    broken({}, (clock) => ({ clock: () => clock() + 1000 }))
  ],
  [
    'an expired record is in the way',
    'the key of an expired record is free',
    (clock) => {
      const used = new Set<string>()
      return broken({
        create: (store, key, ...rest) => (used.has(key) ? false : store.create(used.add(key) && key, ...rest))
      })(clock)
    }
  ],
  [
    'an expiry in the past is ignored',
    'an expiry in the past ends a record',
    broken({
      commit: (store, key, changes, expiresAt, version) =>
        store.commit(key, changes, Math.max(expiresAt, 2_000_000_000), version)
    })
  ],
  [
    'a touch writes data',
    'a touch changes the expiry and no data',
    broken({
      touch: async (store, key, expiresAt) =>
        (await store.commit(key, { set: { touched: '1' }, unset: [] }, expiresAt)) === 'committed'
    })
  ],
  ['a touch does not move the expiry', 'a touch changes the expiry and no data', broken({ touch: () => true })],
  [
    'a touch forgets when somebody was seen',
    'a touch changes the expiry and no data',
    broken({ touch: (store, key, expiresAt, lastSeenAt = 0) => store.touch(key, expiresAt, lastSeenAt) })
  ]
])
