import type { AdoptOptions, FoundSession, GoneSession, ReaderRefusal, SessionReader } from '../../types/adopt.ts'
import type { Secret } from '../../types/options.ts'
import type { SessionValues } from '../../types/session.ts'
import { InvalidOptionError } from '../errors.ts'
import { readKeys } from '../flask/options.ts'
import { toPlain } from '../flask/plain.ts'
import { FlaskSigner } from '../flask/signer.ts'
import { assertKnown, isObject, isString, readOption } from '../util/check.ts'
import { ADOPT_OPTIONS, readAdoption } from './adoption.ts'
import type { BinaryIoredis, BinaryNodeRedis, FlaskRecords } from './flask-records.ts'
import { toFlaskRecords } from './flask-records.ts'
import { importPeer } from './import-peer.ts'
import { parseObject } from './parse-object.ts'

/** The options of `flaskSession()`. An option that is undefined has its default. */
export interface FlaskSessionOptions<Old = Record<string, unknown>, Data = SessionValues>
  extends AdoptOptions<Old, Data> {
  /**
   * Where Flask-Session keeps its records: the client of ioredis or node-redis for `SESSION_REDIS`, `cachelibFiles()`, or an object
   * with `get` and `delete` for any other place.
   *
   * @example
   * ```ts
   * import { Redis } from 'ioredis'
   *
   * const reader = flaskSession({ store: new Redis() })
   * ```
   */
  readonly store: BinaryIoredis | BinaryNodeRedis | FlaskRecords
  /**
   * Its `SESSION_KEY_PREFIX`, which stands in front of each id in the store. Default `'session:'`, as in Flask-Session.
   *
   * @example
   * ```ts
   * import { Redis } from 'ioredis'
   *
   * const reader = flaskSession({ store: new Redis(), prefix: 'shop:' })
   * ```
   */
  readonly prefix?: string | undefined
  /**
   * Its `SESSION_SERIALIZATION_FORMAT`. `'msgpack'` needs the package `@msgpack/msgpack`, version 3: otherwise registering the plugin
   * throws `ERR_SESSION_PEER_MISSING`. Like Flask-Session, it reads JSON, too. Default `'msgpack'`, as in Flask-Session.
   *
   * There is no `'pickle'`: whoever reads it runs what is in it. Flask-Session writes none from version 0.6 on, and rewrites what it
   * has when a session is used.
   *
   * @example
   * ```ts
   * import { Redis } from 'ioredis'
   *
   * const reader = flaskSession({ store: new Redis(), format: 'json' })
   * ```
   */
  readonly format?: 'msgpack' | 'json' | undefined
  /**
   * Its `SECRET_KEY`, if `SESSION_USE_SIGNER` is on and the cookie has the id with a signature. Default: none, and the cookie has the id
   * alone, as in Flask-Session.
   *
   * @example
   * ```ts
   * import { Redis } from 'ioredis'
   *
   * const reader = flaskSession({ store: new Redis(), secretKey: process.env.FLASK_SECRET_KEY })
   * ```
   */
  readonly secretKey?: Secret | undefined
  /**
   * Its `SESSION_COOKIE_NAME`. Default `'session'`, as in Flask: give the session of the plugin another `cookieName`.
   *
   * @example
   * ```ts
   * import { Redis } from 'ioredis'
   *
   * const reader = flaskSession({ store: new Redis(), cookieName: 'shop' })
   * ```
   */
  readonly cookieName?: string | undefined
}

const OPTIONS: readonly string[] = ['store', 'prefix', 'format', 'secretKey', 'cookieName']
const SALT = 'flask-session'
/** Flask-Session makes ids of 43 characters, and earlier UUIDs. Without a signature anybody writes them, and they name a record. */
const ID = /^[\w-]{1,256}$/

/** More than any store of sessions has: a record is decoded as a whole. */
const MAX_RECORD_BYTES = 1_048_576
/** What pickle of protocol 2 or later starts with, and its protocols. */
const [PICKLE, FIRST_PROTOCOL, LAST_PROTOCOL] = [0x80, 2, 5]

type Decode = (bytes: Uint8Array) => unknown

// Its types need those of browsers, and this file only a part of them.
const loadMsgpack = (): Promise<{ decode: Decode }> => import('@msgpack/msgpack' as string)

/**
 * Reads the sessions of Flask-Session 0.6 to 0.8, once: the id in its cookie, and the record in its store. Whether a record is still
 * alive is what the store says, as with the library.
 *
 * What JSON has not becomes what is nearest to it, in `map`, too: a datetime is a string such as `2026-12-01T12:00:00.000Z`, and bytes
 * are a string of Base64. `_permanent` is not among the data. A record in pickle is refused, and a warning of the process says so.
 *
 * Throws `ERR_SESSION_OPTION_INVALID`, `ERR_SESSION_OPTION_UNKNOWN` and `ERR_SESSION_SECRET_WEAK`.
 *
 * @example
 * ```ts
 * import { Redis } from 'ioredis'
 *
 * const old = flaskSession<{ user_id?: number }>({
 *   store: new Redis(),
 *   map: ({ user_id }) => (user_id === undefined ? {} : { userId: user_id }),
 *   ownerOf: ({ user_id }) => (user_id === undefined ? undefined : String(user_id))
 * })
 * const store = new MemoryStore()
 * await app.register(session, { secret: process.env.SESSION_SECRET, cookieName: 'sid', store, adopt: [old] })
 * ```
 */
export function flaskSession<Old extends object = Record<string, unknown>, Data = SessionValues>(
  options: FlaskSessionOptions<Old, Data>
): SessionReader {
  return flaskSessionReader(options, loadMsgpack)
}

/** `load`: imports `@msgpack/msgpack`. */
export function flaskSessionReader<Old extends object, Data>(
  options: FlaskSessionOptions<Old, Data>,
  load: typeof loadMsgpack
): SessionReader {
  assertKnown(options, [...OPTIONS, ...ADOPT_OPTIONS], 'flaskSession()')
  const records = toFlaskRecords(options.store)
  const prefix = readOption(options.prefix, 'session:', 'prefix', 'a string', isString)
  const format = readFormat(options.format)
  const cookieName = readOption(options.cookieName, 'session', 'cookieName', 'a string', isString)
  const idOf = readIds(options.secretKey)
  const { found, ...common } = readAdoption(options, cookieName)
  const warn = pickleWarning()
  let decode: Decode = () => undefined
  return {
    ...common,
    async start() {
      if (format !== 'msgpack') return
      const msgpack = await importPeer(load, '@msgpack/msgpack', 'version 3', 'flaskSession')
      decode = (bytes) => msgpack.decode(bytes)
    },
    async read(value: string): Promise<FoundSession | GoneSession | ReaderRefusal> {
      const key = idOf(value)
      if (key === undefined) return 'refused'
      const name = prefix + key
      const bytes = await records.get(name)
      if (!bytes) return { key, data: undefined }
      if (isPickle(bytes)) return warn()
      const data = decodeRecord(bytes, decode)
      if (!isObject(data)) return 'refused'
      const { _permanent: permanent = false, ...old } = data as Record<string, unknown>
      const end = async (): Promise<void> => void (await records.delete(name))
      return found(old as Old, { key, isUnique: true, permanent: Boolean(permanent), end })
    }
  }
}

/** Returns undefined for a record that is damaged, or too large. */
function decodeRecord(bytes: Uint8Array, decode: Decode): unknown {
  if (bytes.length > MAX_RECORD_BYTES) return undefined
  try {
    const value = toPlain(decode(bytes))
    if (isObject(value)) return value
  } catch {
    // Then it may be JSON.
  }
  return parseObject(Buffer.from(bytes).toString('utf8'))
}

/** `0x80` alone is an empty map of MessagePack. */
function isPickle(bytes: Uint8Array): boolean {
  const [first, protocol = 0] = bytes
  return first === PICKLE && protocol >= FIRST_PROTOCOL && protocol <= LAST_PROTOCOL
}

/** Returns a function that warns once, because a record of everybody may be in pickle. */
function pickleWarning(): () => ReaderRefusal {
  let hasWarned = false
  return () => {
    if (!hasWarned) {
      process.emitWarning(
        'A session of Flask-Session is in pickle, which flaskSession() does not read: whoever reads it runs what is in it. Run Flask-Session 0.6 or later first, which rewrites a session in MessagePack when it is used.',
        'FastifyTypedSessionWarning'
      )
    }
    hasWarned = true
    return 'refused'
  }
}

function readFormat(given: unknown): 'msgpack' | 'json' {
  if (given === 'pickle') {
    throw new InvalidOptionError(
      "The option format of flaskSession() cannot be 'pickle': whoever reads it runs what is in it. Let Flask-Session 0.6 or later rewrite the sessions first."
    )
  }
  return readOption(given as 'json' | undefined, 'msgpack', 'format', "'msgpack' or 'json'", (format) =>
    ['msgpack', 'json'].includes(format as string)
  )
}

/** Returns a function that returns the id in a cookie. */
function readIds(secretKey: Secret | undefined): (value: string) => string | undefined {
  if (secretKey === undefined) return (id) => (ID.test(id) ? id : undefined)
  const signer = new FlaskSigner({ ...readKeys({ secretKey }), salt: SALT })
  return (value) => {
    const id = signer.verify(value)?.text
    return id !== undefined && ID.test(id) ? id : undefined
  }
}
