import type { FastifyRequest } from 'fastify'
import type * as Tap from 'tap'
import t from 'tap'
import { MemoryRevocations } from '../../lib/index.ts'
import { readSession } from '../../lib/testing/read-session.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import type { LooseOptions } from '../helpers/app.ts'
import { decisionsOf, START } from '../helpers/app.ts'
import { FakeTime } from '../helpers/fake-time.ts'
import type { KitApp } from '../helpers/login-app.ts'
import { createKitApp, Member } from '../helpers/login-app.ts'
import { ShakyRevocations } from '../helpers/shaky-revocations.ts'

const ENDINGS: Readonly<Record<string, (request: FastifyRequest, app: KitApp['app']) => unknown>> = {
  'destroy()': ({ session }) => session.destroy(),
  'logout()': (request) => request.logout(),
  'request.session = null': (request) => {
    request.session = null
  },
  'renew()': ({ session }) => session.renew(),
  'regenerate()': ({ session }) => session.regenerate(['name']),
  'regenerate() without data': ({ session }) => session.regenerate(),
  'setOwner()': ({ session }) => session.setOwner('somebody else'),
  'confirmLogin()': (request) => request.confirmLogin(),
  'revoke()': ({ session }, app) => app.sessions.revoke(session.id),
  'revokeAll()': (_request, app) => app.sessions.revokeAll('1'),
  'revokeEverything()': (_request, app) => app.sessions.revokeEverything()
}

for (const [mode, encrypt] of [
  ['signed', false],
  ['encrypted', true]
] as const) {
  const test = (name: string, run: (t: Tap.Test) => Promise<void>): unknown => t.test(`${mode}: ${name}`, run)

  /** Two processes that share a list. */
  const createTwo = async (t: Tap.Test, options: LooseOptions = {}): Promise<[KitApp, KitApp]> => {
    const revocations = options.revocations ?? new MemoryRevocations({ clock: () => START.getTime() })
    const make = (): Promise<KitApp> => createKitApp({ ...options, encrypt, revocations })
    const both: [KitApp, KitApp] = [await make(), await make()]
    for (const { app } of both) {
      app.post<{ Params: { ending: string } }>('/end/:ending', async (request) => {
        await request.loadUser()
        await ENDINGS[request.params.ending]?.(request, app)
        return ''
      })
      app.post('/name', async ({ session }) => {
        session.name = 'x'
      })
      t.teardown(() => app.close())
    }
    return both
  }
  const whoIs = async ({ app }: KitApp, cookie: string): Promise<string> =>
    (await app.inject({ url: '/who', headers: { cookie } })).body

  for (const ending of Object.keys(ENDINGS)) {
    test(`after ${ending} a copy of the cookie opens nothing, in any process`, async (t) => {
      const [here, there] = await createTwo(t)
      const ana = new Member(here.app)
      await ana.login(1)
      const copy = ana.jar.header()
      t.equal(await whoIs(there, copy), 'Ana')
      t.equal((await ana.submit(`/end/${encodeURIComponent(ending)}`)).statusCode, 200)
      for (const kit of [here, there]) t.equal(await whoIs(kit, copy), 'nobody')
      here.clock.advance(61)
      there.clock.advance(61)
      t.equal((await readSession(here.app, copy)).reason, 'revoked')
      const decisions = await decisionsOf(async () => {
        const reply = await there.app.inject({ url: '/who', headers: { cookie: copy } })
        t.match(setCookieLines(reply), [/^session=; Max-Age=0/], 'and is cleared')
      })
      t.same(decisions, ['open: revoked', 'commit: stale'])
    })
  }

  test('whoever logs out all others stays, and a login in the same second survives', async (t) => {
    const [here, there] = await createTwo(t)
    const [laptop, phone, thief] = [new Member(here.app), new Member(there.app), new Member(there.app)]
    for (const member of [laptop, phone, thief]) await member.login(1)
    const ben = new Member(there.app)
    await ben.login(2)
    t.equal((await laptop.submit('/logout-others')).body, 'null', 'nobody can count them')
    t.equal(await laptop.read('/who'), 'Ana')
    t.equal(await phone.read('/who'), 'nobody')
    t.equal(await thief.read('/who'), 'nobody')
    t.equal(await ben.read('/who'), 'Ben')
    await phone.login(1)
    t.equal(await phone.read('/who'), 'Ana')
    await phone.submit('/logout-others')
    t.equal(await phone.read('/who'), 'Ana')
    t.equal(await laptop.read('/who'), 'nobody', 'of two that ended the other, the later one stays')
  })

  test('a password change ends the others, although the session gets a new id with it', async (t) => {
    const [here, there] = await createTwo(t)
    here.app.post('/password', async (request) => {
      await request.loadUser()
      request.session.renew()
      return here.app.sessions.revokeAll('1', { except: request.session.id })
    })
    const [laptop, phone] = [new Member(here.app), new Member(there.app)]
    await laptop.login(1)
    await phone.login(1)
    await laptop.submit('/password')
    t.equal(await laptop.read('/who'), 'Ana')
    t.equal(await phone.read('/who'), 'nobody')
  })

  test('requests beside a new id store nothing and take no login away', async (t) => {
    const [here, there] = await createTwo(t)
    const ana = new Member(here.app)
    await ana.login(1)
    const cookie = ana.jar.header()
    await ana.submit('/confirm')
    const decisions = await decisionsOf(async () => {
      const reply = await there.app.inject({ method: 'POST', url: '/name', headers: { cookie } })
      t.same(setCookieLines(reply), [])
    })
    t.same(decisions, ['open: renamed', 'commit: renamed'])
    await there.app.inject({ method: 'POST', url: '/logout', headers: { cookie } })
    t.equal(await ana.read('/who'), 'nobody', 'but a logout beside it ends the login')
  })

  test('an ending waits until the list has it, and fails with it', async (t) => {
    const revocations = new ShakyRevocations(() => START.getTime())
    const [here] = await createTwo(t, { revocations })
    const ana = new Member(here.app)
    await ana.login(1)
    const cookie = ana.jar.header()
    let open = (): void => {}
    revocations.gate = new Promise<void>((resolve) => {
      open = resolve
    })
    let isDone = false
    const logout = here.app.inject({ method: 'POST', url: '/logout', headers: { cookie } })
    logout.then(() => {
      isDone = true
    })
    t.equal(await whoIs(here, cookie), 'Ana')
    t.equal(isDone, false)
    revocations.isDown = true
    open()
    const reply = await logout
    t.equal(reply.statusCode, 503)
    t.match(reply.headers, { 'retry-after': '5', 'set-cookie': undefined })
    t.match(reply.json(), { code: 'ERR_SESSION_STORE_UNAVAILABLE' })
    for (const url of ['/confirm', '/logout-others', '/end/renew()', '/end/revokeEverything()', '/end/setOwner()']) {
      t.equal((await here.app.inject({ method: 'POST', url, headers: { cookie } })).statusCode, 503, url)
    }
    t.equal(await whoIs(here, cookie), 'Ana', 'nothing is lost')
    revocations.isDown = false
    t.equal((await here.app.inject({ method: 'POST', url: '/logout', headers: { cookie } })).statusCode, 200)
    t.equal(await whoIs(here, cookie), 'nobody')
  })

  test('nothing opens until the list has answered for the first time', async (t) => {
    const revocations = new ShakyRevocations(() => START.getTime())
    const [before] = await createTwo(t, { revocations })
    const ana = new Member(before.app)
    await ana.login(1)
    const [cookie, copy] = [ana.jar.header(), ana.jar.header()]
    await ana.submit('/logout')
    revocations.isDown = true
    const time = new FakeTime(t)
    const [late] = await createTwo(t, { revocations })
    late.app.get('/news', { config: { session: { onStoreError: 'anonymous' } } }, async ({ session }) => ({
      ...session
    }))
    t.match(late.warnings(), [{ msg: /^The list of revoked sessions has not answered yet/ }])
    const reply = await late.app.inject({ url: '/who', headers: { cookie } })
    t.equal(reply.statusCode, 503)
    t.match(reply.headers, { 'retry-after': '5', 'set-cookie': undefined })
    t.same((await late.app.inject({ url: '/news', headers: { cookie } })).json(), {})
    t.equal((await late.app.inject('/who')).body, 'nobody', 'a stranger is served')
    t.equal((await new Member(late.app).submit('/login', { id: 1 })).statusCode, 503, 'and cannot log in')
    revocations.isDown = false
    await time.pass(new Promise((resolve) => setTimeout(resolve, 300)))
    t.equal(await whoIs(late, copy), 'nobody', 'it has caught up')
    await new Member(late.app).login(1)
  })

  test('a list that has been down for too long is survived, or refused', async (t) => {
    for (const onStale of ['accept', 'refuse'] as const) {
      const time = new FakeTime(t)
      const revocations = new ShakyRevocations(() => START.getTime())
      const [here] = await createTwo(t, { revocations, onStale, idleTimeout: 600, refreshAfter: 60 })
      const ana = new Member(here.app)
      await ana.login(1)
      const cookie = ana.jar.header()
      revocations.isDown = true
      await time.pass(new Promise((resolve) => setTimeout(resolve, 4900)))
      t.equal(await whoIs(here, cookie), 'Ana')
      await time.pass(new Promise((resolve) => setTimeout(resolve, 400)))
      t.match(here.warnings(), [{ msg: /^The list of revoked sessions has not answered for 5 s/ }])
      const { statusCode, body } = await here.app.inject({ url: '/who', headers: { cookie } })
      t.same([statusCode, onStale === 'accept' ? body : ''], onStale === 'accept' ? [200, 'Ana'] : [503, ''])
      if (onStale === 'accept') {
        here.clock.advance(300)
        const reply = await here.app.inject({ url: '/who', headers: { cookie } })
        t.same(
          setCookieLines(reply).map((line) => line.slice(10, 18)),
          [],
          'it keeps nothing alive'
        )
        here.clock.advance(301)
        t.equal(await whoIs(here, cookie), 'nobody')
      }
      revocations.isDown = false
      await time.pass(new Promise((resolve) => setTimeout(resolve, 300)))
      t.equal((await here.app.inject({ url: '/who', headers: { cookie } })).statusCode, 200)
    }
  })
}
