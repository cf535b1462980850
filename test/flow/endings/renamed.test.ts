import t from 'tap'
import { MODES, REVOCABLE } from '../../helpers/app.ts'
import { createKitApp, Member } from '../../helpers/login-app.ts'

const LATENCY_MS = 60
const USERS = 200

for (const { mode, options } of [...MODES, ...REVOCABLE].filter(({ isSelfContained }) => !isSelfContained)) {
  t.test(`${mode} sessions: a request with the old id takes no login away`, async (t) => {
    const { app, warnings } = await createKitApp(options)
    app.get('/guarded', { preHandler: app.loginRequired() }, async () => '')
    for (const change of ['/login', '/confirm']) {
      const ana = new Member(app)
      await ana.get('/cart')
      if (change === '/confirm') await ana.login(1)
      const cookie = ana.jar.header()
      const changed = await app.inject({ method: 'POST', url: change, headers: { cookie }, payload: { id: 1 } })
      t.equal(changed.statusCode, 200)
      for (const url of ['/cart', '/guarded', '/data', '/public', '/who']) {
        const headers = { cookie, accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
        const late = await app.inject({ url, headers })
        t.equal(late.headers['set-cookie'], undefined, `${change}, then ${url}`)
      }
      ana.jar.take(changed)
      t.equal(await ana.read('/me'), 'Ana')
    }
    t.same(
      warnings().map(({ reason }) => reason),
      ['renamed', 'renamed'],
      'those that wrote something'
    )
  })

  t.test(
    `${mode} sessions: a login that is sent twice logs in twice, and a logout with an old id logs out`,
    async (t) => {
      const { app } = await createKitApp(options)
      const ana = new Member(app)
      await ana.get('/cart')
      const cookie = ana.jar.header()
      const send = (url: string) => app.inject({ method: 'POST', url, headers: { cookie }, payload: { id: 1 } })
      for (const reply of [await send('/login'), await send('/login')]) {
        const tab = new Member(app)
        tab.jar.take(reply)
        t.equal(await tab.read('/me'), 'Ana')
      }
      const before = new Member(app)
      await before.login(1)
      const old = before.jar.header()
      const confirmed = await before.submit('/confirm')
      t.equal((await app.inject({ method: 'POST', url: '/logout', headers: { cookie: old } })).statusCode, 200)
      before.jar.take(confirmed)
      t.equal((await before.get('/me')).statusCode, 401, 'the reply of the confirmation came after the logout')
    }
  )

  t.test(`${mode} sessions: regenerate() with an old id ends the login, if nothing new begins`, async (t) => {
    const { app } = await createKitApp(options)
    app.post('/regenerate', async ({ session }) => session.regenerate())
    app.post('/renew', async ({ session }) => session.renew())
    const ana = new Member(app)
    await ana.login(1)
    const cookie = ana.jar.header()
    const send = (url: string) => app.inject({ method: 'POST', url, headers: { cookie } })
    await ana.submit('/confirm')
    await send('/renew')
    t.equal(await ana.read('/who'), 'Ana')
    const reply = await send('/regenerate')
    t.match(reply.headers['set-cookie'], /^session=; Max-Age=0/)
    t.equal(await ana.read('/who'), 'nobody')
  })

  t.test(`${mode} sessions: a handle that was shown before a new id ends the session`, async (t) => {
    const remember = options.store !== undefined
    const { app } = await createKitApp(options, { remember })
    const ana = new Member(app)
    await ana.login(1, { remember })
    const handle = await ana.read('/id')
    await ana.submit('/confirm')
    t.not(await ana.read('/id'), handle)
    await app.sessions.revoke(handle)
    t.equal((await ana.get('/me')).statusCode, 401, 'nor is the browser remembered')
  })
}

t.test('of 200 users whose pages poll while they log in, none is logged out', async (t) => {
  const { app } = await createKitApp(MODES[3]?.options)
  app.get('/poll', async ({ session }) => {
    session.visits = (session.visits ?? 0) + 1
    return ''
  })
  const half = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, LATENCY_MS / 2))
  /** Sends a request as a browser does whose packets take a while in each direction. */
  const send = async (member: Member, method: 'GET' | 'POST', url: string, payload: object = {}): Promise<void> => {
    const headers = { cookie: member.jar.header() }
    await half()
    const reply = await app.inject(method === 'POST' ? { method, url, headers, payload } : { method, url, headers })
    await half()
    member.jar.take(reply)
  }
  const visit = async (index: number): Promise<boolean> => {
    const member = new Member(app)
    await member.get('/cart')
    const polls: Promise<void>[] = []
    // Four polls a second, so that each user has one at another moment of the login.
    const timer = setInterval(() => polls.push(send(member, 'GET', '/poll')), 250)
    await new Promise((resolve) => setTimeout(resolve, (index * 250) / USERS))
    polls.push(send(member, 'GET', '/poll'))
    await send(member, 'POST', '/login', { id: 1 })
    await send(member, 'POST', '/confirm')
    clearInterval(timer)
    await Promise.all(polls)
    return (await member.read('/me')) === 'Ana'
  }
  const stayed = await Promise.all(Array.from({ length: USERS }, (_, index) => visit(index)))
  t.equal(stayed.filter(Boolean).length, USERS)
})
