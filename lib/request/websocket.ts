import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { FastifyReply, FastifyRequest, preHandlerHookHandler, RouteOptions } from 'fastify'
import { setCookiesOf, toLines } from '../cookie/headers.ts'
import type { SessionManager } from './manager.ts'

/**
 * The session on the 101 that turns a request into a WebSocket, of `@fastify/websocket` or through `@fastify/http-proxy`. No onSend
 * hook runs for that reply, and the code that writes it does not wait. So the session is saved before the handler, and its cookies
 * are added to the reply.
 */
export class WebSocketHandshake {
  readonly #manager: Pick<SessionManager, 'finish'>
  readonly #replies: WeakMap<IncomingMessage, FastifyReply> = new WeakMap()
  readonly #heard: WeakSet<EventEmitter> = new WeakSet()

  constructor(manager: Pick<SessionManager, 'finish'>) {
    this.#manager = manager
  }

  /**
   * Saves the session of an upgrade after all other hooks, while a failure can still be answered. Nothing tells which routes can be
   * upgraded: a proxy declares its routes like any other.
   */
  prepare(route: RouteOptions): void {
    if (![route.method].flat().includes('GET')) return
    const save = async (...values: [FastifyRequest, FastifyReply]): Promise<void> => this.#manager.finish(...values)
    const keepSession: preHandlerHookHandler = (request, reply, done) => {
      if (!isUpgrade(request)) done()
      else
        save(request, reply)
          .then(() => done())
          .catch(done)
    }
    route.preHandler = [route.preHandler ?? [], keepSession].flat()
  }

  /** Notes the reply of a request that may become a WebSocket. */
  expect(request: FastifyRequest, reply: FastifyReply): void {
    if (request.raw.headers.upgrade === undefined) return
    for (const sockets of webSocketServersOf(request, reply)) {
      this.#replies.set(request.raw, reply)
      if (this.#heard.has(sockets)) continue
      this.#heard.add(sockets)
      sockets.on('headers', (lines: string[], raw: IncomingMessage) => this.#send(lines, raw))
    }
  }

  #send(lines: string[], request: IncomingMessage): void {
    const reply = this.#replies.get(request)
    if (reply === undefined) return
    const { raw } = reply
    // ws writes to the socket itself. After writeHead(), `headersSent` of the response is true for later readers, too, and the
    // cookies that wait for the headers are there.
    if (!raw.headersSent) raw.setHeader('set-cookie', setCookiesOf(reply)).writeHead(101)
    // Those of another session may be there already.
    const added = toLines(raw.getHeader('set-cookie')).map((line) => `Set-Cookie: ${line}`)
    lines.push(...added.filter((line) => !lines.includes(line)))
  }
}

/** Those of `@fastify/websocket` and of `@fastify/http-proxy`, which write the 101. */
function webSocketServersOf(request: FastifyRequest, reply: FastifyReply): EventEmitter[] {
  const { server } = request
  const own = 'websocketServer' in server ? server.websocketServer : undefined
  const proxy = 'wsProxy' in reply ? Object(reply.wsProxy).wss : undefined
  return [own, proxy].filter((sockets) => sockets instanceof EventEmitter)
}

/** Whether a request turns into a WebSocket: Node.js has handed it to a listener of 'upgrade', or `injectWS` pretends that it has. */
function isUpgrade(request: FastifyRequest): boolean {
  const { raw } = request
  return ('upgrade' in raw && raw.upgrade === true) || ('ws' in request && request.ws === true)
}
