import type { FastifyRequest } from 'fastify'
import type { SessionEvent, SessionReason } from '../../types/diagnostics.ts'
import type { SessionDecision } from '../../types/inspector.ts'
import { routePolicy } from '../request/route-config.ts'

const MAX_SESSIONS = 1000
const MAX_DECISIONS = 5

const HAS_NO_EFFECT: readonly SessionReason[] = ['untouched', 'unchanged', 'empty']

/** What is known so far of one request. */
interface Draft extends SessionDecision {
  opened: SessionReason | undefined
  committed: SessionReason
}

/**
 * The last decisions about each session, for the sessions that were used last. Kept by handle: a session that gets a new id
 * starts with nothing, so that what one user did is not shown to the next one at the same browser.
 */
export class Decisions {
  readonly #requests: WeakMap<object, Draft> = new WeakMap()
  readonly #sessions: Map<string, readonly Draft[]> = new Map()

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

  of(handle: string): readonly SessionDecision[] {
    return this.#sessions.get(handle) ?? []
  }

  #keep(handle: string, draft: Draft): void {
    const earlier = this.#sessions.get(handle) ?? []
    if (earlier.includes(draft)) return
    // Added anew, so that the first of the map is the one that was used least recently.
    this.#sessions.delete(handle)
    this.#sessions.set(handle, [draft, ...earlier].slice(0, MAX_DECISIONS))
    if (this.#sessions.size <= MAX_SESSIONS) return
    const [oldest] = this.#sessions.keys()
    this.#sessions.delete(oldest as string)
  }
}

/** What is no activity and changes nothing, such as a look at the inspector, would push out what it looks at. */
function isPolling(request: FastifyRequest, reason: SessionReason): boolean {
  return HAS_NO_EFFECT.includes(reason) && !routePolicy(request).touch
}
