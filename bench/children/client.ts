// Fifty browsers that keep their connections: node client.js <port>.
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import type { ClientRequest } from './messages.ts'
import type { RouteName } from './setting.ts'

const CONNECTIONS = 50
const FOREIGN = 'theme=dark-high-contrast'

class Connection {
  readonly #socket: Socket
  #cookie = ''
  #text = ''
  #answered: () => void = () => {}

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.setEncoding('latin1').on('data', (chunk: Buffer | string) => this.#read(String(chunk)))
  }

  /** Sends a request. Resolves when its whole reply is there, and keeps the cookie. */
  ask(route: RouteName): Promise<void> {
    const cookies = this.#cookie === '' || route === 'login' ? FOREIGN : `${FOREIGN}; ${this.#cookie}`
    this.#socket.write(`GET /${route} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: ${cookies}\r\n\r\n`, 'latin1')
    return new Promise((resolve) => {
      this.#answered = resolve
    })
  }

  #read(chunk: string): void {
    this.#text += chunk
    const headEnd = this.#text.indexOf('\r\n\r\n')
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(this.#text)?.[1])
    if (headEnd === -1 || this.#text.length < headEnd + 4 + length) return
    if (!this.#text.startsWith('HTTP/1.1 200 ')) throw new Error(`The server answered ${this.#text.slice(0, 100)}`)
    this.#cookie = /\r\nset-cookie: ([^;]*)/i.exec(this.#text)?.[1] ?? this.#cookie
    this.#text = ''
    this.#answered()
  }
}

const port = Number(process.argv[2])
const connections = Array.from({ length: CONNECTIONS }, () => new Connection(port))
await Promise.all(connections.map((connection) => connection.ask('login')))

process.on('message', async ({ route, requests }: ClientRequest) => {
  let left = requests
  await Promise.all(
    connections.map(async (connection) => {
      while (left-- > 0) await connection.ask(route)
    })
  )
  process.send?.(0)
})
process.on('disconnect', () => process.exit())
process.send?.(0)
