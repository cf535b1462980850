import { parseArgs } from 'node:util'
import { isSessionError } from '../errors.ts'
import { VERSION } from '../util/version.ts'
import { CliError, usageError } from './cli-error.ts'
import type { CliContext, Command } from './context.ts'
import { inspect } from './inspect.ts'
import { migrate } from './migrate.ts'
import { printable } from './printable.ts'
import { prune } from './prune.ts'
import { revoke } from './revoke.ts'
import { secret } from './secret.ts'
import { sessions } from './sessions.ts'
import { USAGE } from './usage.ts'

const COMMANDS: Readonly<Record<string, Command>> = { secret, inspect, migrate, prune, sessions, revoke }

/**
 * Runs a command line and returns the exit code: 0; 1 for a cookie that does not open, or a store that fails; 2 for a wrong
 * command line.
 */
export async function runCli(args: readonly string[], context: CliContext): Promise<number> {
  try {
    return await run(args, context)
  } catch (error) {
    if (!isUserError(error)) throw error
    const exitCode = error instanceof CliError ? error.exitCode : 2
    context.error(printable(error.message) + (exitCode === 2 ? '\nSee fastify-typed-session --help.' : ''))
    return exitCode
  }
}

async function run(args: readonly string[], context: CliContext): Promise<number> {
  const [name, ...rest] = args
  if (asksForHelp(args)) {
    context.log(USAGE)
    return 0
  }
  if (name === '--version') {
    context.log(VERSION)
    return 0
  }
  if (name === undefined) throw usageError('A command is missing.')
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (command === undefined)
    throw usageError(`There is no command ${name}. Known are ${Object.keys(COMMANDS).join(', ')}.`)
  const { values, positionals } = parseArgs({ args: rest, allowPositionals: true, options: { ...command.options } })
  return command.run(positionals, values, context)
}

/** Behind `--` stands the name of an owner, whatever it is. */
function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return args.slice(0, end === -1 ? args.length : end).some((arg) => arg === '--help' || arg === '-h')
}

/** Also errors of parseArgs, and refused options. */
function isUserError(error: unknown): error is Error {
  if (error instanceof CliError || isSessionError(error)) return true
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_')
}
