import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { FastifyInstance, FastifyRequest, LightMyRequestResponse } from 'fastify'
import fastify from 'fastify'
import type { LimitedSessionOptions, SessionOptions } from '../../types/options.ts'
import type { Session } from '../../types/session.ts'
import type { SessionStore } from '../../types/store.ts'
import { session } from '../plugin.ts'
import { getSession } from '../request/get-session.ts'
import type { StoreSuite, StoreWeakness } from './store-contract.ts'

/** What `testRaces` needs to know of a store and of the runner. */
export interface RaceSuite extends Omit<StoreSuite, 'open'> {
  /**
   * A store for one of the two applications of a test; it is called once for each, with the same `clock`. `other` is what the
   * first got: give it back where sessions live in this process. For a store with a server or files, a second one over the same
   * data tests more. What earlier tests left behind does no harm.
   */
  open(clock: () => number, other?: SessionStore): SessionStore | Promise<SessionStore>
}

const START = 1_763_640_000
const IDLE = 600
const WRITERS = 10
const INCREMENTS = 100
const LOGINS = 8

/**
 * Requests that overlap, through two applications with the plugin and one browser: what may not be lost, what may not come
 * back, and who is told. Nothing waits for time to pass: each request is held in its handler until the test lets it go on.
 *
 * `testStore` asks a store alone; this asks it together with the plugin, so run both.
 *
 * @example
 * ```ts
 * import { test } from 'node:test'
 * import { MemoryStore } from 'fastify-typed-session'
 * import { testRaces } from 'fastify-typed-session/testing'
 *
 * testRaces({ test, open: (clock, other) => other ?? new MemoryStore({ clock }) })
 * ```
 */
export function testRaces(suite: RaceSuite): void {
  const without = suite.without ?? []
  const test = (name: string, run: (site: Site) => Promise<void>, options: SiteOptions = {}): void => {
    suite.test(name, () => withSite(suite, options, run))
  }
  const testUnless = (
    weaknesses: readonly StoreWeakness[],
    name: string,
    run: (site: Site) => Promise<void>,
    options?: SiteOptions
  ): void => {
    const weakness = weaknesses.find((weakness) => without.includes(weakness))
    if (weakness === undefined) test(name, run, options)
    else suite.test(`left out (${weakness}): ${name}`, async () => {})
  }

  // One after the other, though they overlap: nothing here needs steps of the store to be atomic.

  test('a request that ends late keeps what others wrote to other keys', async ({ browser }) => {
    await browser.write({ before: 1 })
    const slow = await browser.hold('write', { set: { slow: 1 } })
    await browser.write({ quick: 1 })
    await slow.release()
    assert.deepEqual(await browser.read(), { before: 1, slow: 1, quick: 1 })
  })

  test('of writes to one key, the last one counts, and whole', async ({ browser }) => {
    await browser.write({ value: { by: 'nobody' } })
    const first = await browser.hold('write', { set: { value: { by: 'first', first: true } } })
    const second = await browser.hold('write', { set: { value: { by: 'second', second: true } } })
    await second.release()
    await first.release()
    assert.deepEqual(await browser.read(), { value: { by: 'first', first: true } })
  })

  test('a request that only reads takes nothing back', async ({ browser, advance }) => {
    await browser.write({ a: 'old', b: 'old' })
    advance(IDLE / 2)
    const reader = await browser.hold('read')
    await browser.write({ a: 'new' }, ['b'])
    const reply = await reader.release()
    assert.deepEqual(reply.json(), { a: 'old', b: 'old' }, 'a request keeps to what it began with')
    assert.notEqual(setCookie(reply), undefined, 'activity is noted, and nothing but that')
    assert.deepEqual(await browser.read(), { a: 'new' })
  })

  test('a deletion and a write to another key both count, whoever ends first', async ({ browser }) => {
    for (const [set, unset] of [
      [0, 1],
      [1, 0]
    ] as const) {
      await browser.write({ gone: 1, kept: 1, changed: 1 })
      const held = [
        await browser.hold('write', { set: { changed: 2 } }),
        await browser.hold('write', { unset: ['gone'] })
      ]
      await held[set]?.release()
      await held[unset]?.release()
      assert.deepEqual(await browser.read(), { kept: 1, changed: 2 })
    }
  })

  test('of a deletion and a write of one key, the last one counts', async ({ browser }) => {
    await browser.write({ key: 1, kept: 1 })
    const deletion = await browser.hold('write', { unset: ['key'] })
    const write = await browser.hold('write', { set: { key: 2 } })
    await deletion.release()
    await write.release()
    assert.deepEqual(await browser.read(), { key: 2, kept: 1 })
    const laterDeletion = await browser.hold('write', { unset: ['key'] })
    await browser.write({ key: 3 })
    await laterDeletion.release()
    assert.deepEqual(await browser.read(), { kept: 1 })
  })

  test('a request that removes the last key it knows of keeps what others wrote', async ({ browser }) => {
    await browser.write({ last: 1 })
    const before = browser.copy()
    const slow = await browser.hold('write', { unset: ['last'] })
    await browser.write({ added: 1 })
    await slow.release()
    assert.deepEqual(await before.read(), { added: 1 })
    assert.deepEqual(await browser.read(), { added: 1 }, 'and the browser still knows its session')
  })

  test('a slow reader brings no destroyed session back', async ({ browser, advance }) => {
    const before = await browser.logIn()
    advance(IDLE / 2)
    const reader = await browser.hold('read')
    await browser.logOut()
    const reply = await reader.release()
    assert.equal(reply.statusCode, 200)
    assert.equal(setCookie(reply), undefined, 'the browser was told by the logout, and knows better')
    assert.deepEqual(await before.read(), {})
  })

  test('a slow writer brings no destroyed session back', async ({ browser }) => {
    const before = await browser.logIn()
    const writers = [
      await browser.hold('write', { set: { late: 1 } }),
      await browser.hold('write', { set: { late: 1 }, permanent: true }),
      await browser.hold('write', { unset: ['user'] })
    ]
    const commit = await browser.hold('commit', { set: { late: 1 } })
    const update = await browser.hold('increment')
    const reload = await browser.hold('reload')
    await browser.logOut()
    for (const writer of writers) {
      const reply = await writer.release()
      assert.equal(reply.statusCode, 200, 'the handler waits for nothing, so the reply goes out')
      assert.equal(setCookie(reply), undefined)
    }
    for (const waiting of [commit, update, reload]) {
      const reply = await waiting.release()
      assert.equal(reply.statusCode, 409)
      assert.equal(errorCode(reply), 'ERR_SESSION_GONE')
      assert.equal(setCookie(reply), undefined)
    }
    assert.deepEqual(await before.read(), {})
  })

  test('a session that is destroyed twice at once is destroyed', async ({ browser }) => {
    const before = await browser.logIn()
    const other = await browser.hold('destroy')
    await browser.logOut()
    assert.equal((await other.release()).statusCode, 200)
    assert.deepEqual(await before.read(), {})
  })

  test('a new id takes along what was written under the old one', async ({ browser }) => {
    await browser.write({ cart: 1 })
    const before = browser.copy()
    const login = await browser.hold('renew', { set: { user: 'ada' } })
    assert.equal((await before.write({ cart: 2, added: 1 })).statusCode, 200)
    await login.release()
    assert.deepEqual(await browser.read(), { cart: 2, added: 1, user: 'ada' })
    assert.deepEqual(await before.read(), {}, 'the old id opens nothing')
  })

  test('what comes under the old id after the new one is gone', async ({ browser, advance }) => {
    await browser.write({ cart: 1 })
    const before = browser.copy()
    advance(IDLE / 2)
    const reader = await before.hold('read')
    const writer = await before.hold('write', { set: { cart: 2 } })
    const commit = await before.hold('commit', { set: { cart: 2 } })
    const update = await before.hold('increment')
    const renewal = await before.hold('renew', { set: { user: 'mallory' } })
    await browser.send('renew', { set: { user: 'ada' } })
    for (const late of [reader, writer, renewal]) {
      const reply = await late.release()
      assert.equal(reply.statusCode, 200)
      assert.equal(setCookie(reply), undefined)
    }
    for (const late of [commit, update]) {
      const reply = await late.release()
      assert.equal(errorCode(reply), 'ERR_SESSION_GONE')
      assert.equal(setCookie(reply), undefined)
    }
    assert.deepEqual(await browser.read(), { cart: 1, user: 'ada' })
    assert.deepEqual(await before.read(), {})
  })

  test('a session that began anew gets nothing from the old one', async ({ browser }) => {
    await browser.write({ cart: 1, role: 'guest' })
    const before = browser.copy()
    const writer = await before.hold('commit', { set: { role: 'admin' } })
    const update = await before.hold('increment')
    await browser.send('regenerate', { keep: ['cart'] })
    assert.equal(errorCode(await writer.release()), 'ERR_SESSION_GONE')
    assert.equal(errorCode(await update.release()), 'ERR_SESSION_GONE')
    assert.deepEqual(await browser.read(), { cart: 1 })
    assert.deepEqual(await before.read(), {})
  })

  test('a logout that began before the new id is final when it ends first', async ({ browser }) => {
    const before = await browser.logIn()
    const renewal = await before.hold('renew', { set: { role: 'admin' } })
    await browser.logOut()
    const reply = await renewal.release()
    assert.equal(setCookie(reply), undefined)
    assert.deepEqual(await before.read(), {})
  })

  test('a session that expires while a request writes is gone', async ({ browser, advance }) => {
    await browser.write({ a: 1 })
    const inTime = await browser.hold('commit', { set: { b: 1 } })
    advance(IDLE)
    assert.equal((await inTime.release()).statusCode, 200, 'its last second counts, and makes it live on')
    assert.deepEqual(await browser.read(), { a: 1, b: 1 })
    const writer = await browser.hold('write', { set: { late: 1 } })
    const reader = await browser.hold('read')
    const renewal = await browser.hold('renew')
    const update = await browser.hold('increment')
    advance(IDLE + 1)
    for (const late of [writer, reader, renewal]) {
      const reply = await late.release()
      assert.equal(reply.statusCode, 200)
      assert.equal(setCookie(reply), undefined)
    }
    assert.equal(errorCode(await update.release()), 'ERR_SESSION_GONE')
    assert.deepEqual(await browser.read(), {})
  })

  testUnless(['owners'], 'a session that its owner ended elsewhere stays so', async ({ browser, visit, app, user }) => {
    const before = await browser.logIn()
    const elsewhere = visit()
    await elsewhere.logIn()
    const writer = await before.hold('commit', { set: { late: 1 } })
    const { id } = (await elsewhere.send('id')).json()
    assert.equal(await app.sessions.revokeAll(user, { except: id }), 1)
    assert.equal(errorCode(await writer.release()), 'ERR_SESSION_GONE')
    assert.deepEqual(await before.read(), {})
    assert.deepEqual(await elsewhere.read(), { user })
  })

  // At once: here the steps of the store themselves overlap, from two applications.

  testUnless(['atomicity'], 'writes to different keys at once are all kept', async ({ browser }) => {
    await browser.write({ before: 1 })
    const names = range(WRITERS).map((index) => `key${index}`)
    const replies = await browser.sendAtOnce(names.map((name) => ['write', { set: { [name]: name } }]))
    assert.deepEqual(statuses(replies), repeat(200, WRITERS))
    assert.deepEqual(await browser.read(), { before: 1, ...Object.fromEntries(names.map((name) => [name, name])) })
  })

  testUnless(['atomicity'], 'writes to the same keys at once are never mixed', async ({ browser }) => {
    await browser.write({ one: -1, two: { by: -1 } })
    await browser.sendAtOnce(range(WRITERS).map((index) => ['write', { set: { one: index, two: { by: index } } }]))
    const { one, two } = await browser.read()
    assert.ok(range(WRITERS).includes(one as number), 'one of them has won')
    assert.deepEqual(two, { by: one }, 'both keys are of the same request')
  })

  testUnless(['atomicity'], `${INCREMENTS} increments by update() make ${INCREMENTS}`, async ({ browser }) => {
    await browser.write({ other: 0 })
    const replies = await browser.sendAtOnce(repeat(['increment', {}], INCREMENTS))
    assert.deepEqual(statuses(replies), repeat(200, INCREMENTS))
    const counts = replies.map((reply) => reply.json().count as number)
    assert.deepEqual(
      counts.toSorted((a, b) => a - b),
      range(INCREMENTS).map((index) => index + 1),
      'each request was told a number of its own'
    )
    assert.deepEqual(await browser.read(), { other: 0, count: INCREMENTS })
  })

  testUnless(['atomicity'], 'what is pushed by update() is in the array once', async ({ browser }) => {
    await browser.write({ list: [] })
    const items = range(2 * WRITERS)
    const replies = await browser.sendAtOnce(items.map((item) => ['push', { set: { item } }]))
    assert.deepEqual(statuses(replies), repeat(200, items.length))
    const { list } = await browser.read()
    assert.deepEqual(
      (list as number[]).toSorted((a, b) => a - b),
      items
    )
  })

  testUnless(['atomicity'], 'updates and plain writes to other keys at once are all kept', async ({ browser }) => {
    await browser.write({ kept: 1, removed: 1 })
    const names = range(WRITERS).map((index) => `key${index}`)
    await browser.sendAtOnce([
      ...repeat<Step>(['increment', {}], WRITERS),
      ...names.map((name): Step => ['write', { set: { [name]: 1 } }]),
      ['write', { unset: ['removed'] }]
    ])
    assert.deepEqual(await browser.read(), {
      kept: 1,
      count: WRITERS,
      ...Object.fromEntries(names.map((name) => [name, 1]))
    })
  })

  testUnless(['atomicity'], 'a logout among readers and writers is final', async ({ browser, advance }) => {
    for (const _ of range(3)) {
      const before = await browser.logIn()
      advance(IDLE / 2)
      const others = range(WRITERS).flatMap((index): Step[] => [
        ['write', { set: { [`key${index}`]: 1 } }],
        ['increment', {}],
        ['read', {}]
      ])
      const replies = await browser.sendAtOnce([...others, ['destroy', {}], ...others])
      assert.equal(replies[others.length]?.statusCode, 200)
      assert.deepEqual(await before.read(), {})
    }
  })

  testUnless(['atomicity'], 'what is acknowledged while the id changes moves along', async ({ browser }) => {
    for (const _ of range(3)) {
      await browser.send('regenerate', { keep: [] })
      await browser.write({ count: 0 })
      const [before, old] = [browser.copy(), browser.copy()]
      const names = range(WRITERS).map((index) => `key${index}`)
      const writes = names.map((name): Step => ['commit', { set: { [name]: 1 } }])
      const updates = repeat<Step>(['increment', {}], WRITERS)
      const renewal: Step = ['renew', { set: { user: 'ada' } }]
      const replies = await before.sendAtOnce([...writes, renewal, ...updates])
      const [written, [renewed], counted] = [
        replies.slice(0, WRITERS),
        replies.slice(WRITERS, WRITERS + 1),
        replies.slice(WRITERS + 1)
      ]
      browser.take(renewed as LightMyRequestResponse)
      const kept = names.filter((_, index) => written[index]?.statusCode === 200)
      const count = counted.filter(({ statusCode }) => statusCode === 200).length
      const codes = [...written, ...counted].map(errorCode).filter((code) => code !== undefined)
      assert.deepEqual(codes, repeat('ERR_SESSION_GONE', codes.length))
      assert.deepEqual(await browser.read(), {
        user: 'ada',
        count,
        ...Object.fromEntries(kept.map((name) => [name, 1]))
      })
      assert.deepEqual(await old.read(), {}, 'the old id opens nothing')
    }
  })

  testUnless(['atomicity'], 'of new ids that one session gets at once, one lives', async ({ browser, visit }) => {
    await browser.write({ cart: 1 })
    const replies = await browser.sendAtOnce(repeat(['renew', { set: { user: 'ada' } }], LOGINS))
    assert.deepEqual(statuses(replies), repeat(200, LOGINS))
    const tokens = new Set(replies.map(cookieValue).filter((token) => token !== undefined))
    assert.equal(tokens.size, 1, 'the others know that the session was gone, and set no cookie')
    for (const token of tokens) assert.deepEqual(await visit(token).read(), { cart: 1, user: 'ada' })
  })

  for (const policy of ['refuse', 'evict-oldest'] as const) {
    testUnless(
      ['atomicity', 'owners'],
      `logins at once do not get past maxPerOwner (${policy})`,
      async ({ app, visit, user }) => {
        const held: HeldRequest[] = []
        for (const _ of range(LOGINS)) held.push(await visit().hold('login'))
        const replies = await Promise.all(held.map((request) => request.release()))
        const accepted = replies.filter(({ statusCode }) => statusCode === 200)
        assert.equal(accepted.length, policy === 'refuse' ? 2 : LOGINS)
        for (const reply of replies.filter(({ statusCode }) => statusCode !== 200)) {
          assert.equal(errorCode(reply), 'ERR_SESSION_LIMIT')
          assert.equal(setCookie(reply), undefined)
        }
        const sessions = await Promise.all(accepted.map((reply) => visit(cookieValue(reply)).read()))
        assert.equal(sessions.filter((data) => data.user === user).length, 2)
        assert.equal((await app.sessions.list(user)).length, 2)
      },
      { maxPerOwner: 2, maxPerOwnerPolicy: policy }
    )
  }
}

type SiteOptions = Pick<LimitedSessionOptions, 'maxPerOwner' | 'maxPerOwnerPolicy'> | { maxPerOwner?: undefined }

/** Two applications that share what they keep, and what a test does with them. */
interface Site {
  readonly app: FastifyInstance
  readonly browser: Browser
  /** Who logs in: somebody else in each test. */
  readonly user: string
  /** Another browser, which may have a cookie. */
  visit(token?: string): Browser
  advance(seconds: number): void
}

async function withSite(suite: RaceSuite, options: SiteOptions, run: (site: Site) => Promise<void>): Promise<void> {
  let milliseconds = START * 1000 + 500
  const clock = (): number => milliseconds
  const gates = new Gates()
  const secret = randomBytes(32)
  const user = `user ${randomBytes(8).toString('hex')}`
  const apps: FastifyInstance[] = []
  const stores: SessionStore[] = []
  try {
    for (const _ of range(2)) {
      const store = await suite.open(clock, stores[0])
      stores.push(store)
      const settings = { secret, store, clock, idleTimeout: IDLE, storeTimeout: 20, ...options }
      apps.push(await createApp(settings, gates, user))
    }
    const [app] = apps as [FastifyInstance]
    const visit = (token?: string): Browser => new Browser(apps, gates, token)
    await run({
      app,
      visit,
      browser: visit(),
      user,
      advance(seconds) {
        milliseconds += seconds * 1000
      }
    })
  } finally {
    await Promise.all(apps.map((app) => app.close()))
    for (const store of new Set(stores)) await suite.close?.(store)
  }
}

type Data = Record<string, unknown>

/** What a request does when it is let go. */
interface Job {
  readonly set?: Data
  readonly unset?: readonly string[]
  readonly keep?: readonly string[]
  readonly permanent?: boolean
}

type Action = keyof typeof ACTIONS
type Step = readonly [action: Action, job: Job]

interface Body extends Job {
  /** The gate that the request waits at, if it waits. */
  readonly gate?: string
}

/** Data may have any name here; what a user has declared for the own application is of no concern. */
type AnySession = Session<Record<string, never>> & Data

const ACTIONS = {
  read: (session: AnySession) => session.data(),
  write(session: AnySession, job: Job) {
    apply(session, job)
  },
  async commit(session: AnySession, job: Job) {
    apply(session, job)
    await session.commit()
  },
  increment: async (session: AnySession) => ({
    count: await session.update((data: Data) => {
      const count = Number(data.count ?? 0) + 1
      data.count = count
      return count
    })
  }),
  async push(session: AnySession, { set }: Job) {
    // Longer than one turn, so that others come in between if they can.
    await session.update(async (data: Data) => {
      const list = data.list as unknown[]
      await null
      data.list = [...list, set?.item]
    })
  },
  reload: (session: AnySession) => session.reload(),
  async renew(session: AnySession, job: Job) {
    await session.renew()
    apply(session, job)
  },
  async regenerate(session: AnySession, { keep }: Job) {
    await session.regenerate(keep as readonly never[])
  },
  login(session: AnySession, _job: Job, user: string) {
    session.setOwner(user)
    apply(session, { set: { user } })
  },
  destroy: (session: AnySession) => session.destroy(),
  id: (session: AnySession) => ({ id: session.id })
} as const

function apply(session: AnySession, { set = {}, unset = [], permanent }: Job): void {
  Object.assign(session, set)
  for (const name of unset) delete session[name]
  if (permanent !== undefined) session.permanent = permanent
}

async function createApp(options: SessionOptions, gates: Gates, user: string): Promise<FastifyInstance> {
  const app = fastify()
  await app.register(session, options)
  for (const [name, act] of Object.entries(ACTIONS)) {
    app.post(`/${name}`, async (request: FastifyRequest) => {
      const { gate, ...job } = request.body as Body
      const data = getSession<Record<string, never>>(request) as AnySession
      if (gate !== undefined) await gates.wait(gate)
      return (await act(data, job, user)) ?? {}
    })
  }
  return app
}

interface Gate {
  readonly arrived: Promise<void>
  readonly arrive: () => void
  readonly opened: Promise<void>
  readonly open: () => void
}

/** Where requests wait within their handlers until a test lets them go on. */
class Gates {
  readonly #gates: Map<string, Gate> = new Map()

  add(): string {
    const name = String(this.#gates.size)
    const [arrived, arrive] = latch()
    const [opened, open] = latch()
    this.#gates.set(name, { arrived, arrive, opened, open })
    return name
  }

  wait(name: string): Promise<void> {
    const gate = this.#get(name)
    gate.arrive()
    return gate.opened
  }

  arrived(name: string): Promise<void> {
    return this.#get(name).arrived
  }

  open(name: string): void {
    this.#get(name).open()
  }

  #get(name: string): Gate {
    return this.#gates.get(name) as Gate
  }
}

interface HeldRequest {
  /** Lets the request end, and waits for its reply. */
  release(): Promise<LightMyRequestResponse>
}

/** One browser: its requests go to the applications in turn, and its cookie is what the last reply said. */
class Browser {
  readonly #apps: readonly FastifyInstance[]
  readonly #gates: Gates
  #token: string
  #turn = 0

  constructor(apps: readonly FastifyInstance[], gates: Gates, token = '') {
    this.#apps = apps
    this.#gates = gates
    this.#token = token
  }

  /** Somebody with the cookie of this moment. */
  copy(): Browser {
    return new Browser(this.#apps, this.#gates, this.#token)
  }

  take(reply: LightMyRequestResponse): void {
    this.#token = cookieValue(reply) ?? this.#token
  }

  async send(action: Action, job: Job = {}): Promise<LightMyRequestResponse> {
    const reply = await this.#inject(action, job)
    this.take(reply)
    return reply
  }

  async read(): Promise<Data> {
    return (await this.send('read')).json()
  }

  write(set: Data, unset: readonly string[] = []): Promise<LightMyRequestResponse> {
    return this.send('write', { set, unset })
  }

  /** Logs in, and gives somebody with the cookie of that session, of which it is sure that it opens something. */
  async logIn(): Promise<Browser> {
    await this.send('login')
    assert.notDeepEqual(await this.read(), {}, 'a login makes a session')
    return this.copy()
  }

  logOut(): Promise<LightMyRequestResponse> {
    return this.send('destroy')
  }

  /** A request that has its session and waits in its handler. */
  async hold(action: Action, job: Job = {}): Promise<HeldRequest> {
    const gate = this.#gates.add()
    const sent = this.#inject(action, { ...job, gate })
    // A request that fails before it gets to its handler is told by its reply.
    await Promise.race([this.#gates.arrived(gate), sent])
    return {
      release: async () => {
        this.#gates.open(gate)
        const reply = await sent
        this.take(reply)
        return reply
      }
    }
  }

  /** Requests that all have their session before the first of them does anything. */
  async sendAtOnce(steps: readonly Step[]): Promise<LightMyRequestResponse[]> {
    const held: HeldRequest[] = []
    for (const [action, job] of steps) held.push(await this.hold(action, job))
    return Promise.all(held.map((request) => request.release()))
  }

  #inject(action: Action, body: Body): Promise<LightMyRequestResponse> {
    const app = this.#apps[this.#turn++ % this.#apps.length] as FastifyInstance
    const headers = this.#token === '' ? {} : { cookie: `session=${this.#token}` }
    return app.inject({ method: 'POST', url: `/${action}`, headers, payload: body })
  }
}

function latch(): [promise: Promise<void>, open: () => void] {
  let open!: () => void
  const promise = new Promise<void>((resolve) => {
    open = resolve
  })
  return [promise, open]
}

function setCookie(reply: LightMyRequestResponse): string | undefined {
  return [reply.headers['set-cookie']].flat()[0]
}

/** The value of the cookie that a reply sets; empty when it clears it. */
function cookieValue(reply: LightMyRequestResponse): string | undefined {
  const [pair] = setCookie(reply)?.split(';', 1) ?? []
  return pair?.slice('session='.length)
}

function errorCode(reply: LightMyRequestResponse): string | undefined {
  return reply.json().code
}

function statuses(replies: readonly LightMyRequestResponse[]): number[] {
  return replies.map(({ statusCode }) => statusCode)
}

function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index)
}

function repeat<T>(value: T, times: number): T[] {
  return range(times).map(() => value)
}
