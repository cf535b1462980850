import { randomBytes } from 'node:crypto'
import { usageError } from './cli-error.ts'
import type { Command } from './context.ts'

export const SECRET_BYTES = 32

/** Prints a new key. */
export const secret: Command = {
  options: { format: { type: 'string' } },
  run(positionals, { format = 'hex' }, { log }) {
    if (positionals.length > 0) throw usageError('secret takes no argument.')
    if (format !== 'hex' && format !== 'base64url') throw usageError('--format must be hex or base64url.')
    log(randomBytes(SECRET_BYTES).toString(format))
    return 0
  }
}
