import type { Revocation, RevocationList } from '../../types/revocations.ts'
import type { Deadline } from '../stores/deadline.ts'
import { Listening } from '../util/listening.ts'
import { Hearing } from './hearing.ts'

/** How often a list is asked that does not tell what is new, in milliseconds. */
const POLL = 1000
/** The same after a failure. */
const RETRY = 250
/** How long after a connection broke. */
const PAUSE = 25
/** A list is asked so many times before what is known of it is too old. */
const TRIES = 3

/** What it learns, and how it fares. */
export interface FollowerEvents {
  onEntry(entry: Revocation): void
  /** All that the list had at a time, by `performance.now()`, is known. */
  onCurrent(at: number): void
  /** The list has not said what is new. */
  onFailure(error: unknown): void
  /** It does not tell what is new unless it is asked. Not told again until it has. */
  onDeaf(error: unknown): void
}

/**
 * Follows a list: asks for what is new, and listens in between. What it hears makes nothing current, because a connection may have
 * died without a word.
 */
export class Follower {
  readonly #list: RevocationList
  readonly #interval: number
  readonly #events: FollowerEvents
  readonly #deadline: Deadline
  #position: string | undefined
  readonly #hearing: Hearing = new Hearing()
  /** Undefined for a list that tells nothing. */
  readonly #listening: Listening<Revocation> | undefined
  #timer: NodeJS.Timeout | undefined
  #isAsking = false
  #asksAgain = false
  #isClosed = false

  /** `maxStaleness`: after how many milliseconds what is known is too old. `deadline`: how long an answer may take. */
  constructor(list: RevocationList, maxStaleness: number, deadline: Deadline, events: FollowerEvents) {
    this.#list = list
    this.#interval = maxStaleness / TRIES
    this.#deadline = deadline
    this.#events = events
    const listen = list.listen?.bind(list)
    this.#listening =
      listen &&
      new Listening(listen, {
        onMessage: (entry) => {
          events.onEntry(entry)
          this.#hearing.heard(entry)
        },
        // What was added between the last answer and now, or is missed.
        onBegin: () => {
          this.#hearing.begin()
          this.#askSoon()
        },
        onLost: () => this.#askSoon(),
        onFailure: (error) => events.onDeaf(error)
      })
  }

  /** Resolves after the first attempt to catch up, whether or not it has succeeded. */
  async start(): Promise<void> {
    this.#listening?.start()
    this.#isAsking = true
    this.#asksAgain = false
    const hasAnswered = await this.#ask()
    this.#isAsking = false
    if (this.#isClosed) return
    const wait = this.#listening?.isOn ? this.#interval : Math.min(POLL, this.#interval)
    if (this.#asksAgain) this.#askIn(PAUSE)
    else this.#askIn(hasAnswered ? wait : Math.min(RETRY, wait))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#listening?.close()
  }

  #askIn(milliseconds: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.start(), milliseconds).unref()
  }

  /** Asks for what the list has by now. Rejects if it does not say. */
  catchUp(): Promise<void> {
    return this.#read((entry) => this.#events.onEntry(entry))
  }

  async #read(onEntry: (entry: Revocation) => void): Promise<void> {
    for (let hasMore = true; hasMore; ) {
      const at = performance.now()
      const page = await this.#inTime(async () => this.#list.since(this.#position))
      for (const entry of page.entries) onEntry(entry)
      this.#position = page.position
      hasMore = page.hasMore
      if (!hasMore) this.#events.onCurrent(at)
    }
  }

  async #ask(): Promise<boolean> {
    const isHearing = this.#listening?.isOn
    try {
      await this.#read((entry) => {
        this.#events.onEntry(entry)
        if (isHearing) this.#hearing.found(entry)
      })
      // A connection can die without a word. Then it does not tell what the list has.
      if (isHearing && this.#hearing.isDeaf()) this.#listening?.abandon()
      return true
    } catch (error) {
      this.#events.onFailure(error)
      return false
    }
  }

  #askSoon(): void {
    if (this.#isAsking) this.#asksAgain = true
    else this.#askIn(PAUSE)
  }

  #inTime<T>(ask: () => Promise<T>): Promise<T> {
    return this.#deadline.race(
      this.#deadline.begin(),
      ask(),
      () => true,
      (cause) => cause as Error
    )
  }
}
