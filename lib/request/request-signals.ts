import { finished } from 'node:stream'
import type { Signals } from '../endings/signals.ts'
import { endedError } from '../errors.ts'
import { isUpgrade } from './is-upgrade.ts'
import type { RequestSlots } from './slots.ts'
import type { SessionState } from './state.ts'

interface Known {
  readonly handle: string
  readonly signal: AbortSignal
}

/** The signals of sessions in requests: one for each session of a request, as long as somebody is connected. */
export class RequestSignals {
  readonly #signals: Signals
  readonly #slots: RequestSlots
  readonly #known: WeakMap<SessionState, Known> = new WeakMap()

  constructor(signals: Signals, slots: RequestSlots) {
    this.#signals = signals
    this.#slots = slots
  }

  of(state: SessionState): AbortSignal {
    if (state.isDestroyed) return AbortSignal.abort(endedError('destroyed'))
    if (state.ending.isGone || state.reply.isGone) return AbortSignal.abort(endedError('gone'))
    const { handle } = state
    const known = this.#known.get(state)
    if (known?.handle === handle) return known.signal
    const signal = this.#open(state, handle)
    this.#known.set(state, { handle, signal })
    return signal
  }

  /** A session has been saved: it goes on until later. */
  saved(state: SessionState): void {
    if (this.#signals.hasOpen) this.#signals.seen(state.handle, state.lastSeenAt)
  }

  #open(state: SessionState, handle: string): AbortSignal {
    const { ownerId, createdAt, lastSeenAt, request } = state
    const { signal, close } = this.#signals.open(
      { handle, ownerId, createdAt, lastSeenAt },
      () => state.persisted !== undefined
    )
    const reply = this.#slots.replyOf(request)
    // The response of an upgrade is over when the WebSocket begins.
    if (reply === null || isUpgrade(request)) request.raw.socket.once('close', close)
    else finished(reply.raw, { readable: false }, close)
    return signal
  }
}
