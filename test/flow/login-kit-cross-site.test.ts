import t from 'tap'
import { MODES } from '../helpers/app.ts'
import { type ANA, createKitApp, Member } from '../helpers/login-app.ts'

const CROSS_SITE = { 'sec-fetch-site': 'cross-site' }
const SAME_SITE = { 'sec-fetch-site': 'same-site' }
const OTHER_ORIGIN = { origin: 'https://evil.example' }

for (const { mode, options } of MODES) {
  t.test(`a form of another site logs nobody in or out, and confirms nothing, in ${mode} sessions`, async (t) => {
    const { app } = await createKitApp(options)
    const ana = new Member(app)
    for (const headers of [CROSS_SITE, SAME_SITE, OTHER_ORIGIN]) {
      const refused = await ana.submit('/login', { id: 1 }, headers)
      t.match(refused.json(), { statusCode: 403, code: 'ERR_SESSION_CROSS_SITE' })
      t.equal(await ana.read('/who'), 'nobody')
    }
    await ana.login(1)
    const id = await ana.read('/id')
    for (const url of ['/logout', '/confirm']) {
      for (const headers of [CROSS_SITE, SAME_SITE, OTHER_ORIGIN]) {
        t.match((await ana.submit(url, {}, headers)).json(), { statusCode: 403, code: 'ERR_SESSION_CROSS_SITE' })
      }
    }
    t.equal(await ana.read('/who'), 'Ana')
    t.equal(await ana.read('/id'), id, 'the session is the same')
    t.equal((await ana.submit('/logout', {}, { 'sec-fetch-site': 'same-origin' })).statusCode, 200)
    t.equal(await ana.read('/who'), 'nobody')
  })

  t.test(`a login keeps of an anonymous session what keep names, in ${mode} sessions`, async (t) => {
    const { app, users } = await createKitApp(options)
    app.get('/plant', async ({ session }) => {
      Object.assign(session, { mfaPassed: true, next: '/orders', _csrf: 'known', visits: 1 })
      return ''
    })
    app.post<{ Body: { keep?: 'cart'[] } }>('/keep', async (request) => {
      await request.login(users.get('1') as typeof ANA, { keep: request.body.keep })
      return ''
    })
    const keysAfter = async (keep: string[] | undefined): Promise<string[]> => {
      const ana = new Member(app)
      await ana.get('/cart')
      await ana.get('/plant')
      await ana.submit('/keep', { keep })
      return Object.keys((await ana.get('/data')).json()).sort()
    }
    t.same(await keysAfter(['cart']), ['_login', 'cart', 'next'])
    t.same(await keysAfter(['cart', '_csrf', 'nothing']), ['_login', 'cart', 'next'], 'never the CSRF secret')
    t.same(await keysAfter([]), ['_login', 'next'])
    t.same(await keysAfter(undefined), ['_login', 'cart', 'mfaPassed', 'next', 'visits'])

    const ana = new Member(app)
    await ana.login(1)
    await ana.get('/cart')
    await ana.submit('/keep', { keep: [] })
    t.match((await ana.get('/data')).json(), { cart: { book: 1 } }, 'the data of the same user stay')
    t.match((await new Member(app).submit('/keep', { keep: 'cart' })).json(), { code: 'ERR_SESSION_OPTION_INVALID' })
  })
}

t.test('a login by a link from elsewhere works, such as the return from an OAuth provider', async (t) => {
  const { app, users } = await createKitApp()
  app.get('/callback', async (request) => {
    await request.login(users.get('1') as typeof ANA)
    return ''
  })
  const ana = new Member(app)
  t.equal((await ana.get('/callback', { headers: { ...CROSS_SITE, 'sec-fetch-mode': 'navigate' } })).statusCode, 200)
  t.equal(await ana.read('/who'), 'Ana')
})

t.test('a login that another site posts works where the call allows it, such as SAML', async (t) => {
  const { app, users } = await createKitApp()
  app.post('/acs', async (request) => {
    await request.login(users.get('1') as typeof ANA, { allowCrossSite: true })
    return ''
  })
  const ana = new Member(app)
  t.equal((await ana.submit('/acs', {}, { ...CROSS_SITE, ...OTHER_ORIGIN })).statusCode, 200)
  t.equal(await ana.read('/who'), 'Ana')
})

t.test('other hosts of the site may where the option allows it', async (t) => {
  const { app } = await createKitApp({}, { allowSameSite: true })
  const ana = new Member(app)
  t.equal((await ana.submit('/login', { id: 1 }, SAME_SITE)).statusCode, 200)
  t.equal((await ana.submit('/confirm', {}, SAME_SITE)).statusCode, 200)
  t.equal((await ana.submit('/logout', {}, CROSS_SITE)).statusCode, 403)
  t.equal((await ana.submit('/logout', {}, SAME_SITE)).statusCode, 200)
})
