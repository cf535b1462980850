import { join } from 'node:path'
import fastify from 'fastify'
import type * as Tap from 'tap'
import t from 'tap'
import { flaskCookie, tag, untag } from '../../../lib/flask/index.ts'
import { session } from '../../../lib/index.ts'
import type { User } from '../../../lib/login/index.ts'
import { login } from '../../../lib/login/index.ts'
import type { SessionOptions } from '../../../types/options.ts'
import { hasPython, startFlask } from '../../helpers/flask.ts'
import { SharedJar } from '../../helpers/shared-jar.ts'

const SECRET_KEY = 'tests only: 9f0c1d5be7a24386'
const APP = join(import.meta.dirname, 'app.py')

interface FlaskView {
  readonly session: string
  readonly user: string | null
  readonly permanent: boolean
}

const userOf = (id: string): User => ({ id }) as User

/** A Flask application and ours, with one key, and one browser. */
async function create(t: Tap.Test, options: Partial<SessionOptions> = {}, env: Record<string, string> = {}) {
  const app = fastify()
  await app.register(session, { format: flaskCookie({ secretKey: SECRET_KEY }), ...options } as SessionOptions)
  t.teardown(() => app.close())
  app.get('/session', async ({ session }) => ({ data: session.data(), ownerId: session.ownerId ?? null }))
  app.post<{ Body: object }>('/set', async ({ session, body }) => Object.assign(session, body) && {})
  app.post<{ Body: string }>('/login', async ({ session, body }) => session.setOwner(body) ?? {})
  app.post('/logout', async ({ session }) => (await session.destroy()) ?? {})
  app.post<{ Body: boolean }>('/permanent', async ({ session, body }) => {
    session.permanent = body
    return {}
  })
  const ours = await app.listen({ port: 0 })
  const flask = await startFlask(t, APP, { SECRET_KEY, ...env })
  return { ours, flask, browser: new SharedJar() }
}

if (hasPython(t, 'one session in Flask and here', 'flask', 'flask_login')) {
  t.test('one browser goes back and forth ten times', async (t) => {
    const { ours, flask, browser } = await create(t)
    for (let round = 1; round <= 10; round++) {
      const [first, second] = round % 2 === 0 ? [ours, flask] : [flask, ours]
      const user = String(round)
      // Login in the one, cart in the other.
      await browser.send(`${first}/login`, user)
      await browser.send(`${second}/set`, { cart: { [`apple ${round}`]: round } })
      await browser.send(`${first}/set`, { note: `ö${round}` })
      const seen = (await browser.send(`${flask}/session`)).json as FlaskView
      t.equal(seen.user, user)
      t.match(JSON.parse(seen.session), { cart: { [`apple ${round}`]: round }, note: `ö${round}`, _user_id: user })
      t.match((await browser.send(`${ours}/session`)).json, {
        data: { cart: { [`apple ${round}`]: round }, note: `ö${round}` },
        ownerId: user
      })
      // Logout in either.
      const out = round % 3 === 0 ? [`${flask}/logout`, `${flask}/clear`] : [`${ours}/logout`]
      for (const url of out) await browser.send(url, {})
      t.same((await browser.send(`${flask}/session`)).json, { session: '{}', user: null, permanent: false })
      t.same((await browser.send(`${ours}/session`)).json, { data: {}, ownerId: null })
    }
  })

  t.test('values of Python stay what they are, and ours become what they stand for', async (t) => {
    const { ours, flask, browser } = await create(t)
    await browser.send(`${flask}/python`, {})
    const before = (await browser.send(`${flask}/session`)).json as FlaskView
    await browser.send(`${ours}/set`, { visits: 1, at: tag.dateTime(new Date(0)), pair: tag.tuple(['a', 1]) })
    const after = (await browser.send(`${flask}/session`)).json as FlaskView
    const { _fts, visits, at, pair, ...others } = JSON.parse(after.session)
    t.same(others, JSON.parse(before.session))
    t.match(after.session, '"big":12345678901234567890')
    t.match(_fts, /^\d{11}[\w-]{22}$/)
    const { types, flashes } = (await browser.send(`${flask}/python`)).json as { types: object; flashes: unknown }
    t.same(types, {
      ...{ size: 'tuple', token: 'bytes', html: 'Markup', uuid: 'UUID', since: 'datetime', dict: 'dict', big: 'int' },
      ...{ id: 'dict', _flashes: 'list', _fts: 'str', visits: 'int', at: 'datetime', pair: 'tuple', _fresh: 'bool' }
    })
    t.same(flashes, [['info', 'Hello']])
    const { data } = (await browser.send(`${ours}/session`)).json as { data: Record<string, unknown> }
    t.match(untag(data), { since: new Date('2026-11-20T12:00:01Z'), dict: { ' t': 1 }, id_: { id: 'ö' } })
  })

  t.test('a browser keeps the cookie of a permanent session, whoever has made it permanent', async (t) => {
    const { ours, flask, browser } = await create(t)
    await browser.send(`${ours}/set`, { n: 1 })
    const kept = await browser.send(`${flask}/permanent`, true)
    t.match(kept.setCookie, /Expires=/)
    t.match((await browser.send(`${ours}/set`, { n: 2 })).setCookie, /Max-Age=2678400/)
    t.notMatch((await browser.send(`${ours}/permanent`, false)).setCookie, /Max-Age|Expires/)
    t.match((await browser.send(`${flask}/session`)).json, { permanent: false })
    await browser.send(`${ours}/permanent`, true)
    t.match(await browser.send(`${flask}/session`), { json: { permanent: true }, setCookie: /Expires=/ })
  })

  t.test('a session ends in both at the same time', async (t) => {
    let age = 0
    const clock = (): number => Date.now() - age * 1000
    const { ours, flask, browser } = await create(t, { idleTimeout: 100, clock }, { LIFETIME: '100' })
    for (const [seconds, data] of [
      [90, { n: 1 }],
      [102, {}]
    ] as const) {
      age = seconds
      await browser.send(`${ours}/set`, { n: 1 })
      age = 0
      const cookie = browser.cookies.get('session') as string
      t.same((await browser.send(`${ours}/session`)).json, { data, ownerId: null })
      browser.cookies.set('session', cookie)
      t.equal(((await browser.send(`${flask}/session`)).json as FlaskView).session.includes('"n"'), 'n' in data)
      browser.cookies.clear()
    }
  })

  t.test('a login by the login kit is one in Flask-Login, and its logout there ends it here', async (t) => {
    const { ours, flask, browser } = await create(t)
    const mine = fastify()
    t.teardown(() => mine.close())
    await mine.register(session, { format: flaskCookie({ secretKey: SECRET_KEY }) })
    await mine.register(login, { loadUser: async (id) => userOf(id), loginPath: '/login' })
    mine.post<{ Body: string }>('/login', async (request) => (await request.login(userOf(request.body))) ?? {})
    mine.get('/me', async (request) => ({ user: (await request.loadUser())?.id ?? null }))
    const kit = await mine.listen({ port: 0 })
    await browser.send(`${kit}/login`, '7')
    t.match((await browser.send(`${kit}/me`)).json, { user: '7' })
    t.match((await browser.send(`${flask}/session`)).json, { user: '7' })
    await browser.send(`${flask}/logout`, {})
    t.same((await browser.send(`${kit}/me`)).json, { user: null })
    await browser.send(`${flask}/login`, '8')
    t.same((await browser.send(`${kit}/me`)).json, { user: null })
    t.match((await browser.send(`${ours}/session`)).json, { ownerId: '8' })
  })
}
