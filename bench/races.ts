// Measures what each library does with requests that overlap: `npm run races`. Each library runs in the same HTTP application. A
// gate holds a request in its handler, where a real one would wait for a database, until the other requests have come or gone.

import type { AddressInfo } from 'node:net'
import cookie from '@fastify/cookie'
import secureSession from '@fastify/secure-session'
import fastifySession from '@fastify/session'
import express from 'express'
import expressSession from 'express-session'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fastify from 'fastify'
import { createClient } from 'redis'
import type { SessionOptions } from '../dist/lib/index.js'
import session, { MemoryStore } from '../dist/lib/index.js'
import { RedisStore } from '../dist/lib/stores/redis/index.js'
import { COOKIE_ATTRIBUTES, COOKIE_NAME, SECRET } from './children/systems/settings.ts'

const KEYS = 20
const INCREMENTS = 100

/** What the scenarios need from the session of every library. */
interface AnySession {
  get(name: string): unknown
  set(name: string, value: unknown): void
  /** Changes the id, as a login does, and keeps the cart. */
  renew(): unknown
  end(): unknown
  /** Adds one to a counter in the safest way that the library offers. */
  increment(): unknown
}

type Values = Record<string, unknown>

/** `plain` adds one by a read and a write, `atomic` in the safest way that the library offers. */
type Action = 'read' | 'set' | 'plain' | 'atomic' | 'renew' | 'end'

interface Work {
  readonly action: Action
  readonly name?: string
  readonly value?: unknown
  /** The gate at which the request waits. */
  readonly gate?: number
}

interface Server {
  readonly url: string
  close(): Promise<unknown>
}

interface System {
  readonly label: string
  start(): Promise<Server>
}

/** The handler of all systems. */
async function act(current: AnySession, { action, name = '', value, gate }: Work): Promise<unknown> {
  if (gate !== undefined) await gates.wait(gate)
  if (action === 'read') return { value: current.get(name) }
  if (action === 'set') current.set(name, value)
  if (action === 'plain') current.set('count', Number(current.get('count') ?? 0) + 1)
  if (action === 'atomic') await current.increment()
  if (action === 'renew') await current.renew()
  if (action === 'end') await current.end()
  return {}
}

class Gates {
  readonly #gates: { arrive(): void; arrived: Promise<void>; open(): void; opened: Promise<void> }[] = []

  add(): number {
    const [arrived, arrive] = latch()
    const [opened, open] = latch()
    return this.#gates.push({ arrive, arrived, open, opened }) - 1
  }

  async wait(gate: number): Promise<void> {
    this.#gates[gate]?.arrive()
    await this.#gates[gate]?.opened
  }

  arrived(gate: number): Promise<void> | undefined {
    return this.#gates[gate]?.arrived
  }

  open(gate: number): void {
    this.#gates[gate]?.open()
  }
}

const gates = new Gates()

function latch(): [promise: Promise<void>, open: () => void] {
  let open!: () => void
  const promise = new Promise<void>((resolve) => {
    open = resolve
  })
  return [promise, open]
}

/** A browser that sends the cookie of the last reply. */
class Browser {
  readonly #url: string
  #cookie: string

  constructor(url: string, cookie = '') {
    this.#url = url
    this.#cookie = cookie
  }

  /** Returns another browser with the current cookie. */
  copy(): Browser {
    return new Browser(this.#url, this.#cookie)
  }

  async send(work: Work): Promise<Values> {
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie: this.#cookie },
      body: JSON.stringify(work)
    })
    for (const line of response.headers.getSetCookie()) this.#cookie = line.split(';', 1)[0] ?? ''
    const body = await response.text()
    // An error reply, for example because the session has ended, is an outcome, not a failure of the measurement.
    return response.ok ? JSON.parse(body) : {}
  }

  /** Sends a request that waits in its handler. Returns a function that releases it. */
  async hold(work: Work): Promise<() => Promise<Values>> {
    const gate = gates.add()
    const sent = this.send({ ...work, gate })
    await Promise.race([gates.arrived(gate), sent])
    return () => {
      gates.open(gate)
      return sent
    }
  }

  async read(name: string): Promise<unknown> {
    return (await this.send({ action: 'read', name })).value
  }

  async set(name: string, value: unknown): Promise<void> {
    await this.send({ action: 'set', name, value })
  }
}

/** Sends requests that all load the session before the first of them continues. Releases them one by one, or all at once. */
async function overlap(browser: Browser, works: readonly Work[], atOnce: boolean): Promise<void> {
  const held: (() => Promise<Values>)[] = []
  for (const work of works) held.push(await browser.hold(work))
  if (atOnce) await Promise.all(held.map((release) => release()))
  else for (const release of held) await release()
}

function repeat<T>(times: number, value: (index: number) => T): T[] {
  return Array.from({ length: times }, (_, index) => value(index))
}

/** Each scenario starts with a new browser whose user is logged in, and returns the outcome. Bad outcomes are bold. */
const SCENARIOS: readonly (readonly [title: string, run: (browser: Browser) => Promise<string>])[] = [
  [
    `${KEYS} requests write ${KEYS} keys`,
    async (browser) => {
      const names = repeat(KEYS, (index) => `key${index}`)
      const works = names.map((name): Work => ({ action: 'set', name, value: 1 }))
      await overlap(browser, works, false)
      let kept = 0
      for (const name of names) if ((await browser.read(name)) === 1) kept++
      return bold(kept < KEYS, `${kept} kept`)
    }
  ],
  [
    `${INCREMENTS} × \`n++\``,
    async (browser) => {
      await overlap(
        browser,
        repeat(INCREMENTS, () => ({ action: 'plain' })),
        true
      )
      return countOf(browser)
    }
  ],
  [
    `${INCREMENTS} × \`update()\`, or \`n++\` where there is none`,
    async (browser) => {
      await overlap(
        browser,
        repeat(INCREMENTS, () => ({ action: 'atomic' })),
        true
      )
      return countOf(browser)
    }
  ],
  [
    'a write, then a slower reader ends',
    async (browser) => {
      const release = await browser.hold({ action: 'read', name: 'user' })
      await browser.set('cart', 'new')
      await release()
      return lostOrKept((await browser.read('cart')) === 'new')
    }
  ],
  [
    'a logout, then a slower reader ends',
    async (browser) => {
      const before = browser.copy()
      const release = await browser.hold({ action: 'read', name: 'user' })
      await browser.send({ action: 'end' })
      await release()
      return loggedInOrOut(before)
    }
  ],
  [
    'a logout, then a slower writer ends',
    async (browser) => {
      const before = browser.copy()
      const release = await browser.hold({ action: 'set', name: 'late', value: 1 })
      await browser.send({ action: 'end' })
      await release()
      return loggedInOrOut(before)
    }
  ],
  [
    'the same, with the cookie that the browser then has',
    async (browser) => {
      const release = await browser.hold({ action: 'set', name: 'late', value: 1 })
      await browser.send({ action: 'end' })
      await release()
      return loggedInOrOut(browser)
    }
  ],
  [
    'a copy of the cookie, after a logout',
    async (browser) => {
      const before = browser.copy()
      await browser.send({ action: 'end' })
      return loggedInOrOut(before)
    }
  ],
  [
    'a write, then a slower change of id ends',
    async (browser) => {
      await browser.set('cart', 'old')
      const other = browser.copy()
      const release = await browser.hold({ action: 'renew' })
      await other.set('cart', 'new')
      await release()
      return lostOrKept((await browser.read('cart')) === 'new')
    }
  ],
  [
    'a change of id, then a slower writer ends: with the old id',
    async (browser) => {
      const before = browser.copy()
      const old = browser.copy()
      const release = await before.hold({ action: 'set', name: 'late', value: 1 })
      await browser.send({ action: 'renew' })
      await release()
      return loggedInOrOut(old)
    }
  ]
]

function bold(isBad: boolean, text: string): string {
  return isBad ? `**${text}**` : text
}

async function countOf(browser: Browser): Promise<string> {
  const count = Number((await browser.read('count')) ?? 0)
  return bold(count < INCREMENTS, String(count))
}

function lostOrKept(isKept: boolean): string {
  return bold(!isKept, isKept ? 'kept' : 'lost')
}

async function loggedInOrOut(browser: Browser): Promise<string> {
  const isIn = (await browser.read('user')) === 'ada'
  return bold(isIn, isIn ? 'logged in' : 'logged out')
}

/** Returns the session of a request with the type `T`, because several libraries declare `request.session`. */
function sessionOf<T>(request: object): T {
  return (request as { session: unknown }).session as T
}

async function listen(app: FastifyInstance, wrap: (request: FastifyRequest) => AnySession): Promise<Server> {
  app.post('/', async (request) => act(wrap(request), request.body as Work))
  return { url: await app.listen({ port: 0, host: '127.0.0.1' }), close: () => app.close() }
}

interface OurSession extends Values {
  renew(): Promise<void>
  destroy(): Promise<void>
  update(change: (data: Values) => void): Promise<void>
}

function ours(label: string, options: () => Partial<SessionOptions>): System {
  return {
    label,
    async start() {
      const app = fastify()
      await app.register(session, {
        secret: SECRET,
        cookieName: COOKIE_NAME,
        cookie: COOKIE_ATTRIBUTES,
        ...options()
      } as SessionOptions)
      return listen(app, (request) => {
        const data = sessionOf<OurSession>(request)
        return {
          get: (name) => data[name],
          set: (name, value) => Object.assign(data, { [name]: value }),
          renew: () => data.renew(),
          end: () => data.destroy(),
          increment: () => data.update((latest) => Object.assign(latest, { count: Number(latest.count ?? 0) + 1 }))
        }
      })
    }
  }
}

interface PeerSession extends Values {
  get(name: string): unknown
  set(name: string, value: unknown): void
  regenerate(keep: readonly string[]): Promise<void>
  destroy(): Promise<void>
  delete(): void
}

/** The keys that a login keeps, for libraries whose `regenerate` starts an empty session. */
const KEPT = ['user', 'cart']

function byFastifySession(label: string, tuning: { rolling?: boolean; saveUninitialized?: boolean }): System {
  return {
    label,
    async start() {
      const app = fastify()
      await app.register(cookie)
      await app.register(fastifySession, {
        secret: SECRET,
        cookieName: COOKIE_NAME,
        cookie: COOKIE_ATTRIBUTES,
        ...tuning
      })
      return listen(app, (request) => {
        const get = (name: string): unknown => sessionOf<PeerSession>(request).get(name)
        const set = (name: string, value: unknown): void => sessionOf<PeerSession>(request).set(name, value)
        return {
          get,
          set,
          renew: () => sessionOf<PeerSession>(request).regenerate(KEPT),
          end: () => sessionOf<PeerSession>(request).destroy(),
          increment: () => set('count', Number(get('count') ?? 0) + 1)
        }
      })
    }
  }
}

const bySecureSession: System = {
  label: '@fastify/secure-session',
  async start() {
    const app = fastify()
    await app.register(secureSession, {
      key: Buffer.from(SECRET),
      cookieName: COOKIE_NAME,
      cookie: COOKIE_ATTRIBUTES
    })
    return listen(app, (request) => {
      const data = sessionOf<PeerSession>(request)
      return {
        get: (name) => data.get(name),
        set: (name, value) => data.set(name, value),
        renew: () => data.regenerate(KEPT),
        end: () => data.delete(),
        increment: () => data.set('count', Number(data.get('count') ?? 0) + 1)
      }
    })
  }
}

interface ExpressSession extends Values {
  regenerate(done: (error: unknown) => void): void
  destroy(done: (error: unknown) => void): void
}

function byExpressSession(label: string, tuning: { resave: boolean; saveUninitialized: boolean }): System {
  return {
    label,
    async start() {
      const app = express()
      app.use(expressSession({ secret: SECRET, name: COOKIE_NAME, cookie: COOKIE_ATTRIBUTES, ...tuning }))
      app.use(express.json())
      const settle = (run: (done: (error: unknown) => void) => void): Promise<void> =>
        new Promise((resolve, reject) => run((error) => (error ? reject(error) : resolve())))
      app.post('/', async (request, response) => {
        const current = (): ExpressSession => sessionOf<ExpressSession>(request)
        const result = await act(
          {
            get: (name) => current()[name],
            set: (name, value) => Object.assign(current(), { [name]: value }),
            async renew() {
              const kept = Object.fromEntries(KEPT.map((name) => [name, current()[name]]))
              await settle((done) => current().regenerate(done))
              Object.assign(current(), kept)
            },
            end: () => settle((done) => current().destroy(done)),
            increment: () => Object.assign(current(), { count: Number(current().count ?? 0) + 1 })
          },
          request.body as Work
        )
        response.json(result)
      })
      return new Promise((resolve) => {
        const server = app.listen(0, '127.0.0.1', () => {
          const { port } = server.address() as AddressInfo
          const close = (): Promise<void> => {
            server.closeAllConnections()
            return new Promise((closed) => server.close(() => closed()))
          }
          resolve({ url: `http://127.0.0.1:${port}`, close })
        })
      })
    }
  }
}

async function connectRedis() {
  const url = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379'
  const client = createClient({ url, socket: { reconnectStrategy: false, connectTimeout: 2000 } })
  client.on('error', () => {})
  return client.connect().catch(() => undefined)
}

const redis = await connectRedis()
const systems: readonly System[] = [
  byFastifySession('@fastify/session, memory, defaults', {}),
  byFastifySession('@fastify/session, memory, tuned', { rolling: false, saveUninitialized: false }),
  byExpressSession('express-session, memory, defaults', { resave: true, saveUninitialized: true }),
  byExpressSession('express-session, memory, tuned', { resave: false, saveUninitialized: false }),
  bySecureSession,
  ours('ours, signed cookie', () => ({})),
  ours('ours, encrypted cookie', () => ({ encrypt: true })),
  ours('ours, MemoryStore', () => ({ store: new MemoryStore() })),
  ...(redis === undefined
    ? []
    : [ours('ours, RedisStore', () => ({ store: new RedisStore({ client: redis, prefix: 'session-races:' }) }))])
]

const outcomes = new Map<string, string[]>(SCENARIOS.map(([title]) => [title, []]))
for (const system of systems) {
  const server = await system.start()
  for (const [title, run] of SCENARIOS) {
    const browser = new Browser(server.url)
    await browser.set('user', 'ada')
    outcomes.get(title)?.push(await run(browser))
  }
  await server.close()
}
await redis?.close()

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
console.log(row(['', ...systems.map(({ label }) => label)]))
console.log(row(['---', ...systems.map(() => '---')]))
for (const [title, cells] of outcomes) console.log(row([title, ...cells]))
if (redis === undefined)
  console.log('\nThere is no column for Redis: no server answers at REDIS_URL or 127.0.0.1:6379.')
