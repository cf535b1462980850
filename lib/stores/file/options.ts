import { resolve } from 'node:path'
import { assertKnown, isBoolean, isString, readClock, readOption, readPruneInterval } from '../../util/check.ts'

/** The options of a `FileStore`. */
export interface FileStoreOptions {
  /**
   * The directory that keeps the sessions. It must belong to this store alone, and only the user of the process may enter it
   * (mode 0700). The store makes it if it does not exist.
   *
   * @example
   * ```ts
   * import { FileStore } from 'fastify-typed-session/stores/file'
   *
   * const store = new FileStore({ directory: '/var/lib/shop/sessions' })
   * ```
   */
  directory: string
  /**
   * Whether each change waits until it is on the disk. Default `false`: a killed process loses nothing, but a power failure may
   * lose the last changes and damage the newest sessions.
   *
   * @example
   * ```ts
   * import { FileStore } from 'fastify-typed-session/stores/file'
   *
   * const store = new FileStore({ directory: 'sessions', fsync: false })
   * ```
   */
  fsync?: boolean | undefined
  /**
   * Seconds between two searches for expired sessions; 0 turns them off. Default 3 600. The first search comes within 30 seconds
   * of the start, or within the interval if that is shorter.
   *
   * @example
   * ```ts
   * import { FileStore } from 'fastify-typed-session/stores/file'
   *
   * const store = new FileStore({ directory: 'sessions', pruneInterval: 600 })
   * ```
   */
  pruneInterval?: number | undefined
  /**
   * Seconds, 0.01 to 600, that a call waits while other calls write to the same session; then it throws. It waits no longer than
   * its own deadline (`storeTimeout`). Default 5.
   *
   * @example
   * ```ts
   * import { FileStore } from 'fastify-typed-session/stores/file'
   *
   * const store = new FileStore({ directory: 'sessions', lockTimeout: 1 })
   * ```
   */
  lockTimeout?: number | undefined
  /**
   * Returns the time in milliseconds since 1970. For tests. Default `() => Date.now()`.
   *
   * @example
   * ```ts
   * import { FileStore } from 'fastify-typed-session/stores/file'
   * import { FakeClock } from 'fastify-typed-session/testing'
   *
   * const clock = new FakeClock()
   * const store = new FileStore({ directory: 'sessions', clock: clock.now })
   * ```
   */
  clock?: (() => number) | undefined
}

/** The options of a `FileRevocations`. */
export interface FileRevocationsOptions {
  /**
   * The directory that keeps the list. Only the user of the process may enter it (mode 0700). The list makes it if it does not exist.
   * It can be that of a `FileStore`.
   *
   * @example
   * ```ts
   * import { FileRevocations } from 'fastify-typed-session/stores/file'
   *
   * const revocations = new FileRevocations({ directory: '/var/lib/shop/revocations' })
   * ```
   */
  directory: string
  /**
   * Returns the time in milliseconds since 1970. For tests. Default `() => Date.now()`.
   *
   * @example
   * ```ts
   * import { FileRevocations } from 'fastify-typed-session/stores/file'
   * import { FakeClock } from 'fastify-typed-session/testing'
   *
   * const clock = new FakeClock()
   * const revocations = new FileRevocations({ directory: 'revocations', clock: clock.now })
   * ```
   */
  clock?: (() => number) | undefined
}

/** The options of a `FileStore`, checked. */
export interface FileSettings {
  /** The absolute path. */
  readonly directory: string
  readonly fsync: boolean
  readonly pruneInterval: number
  readonly lockTimeout: number
  readonly clock: () => number
}

/** Throws `ERR_SESSION_OPTION_UNKNOWN` and `ERR_SESSION_OPTION_INVALID`. */
export function readFileOptions(options: FileStoreOptions): FileSettings {
  assertKnown(options, ['directory', 'fsync', 'pruneInterval', 'lockTimeout', 'clock'], 'FileStore')
  const isTimeout = (value: unknown): boolean => typeof value === 'number' && value >= 0.01 && value <= 600
  const timeout = 'a number of seconds from 0.01 to 600'
  return {
    directory: readDirectory(options.directory),
    fsync: readOption(options.fsync, false, 'fsync', 'true or false', isBoolean),
    pruneInterval: readPruneInterval(options.pruneInterval),
    lockTimeout: readOption(options.lockTimeout, 5, 'lockTimeout', timeout, isTimeout),
    clock: readClock(options.clock)
  }
}

/** The same for a `FileRevocations`. */
export function readFileRevocationsOptions(options: FileRevocationsOptions): Pick<FileSettings, 'directory' | 'clock'> {
  assertKnown(options, ['directory', 'clock'], 'FileRevocations')
  return { directory: readDirectory(options.directory), clock: readClock(options.clock) }
}

/** The option `directory`, as an absolute path. */
function readDirectory(given: string | undefined): string {
  const isPath = (value: unknown): boolean => isString(value) && value !== ''
  return resolve(readOption(given ?? '', '', 'directory', 'the path of a directory', isPath))
}
