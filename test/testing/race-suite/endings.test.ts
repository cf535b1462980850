import t from 'tap'
import { MemoryStore } from '../../../lib/stores/memory.ts'
import { testEndings } from '../../../lib/testing/race-suite/endings.ts'
import { racesOf } from '../../../lib/testing/race-suite/races.ts'
import type { SessionStore } from '../../../types/store.ts'
import { collect } from '../collect.ts'
import {
  AlwaysCommits,
  by,
  CommitRevives,
  DestroysNothing,
  MissesTheDead,
  SparesAll,
  TouchRevives
} from './broken-stores.ts'
import { checkRaces } from './check-races.ts'

const EVERYTHING = 'no change of id revives a session that revokeEverything() has ended'

checkRaces(t, testEndings, [
  ['a touch revives', by(TouchRevives), 'a slow reader does not revive a destroyed session'],
  ['a commit revives', by(CommitRevives), 'a slow writer does not revive a destroyed session'],
  [
    'a commit always reports success',
    by(AlwaysCommits),
    'a slow writer does not revive a destroyed session',
    'no change of id revives a destroyed session',
    'no change of id revives a session that revoke() has ended',
    'no change of id revives a session that revokeAll() has ended',
    EVERYTHING
  ],
  [
    'nothing is destroyed',
    by(DestroysNothing),
    'a login that was ended is not confirmed',
    'a logout is over when its handler goes on',
    'a slow body does not pass a guard after the end of its session'
  ],
  ['destroying nothing is an error', by(MissesTheDead), 'a session that is destroyed twice at once is destroyed'],
  ['nothing expires', () => new MemoryStore({ clock: () => 0 }), 'a session that expires during a request is gone'],
  ['destroyAll does nothing', by(SparesAll), 'a session that its owner ended elsewhere stays ended']
])

function run(destroyEverything: unknown): Promise<void> {
  const open = (clock: () => number, other?: SessionStore): SessionStore =>
    other ?? Object.assign(new MemoryStore({ clock }), { destroyEverything })
  const tests = collect((test) => testEndings(racesOf({ test, open })))
  return tests.get(EVERYTHING)?.() as Promise<void>
}

t.test('a store need not be able to end everything, but must not fail', async (t) => {
  await t.resolves(run(undefined))
  await t.rejects(
    run(() => {
      throw new Error('down')
    }),
    { code: 'ERR_SESSION_STORE_UNAVAILABLE' }
  )
})
