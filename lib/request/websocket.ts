import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { setCookiesOf } from '../cookie/headers.ts'

/** What the handshake needs of the manager. */
export interface HandshakeHost {
  finish(request: FastifyRequest, reply: FastifyReply): void | Promise<void>
}

/**
 * Saves the session of a WebSocket request of `@fastify/websocket` and adds its cookie to the 101. No onSend hook runs for that
 * reply, and `ws` writes it without waiting: so the session is saved before it, and the cookies of the reply are added when its
 * headers are written. Without that plugin, nothing of this happens.
 */
export class WebSocketHandshake {
  readonly #host: HandshakeHost
  readonly #replies: WeakMap<IncomingMessage, FastifyReply> = new WeakMap()
  readonly #heard: WeakSet<EventEmitter> = new WeakSet()

  constructor(host: HandshakeHost) {
    this.#host = host
  }

  /** Saves the session after all other hooks of a WebSocket route, while an error can still be answered. */
  prepare(route: RouteOptions): void {
    if (!('websocket' in route || 'wsHandler' in route)) return
    const saveSession = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
      if ('ws' in request && request.ws === true) await this.#host.finish(request, reply)
    }
    route.preHandler = [route.preHandler ?? [], saveSession].flat()
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

  #send(lines: string[], raw: IncomingMessage): void {
    const reply = this.#replies.get(raw)
    if (reply === undefined) return
    // Another session may have added its own lines already.
    const added = setCookiesOf(reply).map((line) => `Set-Cookie: ${line}`)
    lines.push(...added.filter((line) => !lines.includes(line)))
    // `ws` writes to the socket directly; `writeHead` sets `headersSent` for everyone who checks it.
    if (!reply.raw.headersSent) reply.raw.writeHead(101)
  }
}
