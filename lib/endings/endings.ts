import { channel } from 'node:diagnostics_channel'
import type { SessionEndedEvent, SessionEnding } from '../../types/endings.ts'
import type { SessionStore } from '../../types/store.ts'
import { Peers } from './peers.ts'

const events = channel('fastify-typed-session/endings')

/** Gets every ending, as soon as this process knows of it. */
export type EndingListener = (event: SessionEndedEvent) => unknown

/** Returns the end of all sessions of an owner, but for those with the handles `except`. */
export function endingOfAll(ownerId: string, except: readonly string[]): SessionEnding {
  return { ...EVERYTHING, ownerId, except }
}

/** The end of all sessions of everybody. */
export const EVERYTHING: SessionEnding = {
  handle: undefined,
  ownerId: undefined,
  reason: 'revoked',
  except: [],
  successor: undefined
}

/** Tells that this process has ended a session. */
export type Announce = (ending: SessionEnding) => void

/** For where nobody is to be told. */
export const TELL_NOBODY: Announce = () => {}

type Log = Record<'warn' | 'error', (details: object, message: string) => void>

/** What `endingOf` leaves out. */
type Details = Partial<Omit<SessionEnding, 'handle' | 'reason'>>

/** Returns an ending of one session. */
export function endingOf(handle: string, reason: SessionEnding['reason'], details: Details = {}): SessionEnding {
  return { handle, reason, ownerId: undefined, except: [], successor: undefined, ...details }
}

/** Which sessions end, as far as this process causes it or hears of it. */
export class Endings {
  readonly #cookieName: string
  readonly #log: Log | undefined
  readonly #peers: Peers | undefined
  readonly #listeners: Set<EndingListener> = new Set()
  readonly #onMissed: Set<() => void> = new Set()

  /** `store`: through which other processes hear what ends here. `log`: for where somebody listens. */
  constructor(cookieName: string, store: SessionStore | undefined, log?: Log) {
    this.#cookieName = cookieName
    this.#log = log
    this.#peers =
      store &&
      new Peers(store, {
        onEnding: (ending) => this.note(ending),
        onExpired: (key, ownerId) => this.note(endingOf(key, 'expired', { ownerId })),
        onMissed: () => {
          for (const look of this.#onMissed) look()
        },
        onDeaf: (err) =>
          log?.warn(
            { err },
            'The store does not tell what ends in other processes. Sessions with an open signal are looked at instead.'
          )
      })
  }

  /** Whether other processes tell what they end. */
  get isHearing(): boolean {
    return this.#peers?.isHearing === true
  }

  /** This process has ended a session. */
  announce(ending: SessionEnding): void {
    this.note(ending)
    this.#peers?.publish(ending)
  }

  /** Tells this process alone. */
  note(ending: SessionEnding): void {
    if (this.#listeners.size === 0 && !events.hasSubscribers) return
    const event: SessionEndedEvent = { cookieName: this.#cookieName, ...ending }
    for (const listener of this.#listeners) this.#tell(listener, event)
    events.publish(event)
  }

  /** From the first listener on, this process hears what ends in others. `onMissed`: it may have missed something. */
  listen(listener: EndingListener, onMissed?: () => void): () => void {
    this.#peers?.start()
    // A function of its own: the same one may listen twice.
    const tell: EndingListener = (event) => listener(event)
    this.#listeners.add(tell)
    if (onMissed !== undefined) this.#onMissed.add(onMissed)
    return () => void this.#listeners.delete(tell)
  }

  async close(): Promise<void> {
    await this.#peers?.close()
  }

  /** The session has ended in any case: a listener that fails must not look like an ending that failed. */
  #tell(listener: EndingListener, event: SessionEndedEvent): void {
    const tell = async (): Promise<unknown> => listener(event)
    tell().catch((err) => this.#log?.error({ err }, 'A listener of app.sessions.onEnded() failed.'))
  }
}
