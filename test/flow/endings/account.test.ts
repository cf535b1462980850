import t from 'tap'
import { MODES, OTHER_SECRET, REVOCABLE, SECRET, withOneStore } from '../../helpers/app.ts'
import { createKitApp, Member } from '../../helpers/login-app.ts'

const DAY = 86_400

for (const { mode, options, isSelfContained } of [...MODES, ...REVOCABLE]) {
  t.test(`${mode} sessions: a changed password ends every session but the one that changed it`, async (t) => {
    const { app, users } = await createKitApp(options, { authHash: (user) => user.password })
    app.post('/password', async (request) => {
      const user = users.get('1')
      if (user === undefined) return 'nobody'
      user.password = 'another'
      await request.login(user)
      return 'changed'
    })
    const [laptop, phone] = [new Member(app), new Member(app)]
    await laptop.login(1)
    await phone.login(1)
    const copy = laptop.jar.header()
    await laptop.submit('/password')
    t.equal(await laptop.read('/me'), 'Ana')
    t.equal((await phone.get('/me')).statusCode, 401)
    t.equal(phone.jar.header(), '', 'its cookie is cleared')
    t.equal((await app.inject({ url: '/me', headers: { cookie: copy } })).statusCode, 401, 'and no copy opens')
  })

  t.test(`${mode} sessions: a user who is gone is logged out at the next request`, async (t) => {
    const { app, users } = await createKitApp(options)
    const ana = new Member(app)
    await ana.login(1)
    const copy = ana.jar.header()
    users.delete('1')
    t.equal((await ana.get('/me')).statusCode, 401)
    t.equal(ana.jar.header(), '', 'its cookie is cleared')
    users.set('1', { id: 1, name: 'Ana', password: 'a', roles: [] })
    const later = await app.inject({ url: '/me', headers: { cookie: copy } })
    t.equal(later.statusCode, isSelfContained ? 200 : 401, 'a copy, when the user is back')
  })

  t.test(`${mode} sessions: a secret that was taken out ends every session under it`, async (t) => {
    const shared = withOneStore(options)
    const before = await createKitApp({ ...shared, secret: OTHER_SECRET })
    const rotating = await createKitApp({ ...shared, secret: [SECRET, OTHER_SECRET] })
    const after = await createKitApp({ ...shared, secret: SECRET })
    const ana = new Member(before.app)
    await ana.login(1)
    const cookie = ana.jar.header()
    t.equal((await after.app.inject({ url: '/me', headers: { cookie } })).statusCode, 401)
    const reissued = await rotating.app.inject({ url: '/me', headers: { cookie } })
    t.equal(reissued.statusCode, 200)
    const there = new Member(after.app)
    there.jar.take(reissued)
    t.equal(await there.read('/me'), 'Ana', 'who came by while both were there stays logged in')
  })

  t.test(`${mode} sessions: both timeouts are exact`, async (t) => {
    const { app, clock } = await createKitApp({
      ...options,
      idleTimeout: DAY,
      absoluteTimeout: 2 * DAY,
      refreshAfter: 0
    })
    const idle = new Member(app)
    await idle.login(1)
    clock.advance(DAY)
    t.equal(await idle.read('/me'), 'Ana')
    clock.advance(DAY + 1)
    t.equal((await idle.get('/me')).statusCode, 401, 'idle')
    const busy = new Member(app)
    await busy.login(1)
    for (let half = 0; half < 4; half++) {
      clock.advance(DAY / 2)
      t.equal(await busy.read('/me'), 'Ana')
    }
    clock.advance(1)
    t.equal((await busy.get('/me')).statusCode, 401, 'absolute')
  })

  t.test(`${mode} sessions: another login in the same browser ends the first`, async (t) => {
    const { app } = await createKitApp(options)
    const browser = new Member(app)
    await browser.login(1)
    const copy = browser.jar.header()
    await browser.login(2)
    t.equal(await browser.read('/me'), 'Ben')
    const old = await app.inject({ url: '/me', headers: { cookie: copy } })
    t.equal(old.statusCode, isSelfContained ? 200 : 401)
  })

  t.test(`${mode} sessions: revoke, revokeAll and the limit of an owner`, async (t) => {
    if (isSelfContained) {
      const { app } = await createKitApp(options)
      for (const revoke of [app.sessions.revoke('x'), app.sessions.revokeAll('1')] as Promise<unknown>[]) {
        await t.rejects(revoke, { code: 'ERR_SESSION_STORE_REQUIRED' })
      }
      return
    }
    const isStored = options.store !== undefined
    const { app, clock } = await createKitApp({ ...options, ...(isStored && { maxPerOwner: 2 }) })
    const [first, second, third] = [new Member(app), new Member(app), new Member(app)]
    for (const member of [first, second, third]) {
      await member.login(1)
      clock.advance(1)
    }
    t.equal((await first.get('/me')).statusCode, isStored ? 401 : 200, 'the oldest made room')
    const handle = await second.read('/id')
    await app.sessions.revoke(handle)
    t.equal((await second.get('/me')).statusCode, 401)
    t.equal(await third.read('/me'), 'Ana')
    t.same(await app.sessions.revokeAll('1'), isStored ? 1 : Number.NaN)
    t.equal((await third.get('/me')).statusCode, 401)
  })
}
