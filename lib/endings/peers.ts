import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { SessionEnding } from '../../types/endings.ts'
import type { SessionStore } from '../../types/store.ts'
import { isString } from '../util/check.ts'
import { Listening } from '../util/listening.ts'

/** After how many milliseconds a lost connection is made again. */
const RETRY = 1000
/** How many milliseconds a process that closes waits for its last messages. */
const LAST_WORDS = 1000
/** After how many milliseconds without a message a process asks itself whether it hears. */
const SILENCE = 10_000

export interface PeerEvents {
  onEnding(ending: SessionEnding): void
  /** The store has removed a session that has expired. */
  onExpired(key: string, ownerId: string | undefined): void
  /** What has ended until now may have been missed. */
  onMissed(): void
  /** The store does not tell. Not told again until it does. */
  onDeaf(error: unknown): void
}

/** The processes that share a store tell each other which sessions have ended, where the store can pass messages on. */
export class Peers {
  readonly #store: Pick<SessionStore, 'publish'>
  /** Of this process: it hears its own messages, too. */
  readonly #name: string = randomUUID()
  readonly #listening: Listening<string> | undefined
  #timer: NodeJS.Timeout | undefined
  #check: NodeJS.Timeout | undefined
  /** Since the last check. */
  #hasHeard = false
  /** Whether a message to itself is on its way since the last check. */
  #hasAsked = false
  readonly #underWay: Set<Promise<void>> = new Set()

  constructor(store: Pick<SessionStore, 'publish' | 'listen'>, events: PeerEvents) {
    this.#store = store
    const listen = store.listen?.bind(store)
    this.#listening =
      listen &&
      new Listening((onMessage, onLost) => listen(onMessage, onLost, (...ended) => events.onExpired(...ended)), {
        onMessage: (message) => this.#read(message, events),
        onBegin: () => {
          this.#checkLater()
          events.onMissed()
        },
        onLost: () => {
          clearTimeout(this.#check)
          this.start()
        },
        onFailure: (error) => events.onDeaf(error)
      })
  }

  /** Whether what others tell arrives. */
  get isHearing(): boolean {
    return this.#listening?.isOn === true
  }

  /** Nobody waits for it: the session has ended. Who misses the message finds out later. */
  publish(ending: SessionEnding): void {
    const publish = async (): Promise<void> => this.#store.publish?.(JSON.stringify({ from: this.#name, ...ending }))
    const published = publish()
      .catch(() => {})
      .finally(() => this.#underWay.delete(published))
    this.#underWay.add(published)
  }

  /** Begins to hear what others tell, and goes on when a connection breaks. */
  start(): void {
    if (this.#listening === undefined) return
    this.#listening.start()
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.start(), RETRY).unref()
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    clearTimeout(this.#check)
    const end = new AbortController()
    const patience = wait(LAST_WORDS, undefined, { ref: false, signal: end.signal }).catch(() => {})
    await Promise.race([Promise.all(this.#underWay), patience])
    end.abort()
    await this.#listening?.close()
  }

  #checkLater(): void {
    if (this.#store.publish === undefined) return
    this.#hasHeard = false
    this.#hasAsked = false
    this.#check = setTimeout(() => this.#checkHearing(), SILENCE).unref()
  }

  /** A connection can die without a word. Then a process does not hear itself, and listens on another one. */
  #checkHearing(): void {
    if (this.#hasHeard) this.#checkLater()
    else if (this.#hasAsked) this.#listening?.abandon()
    else this.#ask().catch(() => {})
  }

  /** A store that is down is no sign of a dead connection. */
  async #ask(): Promise<void> {
    const check = setTimeout(() => this.#checkHearing(), SILENCE).unref()
    this.#check = check
    await this.#store.publish?.(JSON.stringify({ from: this.#name }))
    if (this.#check === check) this.#hasAsked = true
  }

  /** Who else can write into the store may send anything. */
  #read(message: string, events: PeerEvents): void {
    this.#hasHeard = true
    let read: unknown
    try {
      read = JSON.parse(message)
    } catch {
      return
    }
    const { from, handle, ownerId, reason, except, successor } = Object(read) as SessionEnding & { from?: unknown }
    const areTexts = [handle, ownerId, successor].every((text) => text === undefined || isString(text))
    const isEnding = areTexts && isString(reason) && Array.isArray(except)
    if (from !== this.#name && isEnding) events.onEnding({ handle, ownerId, reason, except, successor })
  }
}
