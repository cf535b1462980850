import type { Socket } from 'node:net'
import { connect } from 'node:net'
import type { Drive, DriverRequest, RouteName } from './protocol.ts'

/** Two cookies of other applications, one before and one after the session's. */
const FOREIGN_BEFORE = 'theme=dark-high-contrast'
const FOREIGN_AFTER = 'tracker=8a6c1f02-5d3e-4b7a-9c11-d2e4f6a8b0c2'

const BUFFER_BYTES = 65_536
const LOGIN: RouteName = 'login'

/** One user: a keep-alive connection with its own cookie, which every Set-Cookie updates. */
class Client {
  sent = 0
  cookiesSet = 0
  #cookie = ''
  #adopts = true
  #route: RouteName = LOGIN
  #request = ''
  #unread = ''
  #answered: () => void = () => {}
  readonly #socket: Socket

  constructor(port: number) {
    this.#socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafe(BUFFER_BYTES),
        callback: (bytes, buffer) => this.#read((buffer as Buffer).toString('latin1', 0, bytes))
      }
    })
    this.#socket.on('error', (error) => {
      throw error
    })
  }

  get cookie(): string {
    return this.#cookie
  }

  /** Sends a request, and calls `answered` when the whole reply has arrived. */
  ask(route: RouteName, adopts: boolean, answered: () => void): void {
    if (route !== this.#route || this.#request === '') {
      this.#route = route
      this.#request = this.#write()
    }
    this.#adopts = adopts
    this.#answered = answered
    this.sent++
    this.#socket.write(this.#request, 'latin1')
  }

  close(): void {
    this.#socket.destroy()
  }

  #write(): string {
    const cookies = [FOREIGN_BEFORE, this.#cookie, FOREIGN_AFTER].filter((cookie) => cookie !== '').join('; ')
    return `GET /${this.#route} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: ${cookies}\r\n\r\n`
  }

  #read(chunk: string): boolean {
    const text = this.#unread === '' ? chunk : this.#unread + chunk
    const headEnd = text.indexOf('\r\n\r\n')
    const length = headEnd === -1 ? undefined : headerValue(text, '\r\ncontent-length: ', '\r\nContent-Length: ')
    if (length === undefined || text.length < headEnd + 4 + Number(length)) {
      this.#unread = text
      return true
    }
    this.#unread = ''
    if (!text.startsWith('HTTP/1.1 200 ')) throw new Error(`/${this.#route} answered ${text.slice(0, 200)}`)
    const line = headerValue(text, '\r\nset-cookie: ', '\r\nSet-Cookie: ')
    if (line !== undefined) {
      this.cookiesSet++
      if (this.#adopts) {
        this.#cookie = line.slice(0, line.indexOf(';'))
        this.#request = this.#write()
      }
    }
    this.#answered()
    return true
  }
}

/** Returns the value of a header. Fastify sends its name in lower case, Express in title case. */
function headerValue(text: string, lowerCase: string, titleCase: string): string | undefined {
  let at = text.indexOf(lowerCase)
  if (at === -1) at = text.indexOf(titleCase)
  if (at === -1) return undefined
  const from = at + lowerCase.length
  return text.slice(from, text.indexOf('\r\n', from))
}

const clients = new Map<string, readonly Client[]>()

async function open(server: string, port: number, connections: number, logIn: boolean): Promise<void> {
  const opened = Array.from({ length: connections }, () => new Client(port))
  clients.set(server, opened)
  if (!logIn) return
  await Promise.all(opened.map((client) => new Promise<void>((resolve) => client.ask(LOGIN, true, resolve))))
  for (const client of opened) client.sent = 0
}

/** Keeps every connection busy until `requests` replies have arrived. It waits in a loop: waking it up would cost the server. */
function drive(server: string, route: RouteName, requests: number): Promise<Drive> {
  const users = clients.get(server)
  const [first] = users ?? []
  if (users === undefined || first === undefined) throw new Error(`${server} is not open`)
  for (const client of users) client.cookiesSet = 0
  const adopts = route !== LOGIN
  const started = process.hrtime.bigint()
  return new Promise((resolve) => {
    let toSend = requests
    let toCome = requests
    const next = (client: Client): void => {
      if (toSend === 0) return
      toSend--
      client.ask(route, adopts, () => {
        toCome--
        next(client)
      })
    }
    const spin = (): void => {
      if (toCome > 0) {
        setImmediate(spin)
        return
      }
      const milliseconds = Number(process.hrtime.bigint() - started) / 1e6
      const cookiesSet = users.reduce((sum, client) => sum + client.cookiesSet, 0)
      resolve({ milliseconds, cookiesSet, cookie: first.cookie, sent: first.sent })
    }
    for (const client of users) next(client)
    spin()
  })
}

function close(server: string): void {
  for (const client of clients.get(server) ?? []) client.close()
  clients.delete(server)
}

async function answer(request: DriverRequest): Promise<Drive | null> {
  switch (request.ask) {
    case 'open':
      await open(request.server, request.port, request.connections, request.logIn)
      return null
    case 'drive':
      return drive(request.server, request.route, request.requests)
    case 'close':
      close(request.server)
      return null
  }
}

process.on('message', async (request: DriverRequest) => {
  process.send?.(await answer(request))
})
process.on('disconnect', () => process.exit())
process.send?.(null)
