import type { AdoptOptions, FoundSession, ReaderRefusal, SessionReader } from '../../types/adopt.ts'
import type { SessionValues } from '../../types/session.ts'
import { InvalidOptionError } from '../errors.ts'
import { assertKnown, isObject, isString, readOption, readWholeOption } from '../util/check.ts'
import { ADOPT_OPTIONS, readAdoption } from './adoption.ts'
import { decodeCookie } from './decode-cookie.ts'
import { importPeer } from './import-peer.ts'

/** The options of `ironSession()`. An option that is undefined has its default. */
export interface IronSessionOptions<Old = Record<string, unknown>, Data = SessionValues>
  extends AdoptOptions<Old, Data> {
  /**
   * The option `password` of `iron-session`: a text of at least 32 characters, or an object that has the passwords under their ids. An
   * array has them in the order of their ids, from 1, the newest last.
   *
   * @example
   * ```ts
   * const reader = ironSession({ password: { 2: process.env.OLD_PASSWORD ?? '', 1: 'the one before' }, cookieName: 'shop' })
   * ```
   */
  readonly password: string | readonly string[] | Readonly<Record<string, string>>
  /**
   * The option `cookieName` of `iron-session`.
   *
   * @example
   * ```ts
   * const reader = ironSession({ password: process.env.OLD_PASSWORD ?? '', cookieName: 'shop' })
   * ```
   */
  readonly cookieName: string
  /**
   * The option `ttl` of `iron-session`, in seconds. A seal has its own end inside; this tells when it was written. Default 1 209 600,
   * which is 14 days, as in the library.
   *
   * @example
   * ```ts
   * const reader = ironSession({ password: process.env.OLD_PASSWORD ?? '', cookieName: 'shop', ttl: 24 * 60 * 60 })
   * ```
   */
  readonly ttl?: number | undefined
}

const MIN_PASSWORD = 32
const FOURTEEN_DAYS = 1_209_600
const MAX_TTL = 3_162_240_000
/** How long the library takes a seal after its end, in seconds. */
const SKEW = 60
/** A longer value is no cookie. */
const MAX_CHARACTERS = 8192
const PARTS = 8
const [EXPIRATION_AT, MAC_AT] = [5, 7]
/** Seals end with it, unless a version before 7 has written them. */
const VERSION = 2

/** The part of `iron-webcrypto` that this reader calls. */
interface Iron {
  readonly defaults: object
  readonly unseal: (seal: string, password: Readonly<Record<string, string>>, options: object) => Promise<unknown>
}

// Its types need those of browsers, and this file only a part of them.
const loadIron = (): Promise<Iron> => import('iron-webcrypto' as string)

/**
 * Reads the cookies of `iron-session`: JSON in a seal of `iron-webcrypto`, with the seconds of its `ttl`. It needs the package
 * `iron-webcrypto`, version 2: otherwise registering the plugin throws `ERR_SESSION_PEER_MISSING`.
 *
 * Throws `ERR_SESSION_OPTION_INVALID` and `ERR_SESSION_OPTION_UNKNOWN`.
 *
 * @example
 * ```ts
 * const old = ironSession<{ userId?: number }>({
 *   password: process.env.OLD_PASSWORD ?? '',
 *   cookieName: 'shop',
 *   remove: true,
 *   ownerOf: ({ userId }) => (userId === undefined ? undefined : String(userId))
 * })
 * await app.register(session, { secret: process.env.SESSION_SECRET, encrypt: true, adopt: [old] })
 * ```
 */
export function ironSession<Old extends object = Record<string, unknown>, Data = SessionValues>(
  options: IronSessionOptions<Old, Data>
): SessionReader {
  return ironReader(options, loadIron)
}

/** `load`: imports `iron-webcrypto`. */
export function ironReader<Old extends object, Data>(
  options: IronSessionOptions<Old, Data>,
  load: () => Promise<Iron>
): SessionReader {
  assertKnown(options, ['password', 'cookieName', 'ttl', ...ADOPT_OPTIONS], 'ironSession()')
  const ttl = readWholeOption(options.ttl, FOURTEEN_DAYS, 'ttl', 'seconds', 0, MAX_TTL)
  const cookieName = readOption(options.cookieName, '', 'cookieName', 'a string', isString)
  const passwords = readPasswords(options.password)
  const { found, ...common } = readAdoption(options, cookieName)
  let iron: Iron | undefined
  return {
    ...common,
    async start() {
      iron = await importPeer(load, 'iron-webcrypto', 'version 2', 'ironSession')
    },
    async read(value, { now }): Promise<FoundSession | ReaderRefusal> {
      const [seal = '', version] = decodeCookie(value).split('~')
      const parts = seal.split('*')
      if (iron === undefined || seal.length > MAX_CHARACTERS || parts.length !== PARTS) return 'refused'
      const data = await unseal(iron, seal, passwords, now)
      if (!isObject(data)) return 'refused'
      const old =
        Number.parseInt(version ?? '', 10) === VERSION ? data : (data as { readonly persistent?: unknown }).persistent
      if (!isObject(old)) return 'refused'
      // The MAC covers all of the seal but itself, and something random. It can be spelled in several ways.
      const key = Buffer.from(parts[MAC_AT] as string, 'base64url').toString('base64url')
      return found(old as Old, { key, isUnique: true, ...timesOf(parts[EXPIRATION_AT] as string, ttl, now) })
    }
  }
}

/** Returns undefined for every kind of failure. What the package throws has no reason that anybody needs. */
async function unseal(
  iron: Iron,
  seal: string,
  passwords: Readonly<Record<string, string>>,
  now: number
): Promise<unknown> {
  try {
    const localtimeOffsetMsec = now * 1000 - Date.now()
    return await iron.unseal(seal, passwords, { ...iron.defaults, localtimeOffsetMsec, timestampSkewSec: SKEW })
  } catch {
    return undefined
  }
}

/** `end`: milliseconds since 1970, or nothing for a seal without an end. A `ttl` that is not the true one must not lead into the future. */
function timesOf(end: string, ttl: number, now: number): Pick<FoundSession, 'createdAt' | 'expiresAt'> {
  if (end === '') return {}
  const seconds = Number(end) / 1000
  return { createdAt: Math.min(now, Math.max(0, Math.floor(seconds - ttl))), expiresAt: Math.ceil(seconds) + SKEW - 1 }
}

/** Throws `ERR_SESSION_OPTION_INVALID`. */
function readPasswords(given: unknown): Readonly<Record<string, string>> {
  const list = typeof given === 'string' ? [given] : given
  const entries: readonly (readonly [string, unknown])[] = Array.isArray(list)
    ? list.map((password, index) => [String(index + 1), password] as const)
    : Object.entries(Object(list))
  const isFine = (password: unknown): boolean => typeof password === 'string' && password.length >= MIN_PASSWORD
  if (entries.length > 0 && entries.every(([, password]) => isFine(password))) {
    return Object.fromEntries(entries) as Record<string, string>
  }
  throw new InvalidOptionError(
    `The option password must be what iron-session has: a text of at least ${MIN_PASSWORD} characters, or several of them.`
  )
}
