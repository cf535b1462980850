import type { EndReason, SessionEndedEvent } from '../../types/endings.ts'
import type { MaybePromise } from '../../types/store.ts'
import { endedError } from '../errors.ts'
import type { Extensions } from '../format/extensions.ts'
import { haveSameTimeouts } from '../format/timeouts.ts'
import type { Endings } from './endings.ts'
import { endingOf } from './endings.ts'

/** The longest time that a timer of Node.js can take, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1
/** So many times less often sessions are looked at if other processes tell what they end: a message can get lost. */
const SELDOM = 12
/** How many sessions are looked at together. */
const BATCH = 100

/** A session with a signal. Times are seconds since 1970. */
export interface Signalled {
  readonly handle: string
  readonly ownerId: string | undefined
  readonly createdAt: number
  readonly lastSeenAt: number
  /** They may say for how long it lives. */
  readonly extensions: Extensions
}

/** What tells when a session ends. */
export type Activity = Pick<Signalled, 'lastSeenAt' | 'extensions'>
type Times = Pick<Signalled, 'createdAt'> & Activity

/** What there is under a handle: times, if there is more to know than the cookie tells; or why there is nothing. */
export type Found = Activity | undefined | 'renamed' | 'not-found' | 'revoked' | 'unsupported'

/** What signals ask of a transport. */
export interface Whereabouts {
  lookUp(handle: string, ownerId: string | undefined): MaybePromise<Found>
  successorsOf(handle: string): MaybePromise<readonly string[]>
}

export interface SignalSettings {
  /** Seconds between two looks at a session in the store; undefined where there is nothing to look at. */
  readonly signalInterval: number | undefined
  /** Returns milliseconds since 1970. */
  readonly clock: () => number
  /** Returns the last second of a session, since 1970. */
  readonly expiresAt: (times: Times) => number
}

/** A session with an open signal. */
export interface Followed {
  readonly signal: AbortSignal
  /** Aborts the signal if the session has ended since it was loaded. */
  verify(): void
  /** Nothing aborts the signal any more. */
  close(): void
}

/** One request, socket or stream that is open. */
interface OpenSignal {
  readonly controller: AbortController
  readonly ownerId: string | undefined
  /** Whether the transport has the session by now. */
  readonly isSaved: () => boolean
  readonly createdAt: number
  lastSeenAt: number
  extensions: Extensions
  handle: string
  timer: NodeJS.Timeout | undefined
}

/** The signals that abort when a session ends. Nothing runs until the first of them is asked for. */
export class Signals {
  readonly #endings: Endings
  readonly #whereabouts: Whereabouts
  readonly #settings: SignalSettings
  readonly #open: Map<string, Set<OpenSignal>> = new Map()
  #isListening = false
  #isClosed = false
  #timer: NodeJS.Timeout | undefined

  constructor(endings: Endings, whereabouts: Whereabouts, settings: SignalSettings) {
    this.#endings = endings
    this.#whereabouts = whereabouts
    this.#settings = settings
  }

  /** Whether any signal is open. */
  get hasOpen(): boolean {
    return this.#open.size > 0
  }

  /** Returns the signal of a session. */
  open(session: Signalled, isSaved: () => boolean): Followed {
    const open: OpenSignal = { ...session, controller: new AbortController(), isSaved, timer: undefined }
    if (!this.#isClosed) this.#begin(open)
    return { signal: open.controller.signal, verify: () => this.#verify(open), close: () => this.#close(open) }
  }

  /** A request has noted activity of a session, or given it other timeouts. */
  seen(handle: string, activity: Activity): void {
    for (const open of this.#open.get(handle) ?? []) this.#learn(open, activity)
  }

  /** With shorter timeouts, the timer would be late. */
  #learn(open: OpenSignal, { lastSeenAt, extensions }: Activity): void {
    open.lastSeenAt = Math.max(open.lastSeenAt, lastSeenAt)
    if (haveSameTimeouts(extensions, open.extensions)) return
    open.extensions = extensions
    this.#arm(open)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    for (const open of this.#all()) this.#close(open)
  }

  #begin(open: OpenSignal): void {
    this.#listen()
    this.#add(open)
    this.#arm(open)
  }

  #verify(open: OpenSignal): void {
    if (this.#isOpen(open)) void this.#look(open, 'gone')
  }

  #isOpen(open: OpenSignal): boolean {
    return this.#open.get(open.handle)?.has(open) === true
  }

  #listen(): void {
    if (this.#isListening) return
    this.#isListening = true
    this.#endings.listen(
      (event) => this.#onEnding(event),
      () => this.#lookAtAll()
    )
  }

  #onEnding({ handle, ownerId, reason, except, successor }: SessionEndedEvent): void {
    if (handle === undefined) {
      const ofOwner = this.#all().filter((open) => ownerId === undefined || open.ownerId === ownerId)
      // One that has begun since is not meant.
      void this.#lookAt(
        ofOwner.filter((open) => !except.includes(open.handle)),
        reason
      )
      return
    }
    for (const open of [...(this.#open.get(handle) ?? [])]) {
      if (successor === undefined) this.#abort(open, reason)
      else this.#follow(open, successor)
    }
  }

  #abort(open: OpenSignal, reason: EndReason): void {
    this.#close(open)
    open.controller.abort(endedError(reason))
  }

  #follow(open: OpenSignal, successor: string): void {
    this.#remove(open)
    open.handle = successor
    this.#add(open)
  }

  #add(open: OpenSignal): void {
    const others = this.#open.get(open.handle)
    if (others === undefined) this.#open.set(open.handle, new Set([open]))
    else this.#join(open, others)
    if (this.#timer === undefined) this.#lookLater()
  }

  /** Each may know of activity of which the others do not. */
  #join(open: OpenSignal, others: Set<OpenSignal>): void {
    const latest = [...others].reduce<Activity>(
      (latest, other) => (other.lastSeenAt > latest.lastSeenAt ? other : latest),
      open
    )
    others.add(open)
    this.seen(open.handle, latest)
  }

  #remove(open: OpenSignal): void {
    const signals = this.#open.get(open.handle)
    signals?.delete(open)
    if (signals?.size === 0) this.#open.delete(open.handle)
  }

  #close(open: OpenSignal): void {
    clearTimeout(open.timer)
    this.#remove(open)
  }

  #all(): OpenSignal[] {
    return [...this.#open.values()].flatMap((signals) => [...signals])
  }

  #isOver(open: OpenSignal): boolean {
    return this.#settings.clock() >= this.#endOf(open)
  }

  /** In milliseconds since 1970. */
  #endOf(open: OpenSignal): number {
    return (this.#settings.expiresAt(open) + 1) * 1000
  }

  #arm(open: OpenSignal): void {
    clearTimeout(open.timer)
    const left = Math.max(0, this.#endOf(open) - this.#settings.clock())
    open.timer = setTimeout(() => this.#expire(open), Math.min(left, LONGEST_TIMER)).unref()
  }

  /** Another request may have kept the session alive. */
  async #expire(open: OpenSignal): Promise<void> {
    if (this.#isOver(open)) await this.#look(open, 'expired')
    if (!this.#isOpen(open)) return
    if (this.#isOver(open)) this.#end(open, 'expired')
    else this.#arm(open)
  }

  /** What nobody has told is told now. */
  #end(open: OpenSignal, reason: EndReason): void {
    const { handle, ownerId } = open
    const isUntold = reason === 'expired' || reason === 'gone'
    if (isUntold && open.isSaved()) this.#endings.note(endingOf(handle, reason, { ownerId }))
    else this.#abort(open, reason)
  }

  /** `reason`: why the session has ended, if it has. While nobody can tell, it goes on. */
  async #look(open: OpenSignal, reason: EndReason): Promise<void> {
    if (!open.isSaved()) return
    const { handle, ownerId } = open
    try {
      const found = await this.#whereabouts.lookUp(handle, ownerId)
      if (open.controller.signal.aborted) return
      if (open.handle !== handle) await this.#look(open, reason)
      else if (typeof found !== 'string') this.#learn(open, found ?? open)
      else if (found === 'renamed') await this.#seek(open)
      else this.#end(open, this.#isOver(open) ? 'expired' : reason)
    } catch {}
  }

  /** The session has a new id, of which nobody has told. */
  async #seek(open: OpenSignal): Promise<void> {
    const { handle, ownerId } = open
    for (const successor of await this.#whereabouts.successorsOf(handle)) {
      if (typeof (await this.#whereabouts.lookUp(successor, ownerId)) === 'string') continue
      if (open.handle === handle) this.#follow(open, successor)
      return
    }
    if (open.handle === handle) this.#abort(open, 'replaced')
  }

  #lookLater(): void {
    const { signalInterval } = this.#settings
    if (signalInterval === undefined) return
    clearTimeout(this.#timer)
    const seconds = signalInterval * (this.#endings.isHearing ? SELDOM : 1)
    this.#timer = setTimeout(() => this.#lookAtAll(), seconds * 1000).unref()
  }

  async #lookAtAll(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#lookAt(this.#all(), 'gone')
    this.#timer = undefined
    if (this.hasOpen) this.#lookLater()
  }

  async #lookAt(all: readonly OpenSignal[], reason: EndReason): Promise<void> {
    for (let next = 0; next < all.length; next += BATCH) {
      await Promise.all(all.slice(next, next + BATCH).map((open) => this.#look(open, reason)))
    }
  }
}
