import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/** What happens to the connections. */
type Mode =
  | { readonly kind: 'pass' }
  | { readonly kind: 'delay'; readonly milliseconds: number }
  | { readonly kind: 'lose-answers' }

interface Connection {
  readonly client: Socket
  readonly server: Socket
  /** Whether the last thing that the client has sent changes something. */
  hasWritten: boolean
  isHalfClosed: boolean
}

/** Stands between an application and its server, and breaks what a network breaks. */
export class Link {
  readonly #listener: Server
  readonly #isWrite: (sent: Buffer) => boolean
  readonly #connections: Set<Connection> = new Set()
  #mode: Mode = { kind: 'pass' }

  private constructor(serverPort: number, isWrite: (sent: Buffer) => boolean) {
    this.#isWrite = isWrite
    this.#listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client, serverPort))
  }

  static async start(serverPort: number, isWrite: (sent: Buffer) => boolean): Promise<Link> {
    const link = new Link(serverPort, isWrite)
    link.#listener.listen(0, '127.0.0.1')
    await once(link.#listener, 'listening')
    return link
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port
  }

  /** Holds back everything, in both directions. */
  delay(milliseconds: number): void {
    this.#mode = { kind: 'delay', milliseconds }
  }

  /** The server gets a write and applies it; instead of its answer the client gets a reset. */
  loseAnswers(): void {
    this.#mode = { kind: 'lose-answers' }
  }

  reset(): void {
    for (const connection of this.#connections) reset(connection)
  }

  /** Closes one direction of all connections, as seen by the client or by the server. */
  halfClose(side: 'client' | 'server'): void {
    for (const connection of this.#connections) {
      connection.isHalfClosed = true
      connection[side].end()
    }
  }

  heal(): void {
    this.#mode = { kind: 'pass' }
    for (const connection of this.#connections) if (connection.isHalfClosed) reset(connection)
  }

  async end(): Promise<void> {
    this.reset()
    this.#listener.close()
    await once(this.#listener, 'close')
  }

  #accept(client: Socket, serverPort: number): void {
    const server = connect({ port: serverPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    const connection: Connection = { client, server, hasWritten: false, isHalfClosed: false }
    this.#connections.add(connection)
    this.#pipe(client, server, connection, (chunk) => {
      connection.hasWritten = this.#isWrite(chunk)
      return true
    })
    this.#pipe(server, client, connection, () => {
      if (this.#mode.kind !== 'lose-answers' || !connection.hasWritten) return true
      reset(connection)
      return false
    })
  }

  #pipe(from: Socket, to: Socket, connection: Connection, passes: (chunk: Buffer) => boolean): void {
    let last: Promise<void> | undefined
    const forward = (send: () => void): void => {
      // In their order, also when the delay ends.
      if (this.#mode.kind !== 'delay' && last === undefined) {
        send()
        return
      }
      const delay = this.#mode.kind === 'delay' ? this.#mode.milliseconds : 0
      const mine = Promise.all([last, pause(delay)]).then(() => {
        if (last === mine) last = undefined
        send()
      })
      last = mine
    }
    from.on('data', (chunk: Buffer) => {
      if (passes(chunk)) forward(() => to.writable && to.write(chunk))
    })
    from.on('end', () => forward(() => to.writable && to.end()))
    from.on('error', () => reset(connection))
    from.on('close', (hadError) => {
      this.#connections.delete(connection)
      if (hadError) reset(connection)
      else forward(() => to.end())
    })
  }
}

function reset({ client, server }: Connection): void {
  client.resetAndDestroy()
  server.resetAndDestroy()
}
