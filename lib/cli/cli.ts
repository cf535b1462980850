import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { MAX_COOKIE_BYTES } from '../cookie/attributes.ts'
import { loadXChaCha } from '../crypto/xchacha.ts'
import { measureKeys } from '../data/storable.ts'
import type { CookieReport } from '../diagnostics/inspect-cookie.ts'
import { inspectCookie, parseCookie } from '../diagnostics/inspect-cookie.ts'
import { resolveOptions } from '../options.ts'

const SECRET_BYTES = 32

const USAGE = `Usage:
  fastify-typed-session secret [--format hex|base64url]
      Prints a new key: ${SECRET_BYTES} random bytes, as 64 hexadecimal or 43 base64url characters.

  fastify-typed-session inspect <cookie> [--name session] [--idle-timeout 86400] [--absolute-timeout 2592000]
      Shows what a cookie holds, its times and its sizes. The cookie is a value, name=value, or a complete Set-Cookie header.
      With SESSION_SECRET in the environment it also says whether the cookie opens, and why if it does not.
      It reads encrypted cookies only with SESSION_SECRET. For a session in a store it shows the key of the session there.
`

const OPENS: Readonly<Record<string, string>> = {
  valid: 'yes',
  unchecked: 'not checked: set SESSION_SECRET to the key of the server'
}

class UsageError extends Error {}

/** What the commands need from the process: its environment, its output, and the time in milliseconds since 1970. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: (text: string) => void
  readonly error: (text: string) => void
  readonly clock: () => number
}

/** Runs a command line and returns the exit code: 0; 1 for a cookie that does not open; 2 for a wrong command line. */
export async function runCli(args: string[], context: CliContext): Promise<number> {
  try {
    return await run(args, context)
  } catch (error) {
    if (!isUserError(error)) throw error
    context.error(`${printable(error.message)}\n\n${USAGE}`)
    return 2
  }
}

async function run(args: string[], context: CliContext): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      format: { type: 'string' },
      name: { type: 'string' },
      'idle-timeout': { type: 'string' },
      'absolute-timeout': { type: 'string' },
      help: { type: 'boolean', short: 'h' }
    }
  })
  const [command, ...rest] = positionals
  if (values.help === true) {
    context.log(USAGE)
    return 0
  }
  if (command === 'secret' && rest.length === 0) {
    const { format, ...others } = values
    refuseOptions(command, others)
    context.log(createSecret(format ?? 'hex'))
    return 0
  }
  if (command === 'inspect' && rest.length === 1) {
    const { format, ...options } = values
    if (format !== undefined) refuseOptions(command, { format })
    return inspect(rest[0] as string, options, context)
  }
  if (command === 'inspect') throw new UsageError('inspect takes exactly one cookie.')
  throw new UsageError(command === undefined ? 'A command is missing.' : `Unknown command: ${positionals.join(' ')}`)
}

function createSecret(format: string): string {
  if (format !== 'hex' && format !== 'base64url') throw new UsageError('--format must be hex or base64url.')
  return randomBytes(SECRET_BYTES).toString(format)
}

interface InspectOptions {
  name?: string | undefined
  'idle-timeout'?: string | undefined
  'absolute-timeout'?: string | undefined
}

async function inspect(cookie: string, options: InspectOptions, { env, log, clock }: CliContext): Promise<number> {
  const { name, value } = parseCookie(cookie, options.name ?? 'session')
  const secret = env.SESSION_SECRET
  const settings = resolveOptions({
    // A random secret if there is none: it checks no cookie, but the plugin's checks and defaults of the timeouts need one.
    secret: secret || randomBytes(SECRET_BYTES),
    ...toSeconds('idleTimeout', options['idle-timeout']),
    ...toSeconds('absoluteTimeout', options['absolute-timeout'])
  })
  const now = Math.floor(clock() / 1000)
  const secrets = secret ? settings.secrets : []
  const cipher = secret ? await loadXChaCha() : undefined
  const report = inspectCookie(name, value, secrets, settings, now, cipher)
  log(format(report, now))
  return report.verdict === 'valid' || report.verdict === 'unchecked' ? 0 : 1
}

function format(
  { name, bytes, mode, keyId, lastSeenAt, verdict, record, storeKey }: CookieReport,
  now: number
): string {
  const rows: [string, string][] = [
    ['cookie', `${printable(name)}, ${bytes} of ${MAX_COOKIE_BYTES} bytes`],
    ['mode', mode],
    ['opens', OPENS[verdict] ?? `no: ${verdict}`]
  ]
  if (keyId !== undefined) rows.push(['key id', printable(keyId)])
  if (lastSeenAt !== undefined) rows.push(['last active', time(lastSeenAt, now)])
  if (storeKey !== undefined) rows.push(['store key', storeKey])
  if (record !== undefined) {
    rows.push(['created', time(record.createdAt, now)], ['id', printable(record.id)])
    if (record.ownerId !== undefined) rows.push(['owner', printable(record.ownerId)])
    rows.push(['permanent', record.permanent ? 'yes' : 'no'])
    for (const [key, size] of Object.entries(measureKeys(record.json)))
      rows.push([`  ${printable(key)}`, `${size} bytes`])
    rows.push(['data', JSON.stringify(record.data, null, 2).split('\n').map(printable).join('\n')])
  }
  return rows.map(([label, text]) => `${label.padEnd(12)} ${text}`).join('\n')
}

/**
 * Escapes characters as JSON does: a forged cookie must not send commands to the terminal, nor change the order in which the
 * terminal shows other text.
 */
function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (characters) =>
    Array.from({ length: characters.length }, (_, index) => escaped(characters.charCodeAt(index))).join('')
  )
}

function escaped(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`
}

function time(seconds: number, now: number): string {
  const distance = now >= seconds ? `${now - seconds} s ago` : `in ${seconds - now} s`
  return `${new Date(seconds * 1000).toISOString()} (${distance})`
}

function toSeconds(option: string, text: string | undefined): Record<string, number> {
  return text === undefined ? {} : { [option]: Number(text) }
}

function refuseOptions(command: string, others: Record<string, unknown>): void {
  const [name] = Object.keys(others)
  if (name !== undefined) throw new UsageError(`${command} has no option --${name}.`)
}

/** Usage errors, errors of parseArgs, and refused options. */
function isUserError(error: unknown): error is Error {
  if (error instanceof UsageError) return true
  return error instanceof Error && 'code' in error && /^ERR_(PARSE_ARGS|SESSION)_/.test(String(error.code))
}
