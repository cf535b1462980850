import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { SessionState } from './state.ts'

/** What is known of a request: nothing before the onRequest hook of the plugin, then its reply, then its state, which knows the reply. */
type Known = FastifyReply | SessionState | null

type Slotted = FastifyRequest & Record<symbol, Known>

/**
 * Where a registration keeps what it knows of a request: a property that is decorated, so that all requests have one shape. One, not
 * two: Fastify sets each of them in every request.
 */
export class RequestSlots {
  readonly #key: symbol

  /** `name`: for debuggers. */
  constructor(app: FastifyInstance, name: string) {
    this.#key = Symbol(`${name} state`)
    app.decorateRequest(this.#key, null)
  }

  /** Null for a request whose session was not loaded. */
  stateOf(request: FastifyRequest): SessionState | null {
    const known = this.#knownOf(request)
    return known instanceof SessionState ? known : null
  }

  setState(request: FastifyRequest, state: SessionState): void {
    state.answerWith(this.replyOf(request))
    this.#note(request, state)
  }

  forgetState(request: FastifyRequest): void {
    this.#note(request, this.replyOf(request))
  }

  /** Null before the onRequest hook of the plugin. */
  replyOf(request: FastifyRequest): FastifyReply | null {
    const known = this.#knownOf(request)
    return known instanceof SessionState ? known.fastifyReply : (known as FastifyReply | null)
  }

  setReply(request: FastifyRequest, reply: FastifyReply): void {
    const state = this.stateOf(request)
    if (state === null) this.#note(request, reply)
    else state.answerWith(reply)
  }

  #knownOf(request: FastifyRequest): Known {
    return (request as Slotted)[this.#key] as Known
  }

  #note(request: FastifyRequest, known: Known): void {
    ;(request as Slotted)[this.#key] = known
  }
}
