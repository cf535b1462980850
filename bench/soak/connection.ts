import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect } from 'node:net'

export interface Reply {
  readonly status: number
  readonly setCookies: readonly string[]
  readonly body: string
}

/**
 * A connection of a browser, which is kept alive. Requests may overlap: they are sent at once, and answered in their order
 * (RFC 9112, section 9.3.2). It costs a fraction of the client of Node.js.
 */
export class Connection {
  readonly #port: number
  #socket: Socket | undefined
  #received = ''
  #waiting: ((reply: Reply) => void)[] = []

  constructor(port: number) {
    this.#port = port
  }

  ask(method: string, url: string, cookie: string): Promise<Reply> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.send(method, url, cookie)
    })
  }

  /** Sends a request and waits for no reply. */
  send(method: string, url: string, cookie: string): void {
    this.#socket ??= this.#open()
    const length = method === 'POST' ? 'content-length: 0\r\n' : ''
    this.#socket.write(`${method} ${url} HTTP/1.1\r\nhost: localhost\r\ncookie: ${cookie}\r\n${length}\r\n`)
  }

  /** Closes the connection, whatever is under way. The next request opens another one. */
  async close(): Promise<void> {
    const socket = this.#socket
    if (socket === undefined) return
    this.#socket = undefined
    this.#received = ''
    this.#waiting = []
    socket.destroy()
    await once(socket, 'close')
  }

  #open(): Socket {
    const socket = connect(this.#port, '127.0.0.1').setEncoding('latin1').setNoDelay()
    return socket.on('data', (chunk) => this.#receive(String(chunk)))
  }

  #receive(chunk: string): void {
    this.#received += chunk
    for (let reply = this.#nextReply(); reply !== undefined; reply = this.#nextReply()) this.#waiting.shift()?.(reply)
  }

  #nextReply(): Reply | undefined {
    const headEnd = this.#received.indexOf('\r\n\r\n')
    if (headEnd === -1) return undefined
    const head = this.#received.slice(0, headEnd)
    const bodyEnd = headEnd + 4 + Number(/^content-length: (\d+)/im.exec(head)?.[1])
    if (!(this.#received.length >= bodyEnd)) return undefined
    const body = this.#received.slice(headEnd + 4, bodyEnd)
    this.#received = this.#received.slice(bodyEnd)
    const setCookies = [...head.matchAll(/^set-cookie: ([^;]*)/gim)].map(([, pair = '']) => pair)
    return { status: Number(head.slice(9, 12)), setCookies, body }
  }
}
