import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { SoakApp } from './app.ts'
import { Connection } from './connection.ts'

/** How often a visitor does each thing, among a thousand. */
const WEIGHTS = {
  public: 180,
  who: 200,
  write: 200,
  update: 80,
  overlap: 40,
  login: 90,
  renew: 50,
  logout: 40,
  forge: 60,
  abandon: 20,
  devices: 10,
  'end-others': 10,
  abort: 15,
  socket: 5
}
type Act = keyof typeof WEIGHTS
const ACTS: readonly Act[] = (Object.keys(WEIGHTS) as Act[]).flatMap((act) => Array<Act>(WEIGHTS[act]).fill(act))

let slowVisits = 0

/** A browser that does one thing after the other, by chance. */
export class Visitor {
  readonly #soaked: SoakApp
  readonly #user: number
  readonly #connection: Connection
  #cookie = ''
  #isLoggedIn = false

  constructor(soaked: SoakApp, user: number) {
    this.#soaked = soaked
    this.#user = user
    this.#connection = new Connection(soaked.port)
  }

  /** Does the next thing. Returns the number of requests. Throws if a reply is not the right one. */
  act(): Promise<number> {
    const act = ACTS[Math.floor(Math.random() * ACTS.length)] as Act
    switch (act) {
      case 'public':
        return this.#ask('GET /public')
      case 'who':
        return this.#who()
      case 'login':
        return this.#logIn()
      case 'logout':
        return this.#logOut()
      case 'overlap':
        return this.#ask('POST /write', 'POST /update', 'GET /public', 'POST /write')
      case 'forge':
        return this.#forge()
      case 'abandon':
        return this.#abandon()
      case 'devices':
        return this.#ask(...(this.#soaked.isStored ? [`GET /devices/${this.#user}`] : []))
      case 'end-others':
        return this.#ask(...(this.#soaked.isStored ? [`POST /end-others/${this.#user}`] : []))
      case 'abort':
        return this.#abort()
      case 'socket':
        return this.#useSocket()
      default:
        return this.#ask(`POST /${act}`)
    }
  }

  /** Closes the connection. The browser keeps its cookie, of a session that has expired. */
  async leave(): Promise<void> {
    this.#isLoggedIn = false
    await this.#connection.close()
  }

  async #ask(...requests: readonly string[]): Promise<number> {
    await Promise.all(requests.map((request) => this.#send(request)))
    return requests.length
  }

  async #send(request: string): Promise<string> {
    const [method = '', url = ''] = request.split(' ')
    const { status, setCookies, body } = await this.#connection.ask(method, url, this.#cookie)
    if (status !== 200) throw new Error(`${request}: ${status} ${body}`)
    for (const pair of setCookies) this.#cookie = pair === 'session=' ? '' : pair
    return body
  }

  async #who(): Promise<number> {
    this.#check(await this.#send('GET /who'))
    return 1
  }

  #check(body: string): void {
    const { user } = JSON.parse(body)
    const expected = this.#isLoggedIn ? this.#user : null
    if (user !== expected) throw new Error(`The user is ${user} instead of ${expected}.`)
  }

  async #logIn(): Promise<number> {
    await this.#send(`POST /login/${this.#user}`)
    this.#isLoggedIn = true
    return 1
  }

  async #logOut(): Promise<number> {
    await this.#send('POST /logout')
    this.#isLoggedIn = false
    return 1
  }

  /** The browser loses its cookie, and nobody uses the session any more. */
  async #abandon(): Promise<number> {
    this.#cookie = ''
    this.#isLoggedIn = false
    return 0
  }

  /** Sends cookies that nobody sealed, one of them nearly genuine. */
  async #forge(): Promise<number> {
    const cookie = this.#cookie
    const at = cookie.length - 1 - Math.floor(Math.random() * 40)
    const forged = [
      `${cookie.slice(0, at)}${cookie[at] === 'x' ? 'y' : 'x'}${cookie.slice(at + 1)}`,
      'session=x; '.repeat(20),
      `session=r1AAAAAA1795176000.${'A'.repeat(43)}.${'A'.repeat(43)}`
    ]
    for (const cookie of forged) {
      const { body } = await this.#connection.ask('GET', '/who', cookie)
      if (body !== '{"user":null}') throw new Error(`A forged cookie opens a session: ${body}`)
    }
    return forged.length
  }

  /** Leaves while a request is under way. */
  async #abort(): Promise<number> {
    const { slow } = this.#soaked
    const id = String(slowVisits++)
    const begun = new Promise<void>((begin) => {
      slow.set(id, { begin, end: () => slow.delete(id) })
    })
    this.#connection.send('GET', `/slow/${id}`, this.#cookie)
    await begun
    await this.#connection.close()
    return 1
  }

  async #useSocket(): Promise<number> {
    const socket = new WebSocket(`ws://127.0.0.1:${this.#soaked.port}/socket`, { headers: { cookie: this.#cookie } })
    await once(socket, 'open')
    socket.send('who')
    const [answer] = await once(socket, 'message')
    socket.close()
    await once(socket, 'close')
    this.#check(String(answer))
    return 1
  }
}
