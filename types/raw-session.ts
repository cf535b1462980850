import type { SessionData, SessionValues } from './session.ts'

/**
 * A request that Fastify has not seen: an `IncomingMessage` of Node.js, a `Request` of the Web, the handshake of Socket.IO, or any object
 * with the headers.
 *
 * @example
 * ```ts
 * import type { RawRequest } from 'fastify-typed-session'
 *
 * const handshake: RawRequest = { headers: { cookie: 'session=…' } }
 * ```
 */
export interface RawRequest {
  /** The headers, as Node.js has them, with names in small letters, or as a `Headers` object of the Web. Only `Cookie` is read. */
  readonly headers: { readonly cookie?: string | undefined } | { get(name: string): string | null | undefined }
}

/** The session of a raw request, as it was when it was read: what `app.sessions.ofRaw()` returns. It cannot be changed. */
export interface RawSession<Data = SessionData> {
  /** The data. They are frozen at every depth: a change throws a TypeError. */
  readonly data: Readonly<SessionValues<Data>>
  /** The handle, as `session.id` and `app.sessions.list()` have it. It opens nothing, so that it is safe to log and to show. */
  readonly handle: string
  /** The owner that `session.setOwner()` has set; undefined if there is none. */
  readonly ownerId: string | undefined
  /** When the session began. */
  readonly createdAt: Date
  /** When the session ends without further activity. A raw request is none. */
  readonly expiresAt: Date

  /**
   * A signal that aborts when the session ends, as `session.signal` does, with the same `reason`: `ERR_SESSION_ENDED`. Ask for it as soon
   * as you have the session. Nothing runs until somebody asks.
   *
   * It follows the session until that ends, until `release()` is called or, for an upgrade, until the connection closes. After that
   * nothing aborts it any more.
   *
   * @example
   * ```ts
   * import { WebSocketServer } from 'ws'
   *
   * const sockets = new WebSocketServer({ noServer: true })
   * app.server.on('upgrade', async (request, connection, head) => {
   *   connection.on('error', () => connection.destroy())
   *   const session = await app.sessions.ofRaw(request).catch(() => undefined)
   *   if (session === undefined) return connection.destroy()
   *   sockets.handleUpgrade(request, connection, head, (socket) => {
   *     session.signal.addEventListener('abort', () => socket.close(4401, 'session ended'))
   *   })
   * })
   * ```
   */
  readonly signal: AbortSignal

  /**
   * Lets go of the signal: nothing aborts it any more, and nothing is kept for it. Call it when what the session was read for is over.
   * For an upgrade the end of its connection does that. That of any other request says nothing, as with Socket.IO, whose clients begin
   * with long polling. To call it twice, or without a signal, is no error.
   *
   * @example
   * ```ts
   * const session = await app.sessions.ofRaw(request.raw)
   * if (session !== undefined) {
   *   await fetch('https://reports.example/all', { signal: session.signal }).finally(() => session.release())
   * }
   * ```
   */
  release(): void
}
