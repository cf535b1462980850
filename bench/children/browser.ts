import { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { RouteName, Setting } from './setting.ts'
import { Wire } from './wire.ts'

const USERS = 50
/** Synchronous systems let the event loop turn this often, as a server does that reads from its connections. */
const REQUESTS_PER_TURN = 50

const FOREIGN_COOKIES: readonly string[] = [
  'theme=dark-high-contrast',
  'tracker=8a6c1f02-5d3e-4b7a-9c11-d2e4f6a8b0c2',
  ...Array.from({ length: 18 }, (_, index) => `_other_${index}=GS1.1.${1_763_000_000 + index}.${index}.1.17639.60.0`)
]

interface User {
  cookie: string | undefined
  /** The last one. The others are not kept, as on a server: they would only be work for the garbage collector. */
  reply: string
}

interface PreparedRequest {
  readonly user: User
  readonly url: string
  readonly cookies: string
}

export interface Reply {
  readonly status: number
  readonly body: string
  readonly cookie: string | undefined
}

/**
 * Fifty users who send requests to the application itself, with Node's own request and response but no network. What is not the
 * server's work is done before a slice (`prepare`) and after it (`adoptCookies`).
 */
export class Browser {
  readonly #app: FastifyInstance
  readonly #users: readonly User[] = Array.from({ length: USERS }, () => ({ cookie: undefined, reply: '' }))
  readonly #foreign: readonly string[]
  /** The connections that wait for a request. */
  readonly #idle: Wire[] = []

  constructor(app: FastifyInstance, { foreignCookies }: Setting) {
    this.#app = app
    this.#foreign = FOREIGN_COOKIES.slice(0, foreignCookies)
  }

  /** Every user logs in and keeps the cookie. */
  async logIn(): Promise<void> {
    await this.send(this.prepare('login', USERS))
    this.adoptCookies()
  }

  /** Each request gets a text of its own, as from a parser, so that nothing is known of it. */
  prepare(route: RouteName, count: number): PreparedRequest[] {
    const [first = '', ...others] = this.#foreign
    return Array.from({ length: count }, (_, index) => {
      const user = this.#users[index % USERS] as User
      const own = route === 'login' ? undefined : user.cookie
      const cookies = [first, own, ...others].filter((cookie) => cookie !== undefined).join('; ')
      return { user, url: `/${route}`, cookies: Buffer.from(cookies, 'latin1').toString('latin1') }
    })
  }

  /** Sends the requests, `inFlight` at a time: 1 for a system that never waits. Rejects unless each is answered with 200. */
  send(requests: readonly PreparedRequest[], inFlight = 1): Promise<void> {
    return new Promise((resolve, reject) => {
      let sent = 0
      let answered = 0
      const next = (): void => {
        if (sent === requests.length) return
        const request = requests[sent++] as PreparedRequest
        if (sent % REQUESTS_PER_TURN === 0) setImmediate(() => this.#exchange(request, done))
        else this.#exchange(request, done)
      }
      const done = (status: number, url: string): void => {
        if (status !== 200) reject(new Error(`${url} answered ${status}`))
        else if (++answered === requests.length) resolve()
        else next()
      }
      for (let index = 0; index < inFlight; index++) next()
    })
  }

  /** Sends one request with one cookie, or none. */
  ask(route: string, cookie = ''): Promise<Reply> {
    const user: User = { cookie: undefined, reply: '' }
    return new Promise((resolve) => {
      this.#exchange({ user, url: `/${route}`, cookies: cookie }, (status) => {
        const [head = '', body = ''] = user.reply.split('\r\n\r\n')
        resolve({ status, body, cookie: cookieOf(head) })
      })
    })
  }

  /** The users keep the cookies of their last replies. Returns how many there were. */
  adoptCookies(): number {
    let cookiesSet = 0
    for (const user of this.#users) {
      const cookie = cookieOf(user.reply)
      if (cookie === undefined) continue
      cookiesSet++
      user.cookie = mergeCookies(user.cookie, cookie)
    }
    return cookiesSet
  }

  #exchange({ user, url, cookies }: PreparedRequest, done: (status: number, url: string) => void): void {
    const wire = this.#idle.pop() ?? new Wire()
    const request = new IncomingMessage(wire.asSocket())
    request.method = 'GET'
    request.url = url
    request.httpVersionMajor = 1
    request.httpVersionMinor = 1
    request.httpVersion = '1.1'
    request.headers = { host: '127.0.0.1', cookie: cookies }
    const response = new ServerResponse(request)
    response.assignSocket(wire.asSocket())
    this.#app.routing(request, response)
    response.on('finish', () => {
      response.detachSocket(wire.asSocket())
      user.reply = wire.reply
      wire.reply = ''
      this.#idle.push(wire)
      done(response.statusCode, url)
    })
  }
}

/** Returns the names and values of all Set-Cookie lines, as a Cookie header has them. */
function cookieOf(reply: string): string | undefined {
  const cookies = Array.from(reply.matchAll(/\r\nset-cookie: ([^;\r]*)/gi), ([, cookie]) => cookie)
  return cookies.length === 0 ? undefined : cookies.join('; ')
}

/** Returns a Cookie header in which new cookies take the place of those with their names. */
export function mergeCookies(present: string | undefined, set: string | undefined): string {
  const pairs = [present, set].flatMap((header) => header?.split('; ') ?? [])
  return [...new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair])).values()].join('; ')
}
