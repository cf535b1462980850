import type { LightMyRequestResponse } from 'fastify'
import t from 'tap'
import type { CookieAttributes } from '../../lib/index.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import type { LooseOptions, TestApp } from '../helpers/app.ts'
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
    session.options({ sameSite: 'none', secure: false })
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

t.test('options() takes no lifetime, and says what sets it', async (t) => {
  const { app } = await createApp()
  app.get('/', async ({ session }) => {
    for (const given of [{ maxAge: 60_000 }, { expires: new Date(0) }]) {
      const [name] = Object.keys(given)
      const message = new RegExp(`does not take ${name}: .* Set session\\.permanent to true .* session\\.idleTimeout`)
      t.throws(() => session.options(given as object), { code: 'ERR_SESSION_OPTION_INVALID', message })
    }
    return ''
  })
  t.equal((await app.inject('/')).statusCode, 200)
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

t.test("sameSite: 'none' is Lax on plain HTTP, and warned of once", async (t) => {
  const { app, warnings } = await createApp({ cookie: { sameSite: 'none' } }, { trustProxy: true })
  app.get('/', async ({ session }) => {
    session.visits = (session.visits ?? 0) + 1
    return ''
  })
  const headers = { 'x-forwarded-proto': 'https' }
  t.match(setCookieLines(await app.inject({ url: '/', headers }))[0], /; Secure; SameSite=None$/)
  t.same(warnings(), [])
  for (let count = 0; count < 2; count++) t.match(setCookieLines(await app.inject('/'))[0], /HttpOnly; SameSite=Lax$/)
  t.match(warnings(), [{ reason: 'same-site-none' }])
  t.equal(warnings().length, 1)
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
  t.match(line, /^session=r2/)
  t.notMatch(line, /Max-Age/)
})

/** An application whose `/` sets a value, and which may be told before what the reply's cookie is to be. */
async function createWriter(options: LooseOptions = {}, attributes: CookieAttributes = {}): Promise<TestApp> {
  const made = await createApp(options, { trustProxy: true })
  made.app.get('/', async ({ session }) => {
    session.visits = (session.visits ?? 0) + 1
    session.options(attributes)
    return ''
  })
  made.app.get('/clear', async ({ session }) => {
    session.options(attributes)
    session.clear()
    return ''
  })
  return made
}

/** A `Set-Cookie` line without the value of the session. */
function attributesOf(response: LightMyRequestResponse): string[] {
  return setCookieLines(response).map((line) => line.replace(/^session=s2[\w.-]+;/, 'session=…;'))
}

t.test('a cookie is set with its attributes, kept out of caches, and said', async (t) => {
  const { app } = await createWriter()
  const decisions = await decisionsOf(async () => {
    const response = await app.inject('/')
    t.same(attributesOf(response), ['session=…; Path=/; HttpOnly; SameSite=Lax'])
    t.equal(response.headers['cache-control'], 'no-store')
  })
  t.same(decisions, ['open: no-cookie', 'commit: created'])
})

t.test('a cookie that outlives the browser says for how long', async (t) => {
  const { app } = await createWriter({ permanent: true, idleTimeout: 90 })
  t.same(attributesOf(await app.inject('/')), ['session=…; Max-Age=90; Path=/; HttpOnly; SameSite=Lax'])
})

t.test('secure follows the protocol, and a Secure cookie over plain HTTP is told', async (t) => {
  const https = await createWriter()
  const headers = { 'x-forwarded-proto': 'https' }
  let decisions = await decisionsOf(async () => {
    const response = await https.app.inject({ url: '/', headers })
    t.same(attributesOf(response), ['session=…; Path=/; HttpOnly; Secure; SameSite=Lax'])
  })
  t.same(decisions, ['open: no-cookie', 'commit: created'])

  const forced = await createWriter({ cookie: { secure: true } })
  decisions = await decisionsOf(async () => {
    const response = await forced.app.inject('/')
    t.same(attributesOf(response), ['session=…; Path=/; HttpOnly; Secure; SameSite=Lax'], 'it is sent all the same')
  })
  t.same(decisions, ['open: no-cookie', 'commit: insecure-transport'])
  t.match(forced.warnings(), [{ reason: 'insecure-transport' }])
})

t.test("this reply's own attributes count, for setting and for clearing", async (t) => {
  const { app } = await createWriter({}, { path: '/x', secure: false })
  const response = await app.inject('/')
  t.same(attributesOf(response), ['session=…; Path=/x; HttpOnly; SameSite=Lax'])
  const [cookie = ''] = setCookieLines(response)[0]?.split(';') ?? []
  const cleared = await app.inject({ url: '/clear', headers: { cookie } })
  t.match(setCookieLines(cleared), [/^session=; Max-Age=0; .*; Path=\/x; /])
})
