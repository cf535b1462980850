import { finished } from 'node:stream'
import type { Signals } from '../endings/signals.ts'
import { DisabledError, endedError } from '../errors.ts'
import type { SessionState } from './state.ts'

interface Known {
  readonly handle: string
  readonly signal: AbortSignal
  /** Whether the transport has had the session under this handle. */
  isSaved: boolean
}

/** The signals of sessions in requests: one for each session of a request, as long as somebody is connected. */
export class RequestSignals {
  readonly #signals: Signals
  readonly #known: WeakMap<SessionState, Known> = new WeakMap()

  constructor(signals: Signals) {
    this.#signals = signals
  }

  /** Throws `ERR_SESSION_DISABLED` before there is a reply. */
  of(state: SessionState): AbortSignal {
    if (state.isDestroyed) return AbortSignal.abort(endedError('destroyed'))
    if (state.ending.isGone || state.reply.isGone) return AbortSignal.abort(endedError('gone'))
    const { handle } = state
    const known = this.#known.get(state)
    return known?.handle === handle ? known.signal : this.#open(state, handle)
  }

  /** A session has been saved: it goes on until later. */
  saved(state: SessionState): void {
    if (!this.#signals.hasOpen) return
    const known = this.#known.get(state)
    if (known?.handle === state.handle) known.isSaved ||= isSaved(state)
    this.#signals.seen(state.handle, state)
  }

  #open(state: SessionState, handle: string): AbortSignal {
    const { ownerId, createdAt, lastSeenAt, extensions, fastifyReply } = state
    if (fastifyReply === null) {
      throw new DisabledError(
        'session.signal aborts while the reply is open, and there is none: the call came from an onRequest hook that was added before the session plugin was registered.'
      )
    }
    const { signal, verify, close } = this.#signals.open(
      { handle, ownerId, createdAt, lastSeenAt, extensions },
      () => known.isSaved
    )
    const known: Known = { handle, signal, isSaved: isSaved(state) }
    this.#known.set(state, known)
    verify()
    // That of an upgrade is open as long as its socket.
    finished(fastifyReply.raw, { readable: false }, close)
    return signal
  }
}

/** Whether the transport has the session under the id that it has now. */
function isSaved({ persisted, hasNewId }: SessionState): boolean {
  return persisted !== undefined && !hasNewId
}
