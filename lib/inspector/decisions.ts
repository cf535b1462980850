import type { FastifyRequest } from 'fastify'
import type { SessionEvent, SessionReason } from '../../types/diagnostics.ts'
import type { SessionDecision } from '../../types/inspector.ts'
import { routePolicy } from '../request/route-config.ts'
import { BoundedMap } from '../util/bounded-map.ts'

/** Of a generation of the map: between this many and twice as many sessions are kept. */
const MAX_SESSIONS = 500
const MAX_DECISIONS = 5

const HAS_NO_EFFECT: readonly SessionReason[] = ['untouched', 'unchanged', 'empty']

/** The decisions on a request that is still running. */
interface Draft extends SessionDecision {
  opened: SessionReason | undefined
  committed: SessionReason
}

/**
 * The last decisions about each session, for the sessions that were used last. A session with a new id starts with an empty
 * list: the next user of a browser must not see what the previous user did.
 */
export class Decisions {
  readonly #requests: WeakMap<object, Draft> = new WeakMap()
  readonly #sessions: BoundedMap<readonly Draft[]> = new BoundedMap(MAX_SESSIONS)

  /** Records an event. `at`: the present time. */
  note({ request, phase, reason, id }: SessionEvent, at: Date): void {
    const draft = this.#requests.get(request) ?? {
      at,
      method: request.method,
      path: request.url.split('?', 1)[0] as string,
      opened: undefined,
      committed: reason
    }
    this.#requests.set(request, draft)
    if (phase === 'open') draft.opened = reason
    else draft.committed = reason
    if (phase === 'commit' && id !== undefined && !isPolling(request, reason)) this.#keep(id, draft)
  }

  /** Returns the decisions about a session, newest first. */
  of(handle: string): readonly SessionDecision[] {
    return this.#sessions.get(handle) ?? []
  }

  #keep(handle: string, draft: Draft): void {
    const earlier = this.#sessions.get(handle) ?? []
    if (earlier.includes(draft)) return
    this.#sessions.set(handle, [draft, ...earlier].slice(0, MAX_DECISIONS))
  }
}

/**
 * A request without activity and without changes, such as a view of the inspector, would push out the entries that it shows.
 */
function isPolling(request: FastifyRequest, reason: SessionReason): boolean {
  return HAS_NO_EFFECT.includes(reason) && !routePolicy(request).touch
}
