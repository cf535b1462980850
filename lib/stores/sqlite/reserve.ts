import { randomBytes } from 'node:crypto'
import { rmSync, statSync, writeFileSync } from 'node:fs'
import { isFull } from './errors.ts'
import type { Handle } from './options.ts'

/**
 * In bytes, as much as SQLite writes to the write-ahead log before it copies it to the database: by so much the database may have to
 * grow before the log is free again.
 */
const SIZE = 4 * 1024 * 1024
/** How many milliseconds pass between two looks. */
const LOOK_AFTER = 250

/**
 * Keeps space on the disk, in a file beside the database, so that sessions can be ended when the disk is full: SQLite needs space
 * also to remove. When that space is in use, only removals are allowed.
 */
export class Reserve {
  readonly #database: Handle
  /** Undefined if the database is in memory. */
  readonly #path: string | undefined
  #lookedAt: number = Number.NEGATIVE_INFINITY
  /** Why there is no space for a reserve. */
  #failure: unknown

  constructor(database: Handle) {
    this.#database = database
    const { file } = database.prepare('PRAGMA database_list').get() as { file: string }
    this.#path = file === '' ? undefined : `${file}-reserve`
  }

  /** Makes the reserve if it is missing. */
  make(): void {
    if (this.#path !== undefined) this.#failure = make(this.#path)
    this.#lookedAt = performance.now()
  }

  /** Throws if there is no reserve, and no space for one. */
  assert(): void {
    if (performance.now() - this.#lookedAt > LOOK_AFTER) this.make()
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Runs what removes sessions. If the disk is full, it gives the reserve to it. */
  spend<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (this.#path === undefined || !isFull(error)) throw error
      rmSync(this.#path, { force: true })
      this.#lookedAt = Number.NEGATIVE_INFINITY
      emptyLog(this.#database)
      return work()
    }
  }
}

/** Returns why there is no space. Any other error is none: then the store works without a reserve. */
function make(path: string): unknown {
  try {
    // Random bytes, because some disks compress.
    if (statSync(path, { throwIfNoEntry: false })?.size !== SIZE)
      writeFileSync(path, randomBytes(SIZE), { mode: 0o600 })
    return undefined
  } catch (error) {
    if (!['ENOSPC', 'EDQUOT'].includes(String((error as NodeJS.ErrnoException).code))) return undefined
    rmSync(path, { force: true })
    return error
  }
}

/** Copies the write-ahead log to the database, so that the next changes overwrite it and need no more space. */
function emptyLog(database: Handle): void {
  try {
    database.prepare('PRAGMA wal_checkpoint(RESTART)').get()
  } catch {
    // The space that has become free may be enough without it.
  }
}
