import t from 'tap'
import { MemoryStore } from '../../../lib/stores/memory.ts'
import { testNewIds } from '../../../lib/testing/race-suite/new-ids.ts'
import { by, Cached, CommitRevives, DestroysNothing } from './broken-stores.ts'
import { checkRaces } from './check-races.ts'

checkRaces(t, testNewIds, [
  ['loads come from a cache', by(Cached), 'a new id keeps what was written under the old id'],
  [
    'a commit revives',
    by(CommitRevives),
    'a request with the old id changes nothing after the new id exists',
    'a regenerated session receives no writes from the old session'
  ],
  [
    'nothing is destroyed',
    by(DestroysNothing),
    'a logout with an old id ends the login that has a new one',
    'a logout that began before a renewal and comes after it is final',
    'a logout that ends before a renewal is final'
  ],
  [
    'nothing expires',
    () => new MemoryStore({ clock: () => 0 }),
    'a request that comes with an old id stores nothing and sends no cookie'
  ]
])
