import { once } from 'node:events'
import { createInterface } from 'node:readline/promises'
import type { CliContext } from './context.ts'

/**
 * Returns a function that asks the person at a terminal. Who leaves by Ctrl+C or Ctrl+D answers with nothing. Undefined if the input
 * is no terminal.
 */
export function question(
  input: NodeJS.ReadableStream & { readonly isTTY?: boolean },
  output: NodeJS.WritableStream
): CliContext['ask'] {
  if (input.isTTY !== true) return undefined
  return async (text) => {
    const terminal = createInterface({ input, output })
    try {
      // Only where the output is a terminal, too, does a question fail when its terminal closes. Elsewhere it never ends.
      const closed = once(terminal, 'close').then(() => '')
      return await Promise.race([terminal.question(text).catch(() => ''), closed])
    } finally {
      terminal.close()
    }
  }
}
