import { randomBytes } from 'node:crypto'
import { MAX_COOKIE_BYTES } from '../cookie/attributes.ts'
import { loadXChaCha } from '../crypto/xchacha.ts'
import { measureKeys } from '../data/storable.ts'
import { describeSchema } from '../diagnostics/describe-schema.ts'
import type { CookieReport } from '../diagnostics/inspect-cookie.ts'
import { findCookies, inspectCookie } from '../diagnostics/inspect-cookie.ts'
import { readTimeout } from '../format/timeouts.ts'
import { resolveOptions } from '../options.ts'
import { align } from './align.ts'
import { usageError } from './cli-error.ts'
import type { Command, Values } from './context.ts'
import { printable } from './printable.ts'
import { readSecrets } from './read-secrets.ts'
import { SECRET_BYTES } from './secret.ts'
import { showTime } from './show-time.ts'

const OPENS: Readonly<Record<string, string>> = {
  valid: 'yes',
  unchecked: 'not checked: set SESSION_SECRET to the key of the server'
}

/** Shows what a cookie holds, and whether it opens. */
export const inspect: Command = {
  options: {
    name: { type: 'string' },
    'secret-file': { type: 'string', multiple: true },
    'idle-timeout': { type: 'string' },
    'absolute-timeout': { type: 'string' },
    'max-idle-timeout': { type: 'string' },
    'max-absolute-timeout': { type: 'string' }
  },
  async run(positionals, values, { env, log, clock, readInput }) {
    const [given, ...others] = positionals
    if (given === undefined || others.length > 0) {
      throw usageError('inspect takes exactly one cookie, or - to read it from the standard input. Put it into quotes.')
    }
    const cookies = findCookies(given === '-' ? (await readInput()).trim() : given, String(values.name ?? 'session'))
    const secrets = await readSecrets((values['secret-file'] ?? []) as readonly string[], env)
    const timeouts = resolveOptions({
      // It checks no cookie, but the timeouts have their defaults and their checks with the other options.
      secret: randomBytes(SECRET_BYTES),
      idleTimeout: readSeconds(values, 'idle-timeout'),
      absoluteTimeout: readSeconds(values, 'absolute-timeout'),
      maxIdleTimeout: readSeconds(values, 'max-idle-timeout'),
      maxAbsoluteTimeout: readSeconds(values, 'max-absolute-timeout')
    })
    const now = Math.floor(clock() / 1000)
    const cipher = secrets.length > 0 ? await loadXChaCha() : undefined
    const reports = cookies.map(({ name, value }) => inspectCookie(name, value, secrets, timeouts, now, cipher))
    // The server takes one that opens, too.
    const report = reports.find(isFine) ?? reports[0]
    if (report === undefined) throw usageError('There is no session cookie in it. Say its name by --name.')
    log(format(report, now))
    return isFine(report) ? 0 : 1
  }
}

function isFine({ verdict }: CookieReport): boolean {
  return verdict === 'valid' || verdict === 'unchecked'
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
  if (lastSeenAt !== undefined) rows.push(['last active', showTime(lastSeenAt, now)])
  if (storeKey !== undefined) rows.push(['store key', storeKey])
  if (record !== undefined) {
    rows.push(['created', showTime(record.createdAt, now)], ['id', printable(record.id)])
    if (record.ownerId !== undefined) rows.push(['owner', printable(record.ownerId)])
    rows.push(['permanent', record.permanent ? 'yes' : 'no'])
    const idle = readTimeout(record.extensions, 'idleTimeout')
    if (idle !== undefined) rows.push(['idle timeout', `${idle} s, its own`])
    const absolute = readTimeout(record.extensions, 'absoluteTimeout')
    if (absolute !== undefined) rows.push(['absolute timeout', `${absolute} s, its own`])
    const schema = describeSchema(record.extensions)
    if (schema !== undefined) rows.push(['schema', schema])
    for (const [key, size] of Object.entries(measureKeys(record.json)))
      rows.push([`  ${printable(key)}`, `${size} bytes`])
    rows.push(['data', JSON.stringify(record.data, null, 2).split('\n').map(printable).join('\n')])
  }
  return align(rows)
}

function readSeconds(values: Values, name: string): number | undefined {
  const text = values[name]
  if (text === undefined) return undefined
  if (/^\d+$/.test(String(text))) return Number(text)
  throw usageError(`--${name} takes seconds, a whole number such as 3600; it got ${JSON.stringify(text)}.`)
}
