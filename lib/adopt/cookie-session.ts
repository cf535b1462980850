import { createHmac, timingSafeEqual } from 'node:crypto'
import type { AdoptOptions, SessionReader } from '../../types/adopt.ts'
import type { SessionValues } from '../../types/session.ts'
import { assertKnown, isFunction, isObject, isString, readOption } from '../util/check.ts'
import { ADOPT_OPTIONS, readAdoption } from './adoption.ts'
import { parseObject } from './parse-object.ts'
import { readOldSecrets } from './stored-reader.ts'

/** The part of a `Keygrip` that a reader calls: whether a signature is that of a text, under any of the keys. */
export interface OldKeygrip {
  verify(data: string, digest: string): boolean
}

/** The options of `cookieSession()`. An option that is undefined has its default. */
export interface CookieSessionReaderOptions<Old = Record<string, unknown>, Data = SessionValues>
  extends AdoptOptions<Old, Data> {
  /**
   * The option `keys` of `cookie-session`: an array of texts of which each can have signed a cookie, or the `Keygrip`. What it calls
   * `secret` is an array of one.
   *
   * @example
   * ```ts
   * const reader = cookieSession({ keys: [process.env.OLD_KEY ?? '', 'the one before'] })
   * ```
   */
  readonly keys: readonly (string | Buffer)[] | OldKeygrip
  /**
   * The option `name` of `cookie-session`. The signature is in the cookie of this name with `.sig`. Default `'session'`.
   *
   * @example
   * ```ts
   * const reader = cookieSession({ keys: [process.env.OLD_KEY ?? ''], name: 'shop' })
   * ```
   */
  readonly name?: string | undefined
}

/**
 * Reads the sessions of `cookie-session`: JSON in its cookie, and the signature in another one. Such a cookie tells no time: it is good
 * for as long as the key is, and two browsers may have the same one.
 *
 * Throws `ERR_SESSION_OPTION_INVALID` and `ERR_SESSION_OPTION_UNKNOWN`. Cookies without a signature, of the option `signed: false`, are
 * not read: anybody can write them.
 *
 * @example
 * ```ts
 * const old = cookieSession<{ userId?: number }>({
 *   keys: [process.env.OLD_KEY ?? ''],
 *   name: 'old',
 *   remove: true,
 *   ownerOf: ({ userId }) => (userId === undefined ? undefined : String(userId))
 * })
 * await app.register(session, { secret: process.env.SESSION_SECRET, adopt: [old] })
 * ```
 */
export function cookieSession<Old extends object = Record<string, unknown>, Data = SessionValues>(
  options: CookieSessionReaderOptions<Old, Data>
): SessionReader {
  assertKnown(options, ['keys', 'name', ...ADOPT_OPTIONS], 'cookieSession()')
  const name = readOption(options.name, 'session', 'name', 'a string', isString)
  const keygrip = isKeygrip(options.keys) ? options.keys : keygripOf(readOldSecrets(options.keys, 'keys'))
  const { found, ...common } = readAdoption(options, name)
  return {
    ...common,
    otherCookies: [`${name}.sig`],
    read(value, { cookiesNamed }) {
      const text = unquoted(value)
      const signatures = cookiesNamed(`${name}.sig`).map(unquoted)
      const isGenuine = signatures.some((signature) => keygrip.verify(`${name}=${text}`, signature))
      const data = isGenuine ? parseObject(Buffer.from(text, 'base64').toString('utf8')) : undefined
      return data === undefined ? 'refused' : found(data as Old, { key: text, isUnique: false })
    }
  }
}

function unquoted(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1) : value
}

function isKeygrip(keys: unknown): keys is OldKeygrip {
  return isObject(keys) && isFunction((keys as OldKeygrip).verify)
}

/** As `keygrip` signs: HMAC-SHA-1 as base64url. */
function keygripOf(keys: readonly (string | Buffer)[]): OldKeygrip {
  return {
    verify(data, digest) {
      const given = Buffer.from(digest)
      return keys.some((key) => {
        const expected = Buffer.from(createHmac('sha1', key).update(data).digest('base64url'))
        return given.length === expected.length && timingSafeEqual(given, expected)
      })
    }
  }
}
