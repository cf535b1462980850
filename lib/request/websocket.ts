import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { setCookiesOf, toLines } from '../cookie/headers.ts'
import type { SessionManager } from './manager.ts'

/**
 * The session on the 101 that turns a request into a WebSocket of `@fastify/websocket`. No onSend hook runs for that reply, and
 * the code that writes it does not wait. So the session is saved before the reply, and its cookies are added to the reply. Without
 * that plugin, this class does nothing.
 */
export class WebSocketHandshake {
  readonly #manager: Pick<SessionManager, 'finish'>
  readonly #replies: WeakMap<IncomingMessage, FastifyReply> = new WeakMap()
  readonly #heard: WeakSet<EventEmitter> = new WeakSet()

  constructor(manager: Pick<SessionManager, 'finish'>) {
    this.#manager = manager
  }

  /** Keeps the session after all other hooks of a WebSocket route, while a failure can still be answered. */
  prepare(route: RouteOptions): void {
    if (!('websocket' in route || 'wsHandler' in route)) return
    const keepSession = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
      if ('ws' in request && request.ws === true) await this.#manager.finish(request, reply)
    }
    route.preHandler = [route.preHandler ?? [], keepSession].flat()
  }

  /** Notes the reply of a request that may become a WebSocket. */
  expect(request: FastifyRequest, reply: FastifyReply): void {
    if (request.raw.headers.upgrade === undefined) return
    const { server } = request
    if (!('websocketServer' in server && server.websocketServer instanceof EventEmitter)) return
    this.#replies.set(request.raw, reply)
    if (this.#heard.has(server.websocketServer)) return
    this.#heard.add(server.websocketServer)
    server.websocketServer.on('headers', (lines: string[], raw: IncomingMessage) => this.#send(lines, raw))
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
