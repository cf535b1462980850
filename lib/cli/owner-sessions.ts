import type { SessionStore } from '../../types/store.ts'
import type { Endings } from '../endings/endings.ts'
import { RememberTokens } from '../login/remember-tokens.ts'
import { HandleAliases } from '../owners/handle-aliases.ts'
import { OwnerSessions } from '../owners/sessions.ts'
import { Tombstones } from '../owners/tombstones.ts'
import { secondsOf } from '../transport/clock.ts'
import { handleOf } from '../transport/store-record.ts'

/** A session that got a new id within this many seconds is found by its old one. Other values of `renameGrace` keep less. */
const RENAME_GRACE = 60

/** Returns `app.sessions` of a store outside of an application. What it ends is not remembered either, and `endings` hears of it. */
export function ownerSessions(store: SessionStore, clock: () => number, endings: Endings): OwnerSessions {
  const now = secondsOf(clock)
  const tombstones = new Tombstones(store, RENAME_GRACE, now)
  const sessions = new OwnerSessions(store, new HandleAliases(), endings, (key) => tombstones.successorsOf(key))
  // How long new logins are remembered, and under which ids their sessions begin: here there are none.
  const settings = { maxAge: 0, absoluteMaxAge: 0, grace: 0, now }
  sessions.join(new RememberTokens(store, settings, handleOf, (ending) => sessions.announce(ending)))
  return sessions
}
