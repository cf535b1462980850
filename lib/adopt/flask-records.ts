import { createHash } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidOptionError } from '../errors.ts'
import { isFunction, isObject, isString, readOption } from '../util/check.ts'

/**
 * Where Flask-Session keeps its records: what `flaskSession()` calls of a store. Implement it for a place that has no client of its own
 * here.
 *
 * A rejection fails the request with `ERR_SESSION_STORE_UNAVAILABLE`.
 */
export interface FlaskRecords {
  /**
   * Returns the bytes of the record under a key, or nothing. `key`: the prefix and the id, which has letters, digits, `-` and `_` only.
   * Rejects if the store fails.
   *
   * @example
   * ```ts
   * const records = new Map<string, Uint8Array>()
   * const reader = flaskSession({
   *   store: { get: async (key) => records.get(key), delete: async (key) => records.delete(key) }
   * })
   * ```
   */
  get(key: string): Promise<Uint8Array | null | undefined>
  /**
   * Removes a record. One that is not there is no error. Rejects if the record may still be there.
   *
   * @example
   * ```ts
   * const old = cachelibFiles({ directory: '/srv/shop/flask_session' })
   * await old.delete('session:QxWmWhSzb8XvSJjRb7qk2n5yTb0gk4sX2qmGqY0n3iE')
   * ```
   */
  delete(key: string): Promise<unknown>
}

/** The part of a client of ioredis that `flaskSession()` calls. */
export interface BinaryIoredis {
  /** Returns the bytes of a key, or null. */
  getBuffer(key: string): Promise<Uint8Array | null>
  /** Removes a key. */
  del(key: string): Promise<unknown>
}

/** The part of a client of node-redis, the package `redis`, that `flaskSession()` calls. */
export interface BinaryNodeRedis {
  /** Returns a client whose replies of a type are what it says. */
  withTypeMapping(mapping: { readonly 36: typeof Buffer }): { get(key: string): Promise<unknown> }
  /** Removes a key. */
  del(key: string): Promise<unknown>
}

/** A blob of the protocol of Redis, which starts with `$`. */
const BLOB = 36

/** Returns the records that a client or an object gives access to. Throws `ERR_SESSION_OPTION_INVALID`. */
export function toFlaskRecords(store: unknown): FlaskRecords {
  const { getBuffer, withTypeMapping, del, get, delete: remove } = Object(store) as Record<string, unknown>
  if (isFunction(getBuffer) && isFunction(del)) {
    const client = store as BinaryIoredis
    return { get: (key) => client.getBuffer(key), delete: (key) => client.del(key) }
  }
  if (isFunction(withTypeMapping) && isFunction(del)) {
    const client = store as BinaryNodeRedis
    const binary = client.withTypeMapping({ [BLOB]: Buffer })
    return { get: async (key) => (await binary.get(key)) as Uint8Array | null, delete: (key) => client.del(key) }
  }
  if (isObject(store) && isFunction(get) && isFunction(remove)) return store as FlaskRecords
  // The message does not show the value: a client has a password.
  throw new InvalidOptionError(
    'The option store must be a client of ioredis or of node-redis, or an object with the methods get and delete.'
  )
}

/** The options of `cachelibFiles()`. */
export interface CachelibFilesOptions {
  /**
   * The folder: `cache_dir` of the `FileSystemCache`.
   *
   * @example
   * ```ts
   * const reader = flaskSession({ store: cachelibFiles({ directory: '/srv/shop/flask_session' }), format: 'json' })
   * ```
   */
  readonly directory: string
}

const EXPIRY_BYTES = 4
const MILLISECONDS = 1000

/**
 * The records of Flask-Session with `SESSION_TYPE = "cachelib"` in a `FileSystemCache` of cachelib whose `serializer` is a
 * `JSONSerializer`, for the option `store` of `flaskSession()` with `format: 'json'`. By default cachelib writes pickle, which no
 * other program can read safely: `flaskSession()` refuses it.
 *
 * Throws `ERR_SESSION_OPTION_INVALID`.
 *
 * @example
 * ```ts
 * const old = flaskSession({ store: cachelibFiles({ directory: '/srv/shop/flask_session' }), format: 'json' })
 * await app.register(session, { secret: process.env.SESSION_SECRET, cookieName: 'sid', store: new MemoryStore(), adopt: [old] })
 * ```
 */
export function cachelibFiles(options: CachelibFilesOptions): FlaskRecords {
  const directory = readOption<string | undefined>(options.directory, undefined, 'directory', 'a path', isString)
  if (!directory) throw new InvalidOptionError('The option directory of cachelibFiles() is missing.')
  // The name is a digest, so that no key leads out of the folder.
  const fileOf = (key: string): string => join(directory, createHash('md5').update(key).digest('hex'))
  return {
    async get(key) {
      const bytes = await readFile(fileOf(key)).catch(nothingThere)
      if (bytes === undefined || bytes.length < EXPIRY_BYTES) return undefined
      // As Python's struct writes it on this machine.
      const [end = 0] = new Uint32Array(Uint8Array.from(bytes.subarray(0, EXPIRY_BYTES)).buffer)
      return end === 0 || end >= Date.now() / MILLISECONDS ? bytes.subarray(EXPIRY_BYTES) : undefined
    },
    delete: (key) => rm(fileOf(key), { force: true })
  }
}

function nothingThere(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
