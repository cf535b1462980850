import { usageError } from './cli-error.ts'
import type { Command } from './context.ts'
import { STORE_OPTIONS, withStore } from './with-store.ts'

/** Removes expired sessions. */
export const prune: Command = {
  options: STORE_OPTIONS,
  run(positionals, values, context) {
    if (positionals.length > 0) throw usageError('prune takes no argument.')
    return withStore(values, context, false, async ({ prune: run }) => {
      context.log(run === undefined ? 'Redis removes expired sessions itself.' : `Removed ${await run()} expired.`)
      return 0
    })
  }
}
