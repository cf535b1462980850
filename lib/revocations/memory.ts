import type { Revocation, RevocationList, RevocationPage, SessionRevocation } from '../../types/revocations.ts'
import { assertKnown, readClock } from '../util/check.ts'
import { SweptMap } from './swept-map.ts'

/** The options of a `MemoryRevocations`. */
export interface MemoryRevocationsOptions {
  /**
   * Returns the time in milliseconds since 1970. For tests. Default `() => Date.now()`.
   *
   * @example
   * ```ts
   * import { FakeClock } from 'fastify-typed-session/testing'
   *
   * const clock = new FakeClock()
   * const list = new MemoryRevocations({ clock: clock.now })
   * ```
   */
  clock?: (() => number) | undefined
}

/**
 * A list of what has ended early, in the memory of this process: for development, tests, and applications of one process. A restart
 * forgets the list, so that a copy of a cookie that was revoked opens its session again until it expires.
 *
 * The constructor throws `ERR_SESSION_OPTION_UNKNOWN` and `ERR_SESSION_OPTION_INVALID`.
 *
 * @example
 * ```ts
 * const revocations = new MemoryRevocations()
 * await app.register(session, { secret: process.env.SESSION_SECRET, revocations })
 * ```
 */
export class MemoryRevocations implements RevocationList {
  readonly #clock: () => number
  readonly #sessions: SweptMap<SessionRevocation> = new SweptMap(({ until }) => until)
  /** By number, in the order in which they were added. */
  readonly #entries: Map<number, Revocation> = new Map()
  #first = 1
  #last = 0
  readonly #listeners: Set<(entry: Revocation) => void> = new Set()

  constructor(options: MemoryRevocationsOptions = {}) {
    assertKnown(options, ['clock'], 'MemoryRevocations')
    this.#clock = readClock(options.clock)
  }

  /** The number of entries in memory, including those that are over and have not been removed yet. */
  get size(): number {
    return this.#entries.size
  }

  add(entry: Revocation): Revocation | undefined {
    const now = this.#forget()
    if (entry.kind === 'session') {
      const known = this.#sessions.get(entry.id)
      if (known !== undefined && known.until >= now) return known
      this.#sessions.set(entry.id, entry, now)
    }
    this.#entries.set(++this.#last, entry)
    for (const tell of this.#listeners) tell(entry)
    return undefined
  }

  since(position?: string): RevocationPage {
    const now = this.#forget()
    const entries: Revocation[] = []
    const known = Number(position ?? 0)
    const from = Number.isInteger(known) && known <= this.#last ? known : 0
    for (let number = Math.max(this.#first, from + 1); number <= this.#last; number++) {
      const entry = this.#entries.get(number) as Revocation
      if (entry.until >= now) entries.push(entry)
    }
    return { entries, position: String(this.#last), hasMore: false }
  }

  listen(onEntry: (entry: Revocation) => void): () => void {
    // A function of its own: the same one may listen twice.
    const tell = (entry: Revocation): void => onEntry(entry)
    this.#listeners.add(tell)
    return () => void this.#listeners.delete(tell)
  }

  /** Forgets the oldest entries that are over, as far as one that is not. Returns the second since 1970. */
  #forget(): number {
    const now = Math.floor(this.#clock() / 1000)
    for (let oldest = this.#entries.get(this.#first); oldest !== undefined && oldest.until < now; ) {
      this.#entries.delete(this.#first++)
      oldest = this.#entries.get(this.#first)
    }
    return now
  }
}
