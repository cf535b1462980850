import type { OwnedSession } from '../../types/sessions.ts'
import type { SessionStore } from '../../types/store.ts'
import type { OwnerSessions } from '../owners/sessions.ts'
import { align } from './align.ts'
import { usageError } from './cli-error.ts'
import type { CliContext, Command } from './context.ts'
import { withEndings } from './endings.ts'
import { openSealed, SECRET_OPTIONS } from './open-sealed.ts'
import { ownerSessions } from './owner-sessions.ts'
import { printable } from './printable.ts'
import { showTime } from './show-time.ts'
import { STORE_OPTIONS, withStore } from './with-store.ts'

const HEADINGS = ['handle', 'last active', 'created', 'expires', 'description']
/** How many sessions are printed at a time. */
const PAGE = 1000

/** Lists the sessions of an owner, or of everybody; or counts them all. */
export const sessions: Command = {
  options: { ...STORE_OPTIONS, ...SECRET_OPTIONS, all: { type: 'boolean' }, count: { type: 'boolean' } },
  run(positionals, values, context) {
    const ways = [...positionals, ...['all', 'count'].filter((name) => values[name] === true)]
    if (ways.length !== 1) throw usageError('sessions takes exactly one owner, --all, or --count.')
    const [owner] = positionals
    return withStore(values, context, false, async ({ store }) => {
      await withSessions(await openSealed(store, values, context), context, async (owned) => {
        if (values.count === true) context.log(String(await owned.count()))
        else if (owner === undefined) await listEvery(owned, context)
        else await listOf(owned, owner, context)
      })
      return 0
    })
  }
}

async function listOf(owned: OwnerSessions, owner: string, context: CliContext): Promise<void> {
  const rows = (await owned.list(owner)).map((session) => rowOf(session, context))
  context.log(rows.length === 0 ? 'This owner has no sessions.' : align([HEADINGS, ...rows]))
}

async function listEvery(owned: OwnerSessions, context: CliContext): Promise<void> {
  let cursor: string | undefined
  do {
    const page = await owned.entries({ cursor, limit: PAGE })
    const rows = page.entries.map((entry) => [printable(entry.ownerId ?? ''), ...rowOf(entry, context)])
    const heading = cursor === undefined ? [['owner', ...HEADINGS]] : []
    if (rows.length > 0) context.log(align([...heading, ...rows]))
    else if (cursor === undefined) context.log('There are no sessions.')
    cursor = page.cursor
  } while (cursor !== undefined)
}

function rowOf(session: OwnedSession, { clock }: CliContext): string[] {
  const now = Math.floor(clock() / 1000)
  const time = (date: Date): string => showTime(date.getTime() / 1000, now)
  const { handle, lastSeenAt, createdAt, expiresAt, description } = session
  const texts = [printable(handle), time(lastSeenAt), time(createdAt), time(expiresAt)]
  return [...texts, printable(JSON.stringify(description))]
}

function withSessions(
  store: SessionStore,
  { clock }: CliContext,
  use: (owned: OwnerSessions) => Promise<void>
): Promise<void> {
  return withEndings(store, (endings) => use(ownerSessions(store, clock, endings)))
}
