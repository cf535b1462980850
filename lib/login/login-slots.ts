import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { NotLoadedError } from '../errors.ts'
import type { RequestLogin } from './request-login.ts'

type CreateLogin = (request: FastifyRequest, reply: FastifyReply) => RequestLogin

type Slotted = FastifyRequest & Record<symbol, unknown>

/**
 * Where a login kit keeps what it knows of a request: properties that are decorated, so that all requests have one shape. Each kit
 * has its own.
 */
export class LoginSlots {
  readonly #reply = Symbol('login reply')
  readonly #handling = Symbol('login handling')
  readonly #login = Symbol('login')
  readonly #create: CreateLogin

  /** `create`: makes what handlers have of a request, when something asks for it. */
  constructor(app: FastifyInstance, create: CreateLogin) {
    this.#create = create
    app.decorateRequest(this.#reply, null)
    app.decorateRequest(this.#handling, false)
    app.decorateRequest(this.#login, null)
    rememberReplies(app, this.#reply)
    noteHandlers(app, this.#handling)
  }

  /** Whether the kit knows of a request: not before its onRequest hook, and not outside of its scope. */
  isStarted(request: object): boolean {
    return Boolean((request as Slotted)[this.#reply])
  }

  /** Whether a request has reached its preHandler hooks, and its reply has not begun. */
  isHandling(request: object): boolean {
    return (request as Slotted)[this.#handling] === true
  }

  /** Whether something has asked the kit about a request. */
  isAsked(request: object): boolean {
    return (request as Slotted)[this.#login] !== null
  }

  loginOf(request: object): RequestLogin {
    const slots = request as Slotted
    slots[this.#login] ??= this.#begin(slots)
    return slots[this.#login] as RequestLogin
  }

  #begin(request: Slotted): RequestLogin {
    if (this.isStarted(request)) return this.#create(request, request[this.#reply] as FastifyReply)
    throw new NotLoadedError(
      'The login kit has not run its onRequest hook yet. Use it in a later hook, or register the login kit first.'
    )
  }
}

function rememberReplies(app: FastifyInstance, slot: symbol): void {
  app.addHook('onRequest', function rememberReply(request, reply, done) {
    ;(request as Slotted)[slot] = reply
    done()
  })
}

/**
 * Notes which requests are in what decides by the user: preHandler hooks and the handler. A log or a rate limit may look before,
 * and whatever runs when the reply or an error is on its way may look after it. All of that begins with `reply.send`, and hooks of
 * others that were added earlier would run before ours.
 */
function noteHandlers(app: FastifyInstance, slot: symbol): void {
  app.addHook('preHandler', function noteHandler(request, reply, done) {
    const slots = request as Slotted
    slots[slot] = true
    const { send } = reply
    reply.send = function noteReply(...payload) {
      slots[slot] = false
      return send.apply(this, payload)
    }
    done()
  })
}
