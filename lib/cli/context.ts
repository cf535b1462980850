import type { ParseArgsConfig } from 'node:util'

/** What the commands need from the process. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: (text: string) => void
  readonly error: (text: string) => void
  /** Returns the time in milliseconds since 1970. */
  readonly clock: () => number
  /** Returns the whole standard input. */
  readonly readInput: () => Promise<string>
  /** Asks a question and returns the answer. Undefined if nobody sits at a terminal. */
  readonly ask: ((question: string) => Promise<string>) | undefined
}

/** The options of a command line by name, as `parseArgs` returns them. */
export type Values = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>

/** What a command of the command line is. */
export interface Command {
  readonly options: NonNullable<ParseArgsConfig['options']>
  /** Returns the exit code. */
  readonly run: (positionals: readonly string[], values: Values, context: CliContext) => number | Promise<number>
}
