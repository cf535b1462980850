import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { WebSocket } from 'ws'
import type { SoakApp } from './app.ts'

/** `keep-alive`, `abort` and `socket` go over the network, and all others straight into Fastify. */
type Act =
  | 'public'
  | 'who'
  | 'write'
  | 'update'
  | 'overlap'
  | 'login'
  | 'renew'
  | 'logout'
  | 'forge'
  | 'abandon'
  | 'devices'
  | 'end-others'
  | 'keep-alive'
  | 'abort'
  | 'socket'

/** How often each happens among a thousand. */
const WEIGHTS: Readonly<Record<Act, number>> = {
  public: 180,
  who: 200,
  write: 200,
  update: 80,
  overlap: 30,
  login: 90,
  renew: 50,
  logout: 40,
  forge: 60,
  abandon: 20,
  devices: 10,
  'end-others': 10,
  'keep-alive': 15,
  abort: 10,
  socket: 5
}
const ACTS: readonly Act[] = (Object.keys(WEIGHTS) as Act[]).flatMap((act) => Array<Act>(WEIGHTS[act]).fill(act))

/** One for all visitors, so that few connections serve many requests. */
export const agent: Agent = new Agent({ keepAlive: true, maxSockets: 4 })

let slowVisits = 0

/** A browser that does one thing after the other, by chance. */
export class Visitor {
  readonly #user: number
  readonly #soak: SoakApp
  #cookie = ''
  #isLoggedIn = false

  constructor(soak: SoakApp, user: number) {
    this.#soak = soak
    this.#user = user
  }

  /** Its session has expired. The browser keeps the cookie. */
  expire(): void {
    this.#isLoggedIn = false
  }

  /** Does the next thing. Returns the number of requests. Throws if a reply is not the right one. */
  async act(): Promise<number> {
    const act = ACTS[Math.floor(Math.random() * ACTS.length)] as Act
    switch (act) {
      case 'public':
        await this.#ask('GET', '/public')
        return 1
      case 'who':
        await this.#check(await this.#ask('GET', '/who'))
        return 1
      case 'login':
        await this.#ask('POST', `/login/${this.#user}`)
        this.#isLoggedIn = true
        return 1
      case 'logout':
        await this.#ask('POST', '/logout')
        this.#isLoggedIn = false
        return 1
      case 'overlap':
        await Promise.all(['/write', '/update', '/write'].map((path) => this.#ask('POST', path)))
        return 3
      case 'forge':
        return this.#forge()
      case 'abandon':
        this.#cookie = ''
        this.#isLoggedIn = false
        return 0
      case 'devices':
        if (!this.#soak.isStored) return 0
        await this.#ask('GET', `/devices/${this.#user}`)
        return 1
      case 'end-others':
        if (!this.#soak.isStored) return 0
        await this.#ask('POST', `/end-others/${this.#user}`)
        return 1
      case 'keep-alive':
        return this.#overNetwork()
      case 'abort':
        return this.#abort()
      case 'socket':
        return this.#useSocket()
      default:
        await this.#ask('POST', `/${act}`)
        return 1
    }
  }

  /** Sends cookies that nobody sealed, and ones that are nearly genuine. */
  async #forge(): Promise<number> {
    const at = this.#cookie.length - 1 - Math.floor(Math.random() * 40)
    const changed = this.#cookie.slice(0, at) + (this.#cookie[at] === 'x' ? 'y' : 'x') + this.#cookie.slice(at + 1)
    for (const cookie of [
      changed,
      'session=x; '.repeat(20),
      `session=r1AAAAAA1795176000.${this.#user}.${'A'.repeat(43)}`
    ]) {
      const { body } = await this.#soak.app.inject({ url: '/who', headers: { cookie } })
      if (body !== '{"user":null}') throw new Error(`A forged cookie opens a session: ${body}`)
    }
    return 3
  }

  async #ask(method: 'GET' | 'POST', url: string): Promise<string> {
    const reply = await this.#soak.app.inject({ method, url, headers: { cookie: this.#cookie } })
    if (reply.statusCode !== 200) throw new Error(`${method} ${url}: ${reply.statusCode} ${reply.body}`)
    this.#keep(reply.headers['set-cookie'])
    return reply.body
  }

  #keep(header: string | string[] | undefined): void {
    for (const line of [header ?? []].flat()) {
      const [pair = ''] = line.split(';', 1)
      this.#cookie = pair === 'session=' ? '' : pair
    }
  }

  #check(body: string): void {
    const { user } = JSON.parse(body)
    const expected = this.#isLoggedIn ? this.#user : null
    if (user !== expected) throw new Error(`The user is ${user} instead of ${expected}`)
  }

  async #overNetwork(): Promise<number> {
    const sent = request({ agent, port: this.#soak.port, path: '/who', headers: { cookie: this.#cookie } }).end()
    const [reply] = await once(sent, 'response')
    this.#keep(reply.headers['set-cookie'])
    this.#check(await text(reply))
    return 1
  }

  /** Leaves while the request is under way. */
  async #abort(): Promise<number> {
    const { slow, port } = this.#soak
    const id = String(slowVisits++)
    const begun = new Promise<void>((begin) => {
      slow.set(id, { begin, end: () => slow.delete(id) })
    })
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    socket.write(`GET /slow/${id} HTTP/1.1\r\nhost: localhost\r\ncookie: ${this.#cookie}\r\n\r\n`)
    await begun
    socket.destroy()
    return 1
  }

  async #useSocket(): Promise<number> {
    const socket = new WebSocket(`ws://127.0.0.1:${this.#soak.port}/socket`, { headers: { cookie: this.#cookie } })
    await once(socket, 'open')
    socket.send('who')
    const [answer] = await once(socket, 'message')
    socket.close()
    await once(socket, 'close')
    this.#check(String(answer))
    return 1
  }
}
