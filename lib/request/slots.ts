import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { SessionState } from './state.ts'

type Slotted = FastifyRequest & Record<symbol, SessionState | FastifyReply | null>

/** Where a registration keeps the state and the reply of a request: two properties that are decorated, so that all requests have one shape. */
export class RequestSlots {
  readonly #state: symbol
  readonly #reply: symbol

  /** `name`: for debuggers. */
  constructor(app: FastifyInstance, name: string) {
    this.#state = Symbol(`${name} state`)
    this.#reply = Symbol(`${name} reply`)
    app.decorateRequest(this.#state, null)
    app.decorateRequest(this.#reply, null)
  }

  /** Null for a request whose session was not loaded. */
  stateOf(request: FastifyRequest): SessionState | null {
    return (request as Slotted)[this.#state] as SessionState | null
  }

  setState(request: FastifyRequest, state: SessionState | null): void {
    ;(request as Slotted)[this.#state] = state
  }

  /** Null before the onRequest hook of the plugin. */
  replyOf(request: FastifyRequest): FastifyReply | null {
    return (request as Slotted)[this.#reply] as FastifyReply | null
  }

  setReply(request: FastifyRequest, reply: FastifyReply): void {
    ;(request as Slotted)[this.#reply] = reply
  }
}
