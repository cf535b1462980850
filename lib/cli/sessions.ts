import { align } from './align.ts'
import { usageError } from './cli-error.ts'
import type { Command } from './context.ts'
import { withEndings } from './endings.ts'
import { ownerSessions } from './owner-sessions.ts'
import { printable } from './printable.ts'
import { showTime } from './show-time.ts'
import { STORE_OPTIONS, withStore } from './with-store.ts'

const HEADINGS = ['handle', 'last active', 'created', 'expires', 'description']

/** Lists the sessions of an owner. */
export const sessions: Command = {
  options: STORE_OPTIONS,
  run(positionals, values, context) {
    const [owner, ...others] = positionals
    if (owner === undefined || others.length > 0) throw usageError('sessions takes exactly one owner.')
    const now = Math.floor(context.clock() / 1000)
    const time = (date: Date): string => showTime(date.getTime() / 1000, now)
    return withStore(values, context, false, async ({ store }) => {
      const list = await withEndings(store, (endings) => ownerSessions(store, context.clock, endings).list(owner))
      const rows = list.map(({ handle, lastSeenAt, createdAt, expiresAt, description }) => [
        printable(handle),
        time(lastSeenAt),
        time(createdAt),
        time(expiresAt),
        printable(JSON.stringify(description))
      ])
      context.log(rows.length === 0 ? 'This owner has no sessions.' : align([HEADINGS, ...rows]))
      return 0
    })
  }
}
