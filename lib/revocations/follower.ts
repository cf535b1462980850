import type { Revocation, RevocationList } from '../../types/revocations.ts'
import type { Deadline } from '../stores/deadline.ts'
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

interface Listening {
  /** Undefined until the list has begun to tell what is new. */
  stop?: () => unknown
  /** Whether the list has answered since: it tells whatever comes after that answer. */
  isInStep?: boolean
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
  #listening: Listening | undefined
  readonly #hearing: Hearing = new Hearing()
  #timer: NodeJS.Timeout | undefined
  #isAsking = false
  #asksAgain = false
  #isClosed = false
  #isDeaf = false

  /** `maxStaleness`: after how many milliseconds what is known is too old. `deadline`: how long an answer may take. */
  constructor(list: RevocationList, maxStaleness: number, deadline: Deadline, events: FollowerEvents) {
    this.#list = list
    this.#interval = maxStaleness / TRIES
    this.#deadline = deadline
    this.#events = events
  }

  /** Resolves after the first attempt to catch up, whether or not it has succeeded. */
  async start(): Promise<void> {
    if (this.#list.listen !== undefined && this.#listening === undefined) void this.#listen()
    this.#isAsking = true
    this.#asksAgain = false
    const hasAnswered = await this.#ask()
    this.#isAsking = false
    if (this.#isClosed) return
    const wait = this.#listening?.stop === undefined ? Math.min(POLL, this.#interval) : this.#interval
    if (this.#asksAgain) this.#askIn(PAUSE)
    else this.#askIn(hasAnswered ? wait : Math.min(RETRY, wait))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    const stop = this.#listening?.stop
    this.#listening = undefined
    await stop?.()
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
    const listening = this.#listening?.stop && this.#listening
    try {
      await this.#read((entry) => {
        this.#events.onEntry(entry)
        if (listening?.isInStep === true) this.#hearing.found(entry)
      })
      if (listening !== undefined) this.#judge(listening)
      return true
    } catch (error) {
      this.#events.onFailure(error)
      return false
    }
  }

  /** A connection can die without a word. Then it does not tell what the list has. */
  #judge(listening: Listening): void {
    if (listening !== this.#listening) return
    listening.isInStep = true
    if (!this.#hearing.isDeaf()) return
    this.#lose(listening)
    void (async () => listening.stop?.())().catch(() => {})
  }

  async #listen(): Promise<void> {
    const listening: Listening = {}
    this.#listening = listening
    this.#hearing.begin()
    try {
      const stop = await this.#list.listen?.(
        (entry) => {
          this.#events.onEntry(entry)
          this.#hearing.heard(entry)
        },
        () => this.#lose(listening)
      )
      if (this.#listening !== listening) return void (await stop?.())
      listening.stop = stop as () => unknown
      this.#isDeaf = false
      // What was added between the last answer and now.
      this.#askSoon()
    } catch (error) {
      this.#lose(listening)
      if (!this.#isDeaf) this.#events.onDeaf(error)
      this.#isDeaf = true
    }
  }

  /** Something may have been missed. */
  #lose(listening: Listening): void {
    if (this.#listening !== listening) return
    this.#listening = undefined
    if (listening.stop !== undefined) this.#askSoon()
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
