import t from 'tap'
import type { LoginOptions } from '../../../lib/login/index.ts'
import { setCookieLines } from '../../../lib/testing/set-cookie.ts'
import type { LooseOptions } from '../../helpers/app.ts'
import { localStores } from '../../helpers/local-stores.ts'
import type { KitApp } from '../../helpers/login-app.ts'
import { createKitApp, Member, tellEventsOf } from '../../helpers/login-app.ts'
import { once, RecordingStore } from '../../helpers/recording-store.ts'

const DAY = 86_400
for (const [name, open] of Object.entries(await localStores(t))) {
  const create = async (
    kit: Partial<LoginOptions> = {},
    options: Omit<LooseOptions, 'store'> = {}
  ): Promise<KitApp & { store: RecordingStore }> => {
    let store: RecordingStore | undefined
    const make = (clock: () => number): RecordingStore => {
      store = new RecordingStore(open(clock))
      return store
    }
    const made = await createKitApp({ ...options, store: make }, { remember: true, ...kit })
    return { ...made, store: store as unknown as RecordingStore }
  }

  /** A member who has logged in with `remember`. */
  const remembered = async ({ app }: KitApp): Promise<Member> => {
    const member = new Member(app)
    await member.login(1, { remember: true })
    return member
  }

  const ask = ({ app }: KitApp, cookie: string, url = '/who') => app.inject({ url, headers: { cookie } })

  t.test(`six parallel requests of a returning browser begin one session (${name})`, async (t) => {
    const kit = await create({}, { maxPerOwner: 5 })
    const others = await Promise.all(Array.from({ length: 4 }, () => remembered(kit)))
    const ana = await remembered(kit)
    await kit.app.sessions.list('1').then((own) => t.equal(own.length, 5))
    await kit.store.inner.destroy(await ana.read('/id'))
    ana.restart()
    const cookie = ana.jar.header()
    const replies = await Promise.all(Array.from({ length: 6 }, () => ask(kit, cookie)))
    for (const reply of replies) t.equal(reply.body, 'Ana')
    const lines = new Set(replies.map((reply) => String(setCookieLines(reply))))
    t.equal(lines.size, 1, 'with the same session and the same token')
    t.equal((await kit.app.sessions.list('1')).length, 5)
    for (const other of others) {
      other.forget('remember')
      t.equal(await other.read('/who'), 'Ana', 'no other device was logged out')
    }
    for (const reply of replies) ana.jar.take(reply)
    ana.forget('remember')
    t.equal(await ana.read('/who'), 'Ana')
  })

  t.test(`also across processes, and with data of the visitor (${name})`, async (t) => {
    const one = await create()
    const other = await createKitApp({ store: one.store, clock: one.clock.now }, { remember: true })
    const ana = await remembered(one)
    ana.restart()
    await ana.read('/cart')
    const cookie = ana.jar.header()
    const told = await tellEventsOf(async () => {
      const replies = await Promise.all([one, other, one, other, one, other].map((kit) => ask(kit, cookie, '/data')))
      t.ok(replies.every(({ statusCode }) => statusCode === 200))
      const loads = await Promise.all([one, other, one, other, one, other].map((kit) => ask(kit, cookie)))
      for (const reply of loads) {
        t.equal(reply.body, 'Ana')
        ana.jar.take(reply)
      }
    })
    t.same(told, ['remembered 1'])
    t.equal((await one.app.sessions.list('1')).length, 2, 'and the one from before the restart')
    t.same((await ana.get('/data')).json().cart, { book: 1 })
  })

  t.test(`whoever fails on the way leaves a token that is good, and no second session (${name})`, async (t) => {
    const kit = await create()
    const ana = await remembered(kit)
    ana.restart()
    const cookie = ana.jar.header()
    kit.store.before = once('commit', () => Promise.reject(new Error('down')))
    const failed = await ask(kit, cookie)
    t.equal(failed.statusCode, 503)
    t.same(setCookieLines(failed), [], 'the session that it has begun is told to nobody')
    kit.clock.advance(1000)
    t.equal(await ana.read('/who'), 'Ana', 'however much later')
    t.equal((await kit.app.sessions.list('1')).length, 2, 'and the one from before the restart')
  })

  t.test(`a late request does not take the session away from its browser (${name})`, async (t) => {
    const kit = await create()
    const ana = await remembered(kit)
    ana.restart()
    const cookie = ana.jar.header()
    await ana.read('/who')
    await ana.submit('/confirm')
    const late = await ask(kit, cookie)
    t.equal(late.body, 'Ana')
    t.match(setCookieLines(late).join(), /^remember=[^,]*$/, 'its session has a new id, which the late one is not told')
    ana.jar.take(late)
    t.equal(await ana.read('/fresh'), 'Ana')
    t.equal((await kit.app.sessions.list('1')).length, 2, 'and the one from before the restart')
  })

  t.test(`a token that was used opens nothing after its grace period (${name})`, async (t) => {
    const kit = await create()
    const ana = await remembered(kit)
    ana.restart()
    const used = ana.jar.header()
    await ana.read('/who')
    const session = `session=${ana.cookie('session')}`
    kit.clock.advance(61)
    t.same(await tellEventsOf(async () => t.equal((await ask(kit, used)).body, 'nobody')), ['theft 1'])
    for (const cookie of [used, session, ana.jar.header()]) t.equal((await ask(kit, cookie)).body, 'nobody')
    t.same(await kit.app.sessions.list('1'), [])
  })

  t.test(`however often it is used, a remembered login ends after a year (${name})`, async (t) => {
    const kit = await create({}, { absoluteTimeout: DAY, idleTimeout: DAY })
    const ana = await remembered(kit)
    let days = 0
    for (; days < 1827; days += 29) {
      if ((await ana.read('/who')) !== 'Ana') break
      kit.clock.advance(29 * DAY)
    }
    t.equal(days, 13 * 29, 'the first visit after 365 days')
    t.equal(ana.cookie('remember'), '')
    await ana.login(1, { remember: true })
    kit.clock.advance(29 * DAY)
    t.equal(await ana.read('/who'), 'Ana', 'a login by password starts anew')
  })

  t.test(`a session does not outlive the remembered login that began it (${name})`, async (t) => {
    const kit = await create({ remember: { absoluteMaxAge: 10 * DAY } }, { idleTimeout: 30 * DAY })
    const ana = await remembered(kit)
    kit.clock.advance(9 * DAY)
    ana.restart()
    t.equal(await ana.read('/who'), 'Ana')
    const session = `session=${ana.cookie('session')}`
    kit.clock.advance(DAY)
    t.equal((await ask(kit, session)).body, 'Ana', 'up to T')
    kit.clock.advance(1)
    t.same(await tellEventsOf(async () => t.equal((await ask(kit, session)).body, 'nobody')), ['ended 1'])
    t.same(await kit.app.sessions.list('1'), [])
    t.equal(await ana.read('/who'), 'nobody')
  })

  t.test(`with protection strong, the remember cookie alone opens nothing elsewhere (${name})`, async (t) => {
    const kit = await create({ protection: 'strong' })
    const login = async (agent: string): Promise<Member> => {
      const member = new Member(kit.app)
      await member.submit('/login', { id: 1, remember: true }, { 'user-agent': agent })
      return member
    }
    const from = async (member: Member, agent: string, remoteAddress = '127.0.0.1'): Promise<string> => {
      const headers = { cookie: member.jar.header(), 'user-agent': agent }
      const reply = await kit.app.inject({ url: '/who', headers, remoteAddress })
      member.jar.take(reply)
      return reply.body
    }
    for (const [agent, address] of [
      ['two', '127.0.0.1'],
      ['one', '192.0.2.1']
    ] as const) {
      const ana = await login('one')
      const thief = new Member(kit.app)
      thief.jar.set('remember', ana.cookie('remember'))
      const told = await tellEventsOf(async () => t.equal(await from(thief, agent, address), 'nobody'))
      t.same(told, ['protected 1'])
      t.equal(thief.jar.header(), '')
      t.equal(await from(ana, 'one'), 'nobody', 'the series has ended, with its sessions')
    }
    const ana = await login('one')
    ana.restart()
    t.equal(await from(ana, 'one'), 'Ana')
    ana.restart()
    t.equal(await from(ana, 'updated'), 'nobody')
    await ana.submit('/login', { id: 1, remember: true }, { 'user-agent': 'updated' })
    ana.restart()
    t.equal(await from(ana, 'updated'), 'Ana', 'after a login it is the new client')
  })

  t.test(`a remembered login keeps nothing of a session that has ended meanwhile (${name})`, async (t) => {
    for (const isEnded of [false, true]) {
      const kit = await create()
      let visit = ''
      kit.app.get('/slow', async (request) => {
        if (isEnded) await kit.app.sessions.revoke(visit)
        return (await request.loadUser())?.name
      })
      const ana = await remembered(kit)
      ana.restart()
      await ana.read('/cart')
      visit = await ana.read('/id')
      t.equal(await ana.read('/slow'), 'Ana')
      t.equal('cart' in (await ana.get('/data')).json(), !isEnded)
    }
  })

  t.test(`a request is not made to check any number of cookies (${name})`, async (t) => {
    const kit = await create()
    const ana = await remembered(kit)
    const good = `remember=${ana.cookie('remember')}`
    const junk = (count: number): string => 'remember=r1xxxxxx; '.repeat(count)
    kit.store.takeCalls()
    t.equal((await ask(kit, junk(216) + good)).body, 'nobody')
    t.same(kit.store.takeCalls(), [])
    t.equal((await ask(kit, junk(7) + good)).body, 'Ana')
  })

  t.test(`every end of a session that a remembered login began ends its series (${name})`, async (t) => {
    const ends: Readonly<Record<string, (kit: KitApp, ana: Member) => Promise<unknown>>> = {
      logout: (_kit, ana) => ana.submit('/logout'),
      revoke: async ({ app }, ana) => app.sessions.revoke(await ana.read('/id')),
      revokeAll: ({ app }) => app.sessions.revokeAll('1'),
      theft: async (kit, ana) => {
        const copy = ana.jar.header()
        ana.restart()
        await ana.read('/who')
        kit.clock.advance(61)
        await ask(kit, copy.replace(/session=[^;]*(; )?/, ''))
      }
    }
    for (const [end, run] of Object.entries(ends)) {
      const kit = await create()
      const ana = await remembered(kit)
      ana.restart()
      await ana.read('/who')
      const copies = [ana.jar.header(), `remember=${ana.cookie('remember')}`, `session=${ana.cookie('session')}`]
      await run(kit, ana)
      for (const cookie of [...copies, ana.jar.header()]) t.equal((await ask(kit, cookie)).body, 'nobody', end)
    }
  })
}
