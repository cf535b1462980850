import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'
import { connect, createServer } from 'node:net'

/** What is said on one connection. */
interface Pair {
  readonly client: Socket
  readonly server: Socket
  /** What the client has sent and the proxy holds. */
  held: Buffer[]
  /** The answer to what the client has sent is lost: the connection breaks instead. */
  losesAnswer: boolean
  /** Nothing gets through, in either direction, and nobody is told. */
  isForgotten: boolean
}

/** A message that a test waits for. */
interface Expected {
  readonly matches: (text: string) => boolean
  readonly hasCome: () => void
}

/** Stands between a client and a server on this machine, and breaks what they say. */
export class TcpProxy {
  readonly #server: Server
  readonly #target: number
  readonly #pairs: Set<Pair> = new Set()
  #isHolding = false
  #loss: Expected | undefined
  #stop: Expected | undefined

  static async start(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target)
    await once(proxy.#server, 'listening')
    return proxy
  }

  private constructor(target: number) {
    this.#target = target
    this.#server = createServer((client) => this.#accept(client)).listen(0, '127.0.0.1')
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** From now on, what clients send waits here, and so do new connections. */
  hold(): void {
    this.#isHolding = true
  }

  /** Holds from the next message on that matches. Resolves when it has come. */
  holdAt(matches: (text: string) => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#stop = { matches, hasCome: resolve }
    })
  }

  /** Passes on what has waited, and whatever comes. */
  release(): void {
    this.#isHolding = false
    for (const pair of this.#pairs) for (const chunk of pair.held.splice(0)) this.#pass(pair, chunk)
  }

  /** Forgets what has waited, as a network that loses it. */
  forget(): void {
    for (const pair of this.#pairs) pair.held = []
  }

  /** Forgets the connections that there are, as a firewall does: they stay open and silent. New ones are as usual. */
  forgetConnections(): void {
    for (const pair of this.#pairs) pair.isForgotten = true
  }

  /** Breaks all connections. */
  reset(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy()
      server.destroy()
    }
  }

  /**
   * Loses the next answer to a message that matches: the server has done what it was asked, the connection breaks, and the
   * proxy holds whatever comes after it. Resolves then; `release()` lets the client go on.
   */
  loseAnswer(matches: (text: string) => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#loss = { matches, hasCome: resolve }
    })
  }

  async end(): Promise<void> {
    this.reset()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #accept(client: Socket): void {
    const server = connect(this.#target, '127.0.0.1')
    const pair: Pair = { client, server, held: [], losesAnswer: false, isForgotten: false }
    this.#pairs.add(pair)
    client.on('data', (chunk: Buffer) => {
      if (pair.isForgotten) return
      if (this.#stop?.matches(chunk.toString('latin1'))) {
        this.hold()
        this.#stop.hasCome()
        this.#stop = undefined
      }
      if (this.#isHolding) pair.held.push(chunk)
      else this.#pass(pair, chunk)
    })
    server.on('data', (chunk: Buffer) => {
      if (pair.isForgotten) return
      if (pair.losesAnswer) this.#break(pair)
      else client.write(chunk)
    })
    for (const [one, other] of [
      [client, server],
      [server, client]
    ] as const) {
      // What breaks is closed next.
      one.on('error', () => {})
      one.on('close', () => {
        other.destroy()
        this.#pairs.delete(pair)
      })
    }
  }

  #pass(pair: Pair, chunk: Buffer): void {
    if (this.#loss?.matches(chunk.toString('latin1'))) pair.losesAnswer = true
    pair.server.write(chunk)
  }

  #break(pair: Pair): void {
    const loss = this.#loss
    this.#loss = undefined
    this.hold()
    pair.client.resetAndDestroy()
    pair.server.destroy()
    loss?.hasCome()
  }
}
