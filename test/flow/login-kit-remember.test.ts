import t from 'tap'
import type { LoginOptions } from '../../lib/login/index.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { localStores } from '../helpers/local-stores.ts'
import type { KitApp } from '../helpers/login-app.ts'
import { ANA, createKitApp, Member, tellEventsOf } from '../helpers/login-app.ts'
import { RecordingStore } from '../helpers/recording-store.ts'

const DAY = 86_400
for (const [name, open] of Object.entries(await localStores(t))) {
  const createRememberingApp = async (kit: Partial<LoginOptions> = {}): Promise<KitApp & { store: RecordingStore }> => {
    let store: RecordingStore | undefined
    const make = (clock: () => number): RecordingStore => {
      store = new RecordingStore(open(clock))
      return store
    }
    const made = await createKitApp({ store: make }, { remember: true, ...kit })
    return { ...made, store: store as unknown as RecordingStore }
  }

  /** A member who has logged in with `remember`. */
  const remembered = async ({ app }: KitApp, id = 1): Promise<Member> => {
    const member = new Member(app)
    await member.login(id, { remember: true })
    return member
  }

  /** Another browser with a copy of the remember cookie. */
  const copyOf = (member: Member, { app }: KitApp): Member => {
    const copy = new Member(app)
    copy.jar.set('remember', member.cookie('remember'))
    return copy
  }

  t.test(`a remembered login begins a session after the browser was closed (${name})`, async (t) => {
    const kit = await createRememberingApp()
    const { app, clock, loads } = kit
    const ana = await remembered(kit)
    const plain = new Member(app)
    await plain.login(1)
    t.equal(plain.cookie('remember'), '', 'nobody is remembered unasked')
    clock.advance(10 * DAY)
    ana.restart()
    plain.restart()
    loads.length = 0
    const first = ana.cookie('remember')
    t.same(await tellEventsOf(async () => t.equal(await ana.read('/me'), 'Ana')), ['remembered 1'])
    t.same(loads, ['1'])
    t.not(ana.cookie('remember'), first, 'the token is good once')
    t.not(ana.cookie('session'), '')
    const second = ana.cookie('remember')
    t.equal(await ana.read('/me'), 'Ana')
    t.equal(ana.cookie('remember'), second, 'the session is enough for the next request')
    t.equal(await plain.read('/who'), 'nobody')
    t.same((await ana.get('/at')).json(), { at: null })
    t.match((await ana.get('/fresh')).json(), { code: 'ERR_SESSION_NOT_FRESH' }, 'it is never fresh')
    await ana.submit('/confirm')
    t.equal(await ana.read('/fresh'), 'Ana')
    clock.advance(10 * DAY)
    ana.restart()
    t.equal(await ana.read('/who'), 'Ana', 'confirming keeps it')
    t.match((await ana.get('/fresh')).json(), { code: 'ERR_SESSION_NOT_FRESH' })
  })

  t.test(`a remembered user keeps the data from before the load (${name})`, async (t) => {
    const kit = await createRememberingApp()
    const ana = await remembered(kit)
    ana.restart()
    await ana.read('/cart')
    const before = await ana.read('/id')
    const planted = ana.cookie('session')
    t.equal(await ana.read('/who'), 'Ana')
    t.same((await ana.get('/data')).json().cart, { book: 1 })
    t.not(await ana.read('/id'), before)
    const attacker = await kit.app.inject({ url: '/who', headers: { cookie: `session=${planted}` } })
    t.equal(attacker.body, 'nobody')
  })

  t.test(`a remembered login expires at T+1 after its last use (${name})`, async (t) => {
    const kit = await createRememberingApp({ remember: { maxAge: 30 * DAY } })
    const ana = await remembered(kit)
    t.match(
      setCookieLines(await new Member(kit.app).login(1, { remember: true })).join(),
      /remember=[^;]+; Max-Age=2592000; /
    )
    for (const [seconds, who] of [
      [30 * DAY, 'Ana'],
      [30 * DAY, 'Ana'],
      [30 * DAY + 1, 'nobody']
    ] as const) {
      kit.clock.advance(seconds)
      ana.restart()
      t.equal(await ana.read('/who'), who)
    }
    t.equal(ana.jar.header(), '', 'the browser need not keep it any longer')
  })

  t.test(`parallel requests with one token are not a theft (${name})`, async (t) => {
    const kit = await createRememberingApp()
    const ana = await remembered(kit)
    ana.restart()
    kit.clock.advance(DAY)
    const cookie = ana.jar.header()
    const events = await tellEventsOf(async () => {
      const responses = await Promise.all(
        Array.from({ length: 20 }, () => kit.app.inject({ url: '/me', headers: { cookie } }))
      )
      t.ok(responses.every(({ body }) => body === 'Ana'))
      const cookies = responses.map((response) => String(setCookieLines(response)))
      t.equal(new Set(cookies).size, 1, 'all get the same token and session, so that it is no matter which comes last')
      for (const response of responses) ana.jar.take(response)
    })
    t.same(events, ['remembered 1'])
    kit.clock.advance(DAY + 1)
    ana.restart()
    t.equal(await ana.read('/me'), 'Ana')
  })

  t.test(`a lost reply logs nobody out within the grace period, up to T (${name})`, async (t) => {
    const kit = await createRememberingApp()
    const ana = await remembered(kit)
    ana.restart()
    await kit.app.inject({ url: '/me', headers: { cookie: ana.jar.header() } })
    kit.clock.advance(60)
    t.equal(await ana.read('/me'), 'Ana')
    kit.clock.advance(DAY + 1)
    ana.restart()
    t.equal(await ana.read('/me'), 'Ana', 'the new token came with the second reply')
  })

  t.test(`a replaced token is a theft from T+1 on, and ends the sessions of both (${name})`, async (t) => {
    for (const grace of [0, 60]) {
      const kit = await createRememberingApp({ remember: { grace } })
      const ana = await remembered(kit)
      const other = await remembered(kit)
      ana.restart()
      const thief = copyOf(ana, kit)
      t.equal(await thief.read('/me'), 'Ana')
      kit.clock.advance(grace + 1)
      const copies = [thief.jar.header(), ana.jar.header()]
      t.same(await tellEventsOf(async () => t.equal(await ana.read('/who'), 'nobody')), ['theft 1'])
      t.equal(ana.jar.header(), '', 'the browser forgets the token')
      t.same(await tellEventsOf(() => ana.get('/who')), [], 'told once')
      t.equal(await thief.read('/who'), 'nobody', 'the session of the thief has ended, too')
      for (const cookie of copies) {
        t.equal((await kit.app.inject({ url: '/who', headers: { cookie } })).body, 'nobody')
      }
      t.equal(await other.read('/who'), 'Ana', 'other browsers of the user stay')
      other.restart()
      t.equal(await other.read('/who'), 'Ana')
    }
  })

  t.test(`a very old token is a theft (${name})`, async (t) => {
    const kit = await createRememberingApp()
    const ana = await remembered(kit)
    const old = copyOf(ana, kit)
    for (let day = 1; day <= 5; day++) {
      kit.clock.advance(DAY + 1)
      ana.restart()
      t.equal(await ana.read('/who'), 'Ana')
    }
    t.same(await tellEventsOf(() => old.get('/who')), ['theft 1'])
    t.equal(await ana.read('/who'), 'nobody')
  })

  t.test(`a stolen token is also reported when its victim logs in again (${name})`, async (t) => {
    const kit = await createRememberingApp()
    const ana = await remembered(kit)
    ana.restart()
    const thief = copyOf(ana, kit)
    await thief.get('/me')
    kit.clock.advance(61)
    t.same(await tellEventsOf(() => ana.login(1, { remember: true })), ['theft 1', 'login 1'])
    t.equal(await thief.read('/who'), 'nobody')
    ana.restart()
    t.equal(await ana.read('/who'), 'Ana')
  })

  t.test(`a token without a valid signature costs no call of the store (${name})`, async (t) => {
    const kit = await createRememberingApp()
    const ana = await remembered(kit)
    const good = ana.cookie('remember')
    const session = ana.cookie('session')
    const last = good.at(-1) === 'A' ? 'B' : 'A'
    const forged = [
      '',
      'x',
      good.slice(0, -1),
      good.slice(0, -1) + last,
      `${good}A`,
      ` ${good}`.replace('r2', 'r3'),
      good.replace(/\.[\w-]+\./, `.${'A'.repeat(65)}.`),
      `${'A'.repeat(22)}.${'A'.repeat(43)}`,
      session,
      '__proto__',
      'A'.repeat(4000)
    ]
    kit.store.takeCalls()
    for (const token of forged) {
      const { body } = await kit.app.inject({ url: '/who', headers: { cookie: `remember=${token}` } })
      t.equal(body, 'nobody')
    }
    await kit.app.inject({ url: '/who', headers: { cookie: `Remember=${good}` } })
    t.same(kit.store.takeCalls(), [])
    const renamed = await kit.app.inject({ url: '/who', headers: { cookie: `session=${good}` } })
    t.equal(renamed.body, 'nobody')
    t.same(kit.store.takeCalls(), [], 'nor what was signed for the other cookie')
    ana.restart()
    t.equal(await ana.read('/who'), 'Ana')
  })

  t.test(`the first valid token of several is used (${name})`, async (t) => {
    const kit = await createRememberingApp()
    const [ana, ben] = [await remembered(kit), await remembered(kit, 2)]
    const [good, other] = [ana.cookie('remember'), ben.cookie('remember')]
    const dead = (await remembered(kit)).cookie('remember')
    await kit.app.inject({ method: 'POST', url: '/logout', headers: { cookie: `remember=${dead}` } })
    const who = async (...tokens: string[]): Promise<string> => {
      const cookie = tokens.map((token) => `remember=${token}`).join('; ')
      return (await kit.app.inject({ url: '/who', headers: { cookie } })).body
    }
    t.equal(await who('planted', good), 'Ana', 'a subdomain can plant a cookie')
    t.equal(await who(dead, good), 'Ana')
    t.equal(await who(other, good), 'Ben')
    t.equal(await who(dead, dead, dead, dead, good), 'nobody', 'nobody makes the store look for any number of them')
  })

  t.test(`a logout ends the remembered login and its copies (${name})`, async (t) => {
    const kit = await createRememberingApp()
    const ana = await remembered(kit)
    const copy = copyOf(ana, kit)
    const [phone, thief] = [await remembered(kit), copyOf(ana, kit)]
    await thief.get('/me')
    await ana.submit('/logout')
    t.equal(ana.jar.header(), '')
    t.same(await tellEventsOf(async () => t.equal(await copy.read('/who'), 'nobody')), [])
    t.equal(await thief.read('/who'), 'nobody', 'the session that somebody began by a copy')
    phone.restart()
    t.equal(await phone.read('/who'), 'Ana')
    phone.restart()
    await phone.submit('/logout')
    t.equal(phone.jar.header(), '', 'without a session as well')
  })

  t.test(`a login ends the login that the browser remembered (${name})`, async (t) => {
    for (const hasSession of [true, false]) {
      const kit = await createRememberingApp()
      const browser = await remembered(kit)
      const copy = copyOf(browser, kit)
      if (!hasSession) browser.restart()
      await browser.login(2, { remember: true })
      t.equal(await browser.read('/who'), 'Ben')
      browser.restart()
      t.equal(await browser.read('/who'), 'Ben')
      t.equal(await copy.read('/who'), 'nobody')
      await browser.login(2)
      t.equal(browser.cookie('remember'), '', 'a login that does not ask for it is not remembered')
    }
  })

  t.test(`a revoked session does not come back through a remembered login (${name})`, async (t) => {
    const kit = await createRememberingApp()
    const { app } = kit
    const [laptop, phone] = [await remembered(kit), await remembered(kit)]
    const handle = await laptop.read('/id')
    t.equal((await app.sessions.list('1')).length, 2, 'only sessions are listed')
    const copy = copyOf(laptop, kit)
    await app.sessions.revoke(handle)
    t.equal(await laptop.read('/who'), 'nobody')
    t.equal(await copy.read('/who'), 'nobody')
    t.equal(await phone.read('/who'), 'Ana')
    t.equal(await app.sessions.revokeAll('1'), 1)
    t.equal(await phone.read('/who'), 'nobody')
    t.equal(phone.cookie('remember'), '')
    const ben = await remembered(kit, 2)
    ben.restart()
    t.equal(await app.sessions.revokeAll('2'), 1)
    t.equal(await ben.read('/who'), 'nobody', 'also where the session had ended before')
  })

  t.test(`logoutOthers ends remembered logins in other browsers, not in this one (${name})`, async (t) => {
    const kit = await createRememberingApp()
    const [laptop, phone, closed] = [await remembered(kit), await remembered(kit), await remembered(kit)]
    closed.restart()
    t.equal((await laptop.submit('/logout-others')).body, '2')
    t.same([await phone.read('/who'), await closed.read('/who')], ['nobody', 'nobody'])
    t.equal(await laptop.read('/who'), 'Ana')
    laptop.restart()
    t.equal(await laptop.read('/who'), 'Ana')
    t.equal((await laptop.submit('/logout-others')).body, '1', 'the session of before the restart')
    laptop.restart()
    t.equal(await laptop.read('/who'), 'Ana', 'a session that was begun by it knows it, too')
  })

  t.test(`a changed password ends all remembered logins of the user (${name})`, async (t) => {
    const kit = await createRememberingApp({ authHash: ({ password }) => password })
    const [laptop, phone, ben] = [await remembered(kit), await remembered(kit), await remembered(kit, 2)]
    for (const device of [laptop, ben]) device.restart()
    kit.users.set('1', { ...ANA, password: 'new' })
    for (const device of [laptop, phone]) {
      t.same(await tellEventsOf(async () => t.equal(await device.read('/who'), 'nobody')), ['ended 1'])
      t.equal(device.jar.header(), '')
    }
    t.equal(await ben.read('/who'), 'Ben')
  })

  t.test(`a user who is gone is not remembered (${name})`, async (t) => {
    const kit = await createRememberingApp()
    const ana = await remembered(kit)
    ana.restart()
    await ana.read('/cart')
    kit.users.delete('1')
    t.same(await tellEventsOf(async () => t.equal(await ana.read('/who'), 'nobody')), ['ended 1'])
    t.same(ana.names(), ['session'])
    t.same((await ana.get('/data')).json(), { cart: { book: 1 } }, 'the visitor may go on')
  })

  t.test(`a user whose load fails stays remembered (${name})`, async (t) => {
    let isDown = false
    const loadUser = () => (isDown ? Promise.reject(new Error('database down')) : ANA)
    const kit = await createRememberingApp({ loadUser })
    const ana = await remembered(kit)
    ana.restart()
    isDown = true
    t.equal((await ana.get('/me')).statusCode, 500)
    isDown = false
    kit.clock.advance(1000)
    t.equal(await ana.read('/me'), 'Ana', 'however much later: nothing was used up')
  })

  t.test(`while the store is down the user is unknown, and stays remembered (${name})`, async (t) => {
    const kit = await createRememberingApp()
    const { app, store, clock } = kit
    app.get('/welcome', { config: { session: { onStoreError: 'anonymous' } } }, async (request) => {
      const user = await request.loadUser()
      return `hello ${user?.name ?? 'you'}${request.user === user ? '' : '?'}`
    })
    app.get('/guarded', {
      ...app
        .loginRequired()
        .handle({ config: { session: { onStoreError: 'anonymous' } } }, async ({ user }) => user.name)
    })
    const ana = await remembered(kit)
    ana.restart()
    const before = ana.jar.header()
    for (const method of ['load', 'commit', 'create'] as const) {
      store.before = (called) => (called === method ? Promise.reject(new Error('down')) : undefined)
      const response = await ana.get('/me')
      t.match(response.json(), { statusCode: 503, code: 'ERR_SESSION_STORE_UNAVAILABLE' }, method)
      t.equal(ana.cookie('remember'), before.slice('remember='.length))
      ana.restart()
    }
    store.before = () => Promise.reject(new Error('down'))
    t.equal((await ana.submit('/logout')).statusCode, 503)
    t.equal((await ana.login(2)).statusCode, 503)
    t.equal(await ana.read('/welcome'), 'hello you')
    t.equal((await ana.get('/guarded')).statusCode, 503, 'a guard lets nobody in')
    t.equal(ana.jar.header(), before)
    store.before = () => undefined
    clock.advance(1000)
    t.equal(await ana.read('/welcome'), 'hello Ana')
    store.before = () => Promise.reject(new Error('down'))
    t.equal(await ana.read('/welcome'), 'hello you', 'with a session, too')
  })

  t.test(`the content of the store logs nobody in (${name})`, async (t) => {
    const kit = await createRememberingApp({ authHash: ({ password }) => `secret hash ${password}` })
    kit.store.takeCalls()
    const ana = await remembered(kit)
    ana.restart()
    await ana.get('/me')
    const dump = JSON.stringify(kit.store.takeCalls())
    for (const cookie of [ana.cookie('session'), ana.cookie('remember')]) {
      for (const part of cookie.split('.')) t.notOk(dump.includes(part), 'no part of a cookie is in the store')
    }
    const [, payload = ''] = ana.cookie('remember').split('.')
    t.notOk(dump.includes(payload.slice(0, 22)), 'nor the name of the series')
    t.notOk(dump.includes(payload.slice(22)), 'nor its secret')
    t.notOk(dump.includes('secret hash'))
  })
}
