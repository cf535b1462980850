import Cookie from '@fastify/cookie'
import type { FoundSession, GoneSession, ReaderRefusal, SessionReader } from '../../types/adopt.ts'
import { InvalidOptionError, isUnreadable } from '../errors.ts'
import { askStore } from '../stores/express/ask-store.ts'
import { isFunction, isObject } from '../util/check.ts'
import type { Adoption } from './adoption.ts'
import { decodeCookie } from './decode-cookie.ts'
import { parseObject } from './parse-object.ts'

/**
 * The part of a store for `express-session` or `@fastify/session` that a reader calls: `get` passes on the session with an id, or nothing,
 * and `destroy` ends it. Each calls its callback, or returns a promise.
 */
export interface OldSessionStore {
  get(sid: string, callback: (error?: unknown, session?: unknown) => void): unknown
  destroy(sid: string, callback: (error?: unknown) => void): unknown
}

/** What the libraries keep for themselves in a record, and what `session-file-store` does. */
const OWN_KEYS: readonly string[] = ['cookie', '__lastAccess']

/** A longer value is no id. */
const MAX_CHARACTERS = 4096

/** How a library whose cookie holds a signed id spells it. */
export interface SignedIds {
  readonly secrets: readonly (string | Buffer)[]
  /** What the value starts with, in front of the id. */
  readonly prefix: string
  readonly store: OldSessionStore
  /** Whether the library ends a session at the time in its record. Otherwise only the store ends it. */
  readonly checksExpiry: boolean
}

/** Throws `ERR_SESSION_OPTION_INVALID`. */
export function assertOldStore(store: unknown): void {
  const { get, destroy } = Object(store) as Partial<OldSessionStore>
  if (isObject(store) && isFunction(get) && isFunction(destroy)) return
  // The message does not show the value: the settings of a store contain passwords.
  throw new InvalidOptionError(
    'The option store must be the store of the other library: an object with the methods get and destroy.'
  )
}

/** Returns the secrets as an array. Throws `ERR_SESSION_OPTION_INVALID`. */
export function readOldSecrets(given: unknown, name: string): readonly (string | Buffer)[] {
  const secrets = Array.isArray(given) ? given : [given]
  const isFine = (secret: unknown): boolean =>
    (typeof secret === 'string' || Buffer.isBuffer(secret)) && secret.length > 0
  if (secrets.length > 0 && secrets.every(isFine)) return secrets
  throw new InvalidOptionError(
    `The option ${name} must be what the other library has: a text or bytes, or an array of these.`
  )
}

/** Reads sessions of which the cookie holds a signed id, and a store the data. */
export function storedReader<Old>(
  adoption: Adoption<Old>,
  { secrets, prefix, store, checksExpiry }: SignedIds
): SessionReader {
  const signer = new Cookie.Signer(secrets as string[])
  const { found, ...common } = adoption
  const idOf = (value: string): string | undefined => {
    const text = decodeCookie(value)
    if (text.length > MAX_CHARACTERS || !text.startsWith(prefix)) return undefined
    const { valid, value: id } = signer.unsign(text.slice(prefix.length))
    return valid && id ? id : undefined
  }
  return {
    ...common,
    async read(value: string): Promise<FoundSession | GoneSession | ReaderRefusal> {
      const key = idOf(value)
      if (key === undefined) return 'refused'
      const session = await load(store, key)
      if (session === undefined) return { key, data: undefined }
      const { expiresAt, ...times } = timesOf(session.cookie)
      const data = Object.fromEntries(Object.entries(session).filter(([name]) => !OWN_KEYS.includes(name)))
      const end = async (): Promise<void> => void (await askStore(store, 'destroy', key))
      return found(data as Old, { key, isUnique: true, ...times, expiresAt: checksExpiry ? expiresAt : undefined, end })
    }
  }
}

/** Returns a record as its JSON says it. One that is damaged is none. */
async function load(store: OldSessionStore, id: string): Promise<Record<string, unknown> | undefined> {
  try {
    const session = await askStore(store, 'get', id)
    return isObject(session) ? parseObject(JSON.stringify(session)) : undefined
  } catch (error) {
    // Stores of files say so of one that is not there.
    if (isUnreadable(error) || (error as { readonly code?: unknown } | null)?.code === 'ENOENT') return undefined
    throw error
  }
}

/** What both libraries note beside the data: when the cookie ends that was sent when the record was written, and its lifetime. */
function timesOf(cookie: unknown): Pick<FoundSession, 'createdAt' | 'expiresAt' | 'permanent'> {
  const { expires, originalMaxAge } = Object(cookie) as {
    readonly expires?: unknown
    readonly originalMaxAge?: unknown
  }
  const end = typeof expires === 'string' ? Date.parse(expires) / 1000 : Number.NaN
  if (Number.isNaN(end)) return {}
  const isKnown = typeof originalMaxAge === 'number' && originalMaxAge > 0
  return {
    createdAt: isKnown ? Math.max(0, Math.floor(end - originalMaxAge / 1000)) : undefined,
    expiresAt: Math.ceil(end) - 1,
    permanent: true
  }
}
