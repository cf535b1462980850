import { createInterface } from 'node:readline/promises'
import type { CliContext } from './context.ts'

/** Returns a function that asks the person at a terminal. Undefined if the input is no terminal. */
export function question(
  input: NodeJS.ReadableStream & { readonly isTTY?: boolean },
  output: NodeJS.WritableStream
): CliContext['ask'] {
  if (input.isTTY !== true) return undefined
  return async (text) => {
    const terminal = createInterface({ input, output })
    try {
      return await terminal.question(text)
    } finally {
      terminal.close()
    }
  }
}
