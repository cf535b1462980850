import t from 'tap'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createApp, decisionsOf } from '../helpers/app.ts'
import { createVisited } from '../helpers/visited-app.ts'

t.test('options() changes the cookie of this reply', async (t) => {
  const { app } = await createApp()
  app.get('/', async ({ session }) => {
    session.visits = 1
    session.options({ path: '/x', sameSite: 'strict' })
    session.options({ priority: 'high', userInfo: 'ignored' } as object)
    return ''
  })
  app.get('/bad', async ({ session }) => {
    session.options({ sameSite: 'none' })
    return ''
  })
  t.match(
    setCookieLines(await app.inject('/'))[0],
    /; Path=\/x; Priority=High; HttpOnly; SameSite=Strict$|; Path=\/x;.*/
  )
  t.match(setCookieLines(await app.inject('/'))[0], /SameSite=Strict/)
  t.match((await app.inject('/bad')).json(), { code: 'ERR_SESSION_COOKIE_RULE' })

  const strict = await createApp({ cookie: { secure: true, sameSite: 'strict' } })
  strict.app.get('/', async ({ session }) => {
    session.visits = 1
    session.options({ secure: undefined, sameSite: undefined } as object)
    t.throws(() => session.options(null as never), { code: 'ERR_SESSION_VALUE' })
    return ''
  })
  t.match(setCookieLines(await strict.app.inject('/'))[0], /Secure; SameSite=Strict/, 'undefined takes nothing away')
})

t.test('secure follows the protocol, and a Secure cookie on plain HTTP is warned of once', async (t) => {
  const write = async ({ session }: { session: { visits?: number | undefined } }): Promise<string> => {
    session.visits = (session.visits ?? 0) + 1
    return ''
  }
  const auto = await createApp({}, { trustProxy: true })
  auto.app.get('/', write)
  t.notMatch(setCookieLines(await auto.app.inject('/'))[0], /Secure/)
  t.match(setCookieLines(await auto.app.inject({ url: '/', headers: { 'x-forwarded-proto': 'https' } }))[0], /; Secure/)
  t.same(auto.warnings(), [])

  const secure = await createApp({ cookie: { secure: true } })
  secure.app.get('/', write)
  const decisions = await decisionsOf(async () => {
    t.match(setCookieLines(await secure.app.inject('/'))[0], /; Secure/, 'it is sent all the same')
    await secure.app.inject('/')
  })
  t.equal(decisions.filter((decision) => decision === 'commit: insecure-transport').length, 2)
  t.equal(secure.warnings().length, 1)
  t.match(secure.warnings()[0], { reason: 'insecure-transport', msg: /trustProxy/ })

  const insecure = await createApp({ cookie: { secure: false } }, { trustProxy: true })
  insecure.app.get('/', write)
  t.notMatch(
    setCookieLines(await insecure.app.inject({ url: '/', headers: { 'x-forwarded-proto': 'https' } }))[0],
    /Secure/
  )
})

t.test('permanent cookies live as long as the session can, and 400 days at most', async (t) => {
  const lifetimes = { idleTimeout: 40_000_000, absoluteTimeout: 50_000_000, permanent: true }
  const { app, clock } = await createApp(lifetimes)
  app.get('/', async ({ session }) => {
    session.visits = (session.visits ?? 0) + 1
    return ''
  })
  const visitor = await createClient(app)
  t.match(setCookieLines(await visitor.get('/'))[0], /; Max-Age=34560000;/)
  clock.advance(30_000_000)
  t.match(setCookieLines(await visitor.get('/'))[0], /; Max-Age=20000000;/, 'the absolute limit is nearer')
})

t.test('permanence is kept in the store and said in the cookie, again whenever it is sent', async (t) => {
  const { app, store, visitor, clock, key } = await createVisited({ idleTimeout: 1000, refreshAfter: 60 })
  app.get('/permanent/:value', async ({ session, params }) => {
    session.permanent = (params as { value: string }).value === 'true'
    return ''
  })
  t.match(setCookieLines(await visitor.get('/permanent/true')), [/; Max-Age=1000;/])
  t.match(store.takeCalls()[1], ['commit', key, { set: {}, unset: [], permanent: true }])
  t.same(setCookieLines(await visitor.get('/count')), [])
  clock.advance(60)
  t.match(setCookieLines(await visitor.get('/untouched')), [/; Max-Age=1000;/])
  t.equal((await store.inner.load(key))?.permanent, true)
  const [line = ''] = setCookieLines(await visitor.get('/permanent/false'))
  t.match(line, /^session=r1/)
  t.notMatch(line, /Max-Age/)
})
