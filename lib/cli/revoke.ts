import type { SessionStore } from '../../types/store.ts'
import type { Endings } from '../endings/endings.ts'
import { EVERYTHING } from '../endings/endings.ts'
import { endEvery } from '../owners/every-session.ts'
import { HANDLE } from '../owners/sessions.ts'
import { tombstoneOf } from '../owners/tombstones.ts'
import { CliError, usageError } from './cli-error.ts'
import type { CliContext, Command, Values } from './context.ts'
import { withEndings } from './endings.ts'
import { isThere } from './is-there.ts'
import { openSealed, SECRET_OPTIONS } from './open-sealed.ts'
import { ownerSessions } from './owner-sessions.ts'
import { STORE_OPTIONS, withStore } from './with-store.ts'

/** Ends the sessions of an owner, one session, or all of them. */
export const revoke: Command = {
  options: { ...STORE_OPTIONS, ...SECRET_OPTIONS, all: { type: 'boolean' }, yes: { type: 'boolean', short: 'y' } },
  run(positionals, values, context) {
    const [one, ...others] = positionals
    if (others.length > 0 || (one === undefined) !== (values.all === true)) {
      throw usageError('revoke takes exactly one owner, one handle of a session, or --all.')
    }
    return withStore(values, context, false, async ({ store }) => {
      if (one === undefined) await assertMeant(values, context)
      context.log(
        await withEndings(store, async (endings) =>
          one === undefined
            ? endAll(store, endings)
            : end(await openSealed(store, values, context), one, context, endings)
        )
      )
      return 0
    })
  }
}

async function endAll(store: SessionStore, endings: Endings): Promise<string> {
  const count = await endEvery(store)
  endings.announce(EVERYTHING)
  return `Everybody is logged out. Removed ${count} records.`
}

/** A text that is the handle of a session, or was it a moment ago, means that session; any other is an owner. */
async function end(store: SessionStore, one: string, { clock }: CliContext, endings: Endings): Promise<string> {
  const owned = ownerSessions(store, clock, endings)
  if (HANDLE.test(one) && ((await isThere(store, one)) || (await isThere(store, tombstoneOf(one))))) {
    await owned.revoke(one)
    return 'Ended the session with this handle.'
  }
  return `Ended ${await owned.revokeAll(one)} sessions of this owner.`
}

async function assertMeant({ yes }: Values, { ask }: CliContext): Promise<void> {
  if (yes === true) return
  if (ask === undefined)
    throw usageError('revoke --all ends every session of the store. Nobody can be asked here: say --yes.')
  const answer = await ask('This ends every session and every remembered login in the store. Type "yes" to go on: ')
  if (answer.trim().toLowerCase() !== 'yes') throw new CliError('Nothing was ended.', 1)
}
