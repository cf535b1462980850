import { randomBytes } from 'node:crypto'
import type * as Tap from 'tap'
import t from 'tap'
import { flaskCookie } from '../../lib/flask/flask-cookie.ts'
import { FlaskFormat, openFlask } from '../../lib/flask/format.ts'
import { encodePayload } from '../../lib/flask/payload.ts'
import { encodeTimestamp } from '../../lib/flask/timestamp.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import type { LooseOptions } from '../helpers/app.ts'
import { createApp, decisionsOf } from '../helpers/app.ts'
import { signerOf, VECTORS } from './vectors.ts'

const format = flaskCookie({ secretKey: VECTORS.key, fallbacks: [VECTORS.oldKey] })
const DAY = 86_400

async function create(t: Tap.Test, options: LooseOptions = {}) {
  const { app, clock } = await createApp({ secret: undefined, format, ...options })
  t.teardown(() => app.close())
  app.get('/', async ({ session }) => session.data())
  app.get('/facts', async ({ session: { id, ownerId, permanent, createdAt, expiresAt } }) => ({
    ...{ id, ownerId, permanent },
    ...{ createdAt: createdAt.getTime() / 1000, expiresAt: expiresAt.getTime() / 1000 }
  }))
  app.get('/untouched', async () => '')
  app.post<{ Body: object }>('/', async ({ session, body }) => {
    Object.assign(session, body)
    return session.size()
  })
  app.post('/login', async ({ session }) => session.setOwner('7'))
  app.post('/logout', async ({ session }) => session.destroy())
  const now = (): number => clock.now() / 1000
  /** What a browser sends that has got a session from Flask. */
  const cookieOf = (session: object, signedAt = now(), key = VECTORS.key): string => {
    const signer = signerOf({ keys: [new TextEncoder().encode(key)] })
    return `session=${signer.sign(`${encodePayload(JSON.stringify(session))}.${encodeTimestamp(signedAt)}`)}`
  }
  /** What Flask gets from a browser. */
  const readBy = (setCookie: unknown): { signedAt: number; session: Record<string, unknown> } => {
    const [, value = ''] = /^session=([^;]+)/.exec(String(setCookie)) ?? []
    const opened = openFlask(signerOf(), value)
    if (typeof opened === 'string') throw new Error(opened)
    return { signedAt: opened.signedAt, session: JSON.parse(opened.json) }
  }
  return { app, clock, now, cookieOf, readBy }
}

t.test('a session that Flask has begun opens here, and goes on there', async (t) => {
  const { app, now, cookieOf, readBy } = await create(t)
  const cookie = cookieOf({ cart: { apple: 1 }, _flashes: [{ ' t': ['info', 'Hi'] }] })
  const got = await app.inject({ url: '/', headers: { cookie } })
  t.same(got.json(), { cart: { apple: 1 }, _flashes: [{ ' t': ['info', 'Hi'] }] })
  t.equal(got.headers['set-cookie'], undefined)
  const sent = await app.inject({ method: 'POST', url: '/', headers: { cookie }, payload: { visits: 2 } })
  t.match(sent.headers['set-cookie'], /^session=[\w.-]+; Path=\/; HttpOnly; SameSite=Lax$/)
  const { session, signedAt } = readBy(sent.headers['set-cookie'])
  t.equal(signedAt, now())
  const { _fts, ...data } = session
  t.match(_fts, new RegExp(`^${now()}0[\\w-]{22}$`))
  t.same(data, { cart: { apple: 1 }, _flashes: [{ ' t': ['info', 'Hi'] }], visits: 2 })
})

t.test('the owner is the user of Flask-Login, and a new id comes with it', async (t) => {
  const { app, cookieOf, readBy } = await create(t)
  const cookie = cookieOf({ _user_id: '5', _fresh: true })
  const before = await app.inject({ url: '/facts', headers: { cookie } })
  t.match(before.json(), { ownerId: '5', permanent: false })
  const login = await app.inject({ method: 'POST', url: '/login', headers: { cookie } })
  const { session } = readBy(login.headers['set-cookie'])
  t.match(session, { _user_id: '7', _fresh: true })
  t.notMatch(session._fts, before.json().id)
  const logout = await app.inject({ method: 'POST', url: '/logout', headers: { cookie } })
  t.match(logout.headers['set-cookie'], /^session=; Max-Age=0; /)
})

t.test('without other options, a session lasts as in Flask: 31 days from its timestamp', async (t) => {
  const { app, clock, now, cookieOf, readBy } = await create(t)
  const cookie = cookieOf({ _permanent: true, n: 1 })
  t.match((await app.inject({ url: '/facts', headers: { cookie } })).json(), { expiresAt: now() + 31 * DAY })
  clock.advance(31 * DAY)
  t.same((await app.inject({ url: '/', headers: { cookie } })).json(), { n: 1 })
  clock.advance(1)
  t.same((await app.inject({ url: '/', headers: { cookie } })).json(), {})
  const other = cookieOf({ _permanent: true, n: 1 })
  clock.advance(60)
  const refreshed = await app.inject({ url: '/untouched', headers: { cookie: other, 'cache-control': '' } })
  t.match(refreshed.headers['set-cookie'], new RegExp(`Max-Age=${31 * DAY}`))
  t.match(readBy(refreshed.headers['set-cookie']), { signedAt: now(), session: { _permanent: true, n: 1 } })
})

t.test('a request with a fresh cookie decodes nothing, and sends nothing', async (t) => {
  const { app, cookieOf } = await create(t)
  const cookie = cookieOf({ n: 1 })
  t.same(await decisionsOf(() => app.inject({ url: '/untouched', headers: { cookie: `a=1; ${cookie}; b=2` } })), [
    'commit: untouched'
  ])
  t.same(await decisionsOf(() => app.inject({ url: '/', headers: { cookie: `${cookie.slice(0, -2)}xx` } })), [
    'open: bad-signature',
    'commit: empty'
  ])
})

t.test('a cookie under an older key is sent again under the newest', async (t) => {
  const { app, now, cookieOf } = await create(t)
  const cookie = cookieOf({ n: 1 }, now(), VECTORS.oldKey)
  const reply = await app.inject({ url: '/', headers: { cookie } })
  const [, value = ''] = /^session=([^;]+)/.exec(String(reply.headers['set-cookie'])) ?? []
  t.match(openFlask(signerOf(), value), { isCurrent: true })
})

t.test('of two cookies, that with the newest activity counts', async (t) => {
  const { app, now, cookieOf } = await create(t)
  const cookie = `${cookieOf({ n: 1 }, now() - 9)}; ${cookieOf({ n: 2 })}; ${cookieOf({ n: 3 }, now() - 5)}; session=x`
  t.same((await app.inject({ url: '/', headers: { cookie } })).json(), { n: 2 })
})

t.test('what is compressed may be larger than a cookie', async (t) => {
  const { app } = await create(t)
  const payload = { text: 'abc '.repeat(5000) }
  const stored = await app.inject({ method: 'POST', url: '/', payload })
  t.equal(stored.statusCode, 200)
  t.ok(stored.json().bytes < 400)
  const client = await createClient(app)
  await client.post('/', { payload })
  t.same((await client.get('/')).json(), payload)
  for (const text of [randomBytes(3000).toString('hex'), 'abc '.repeat(20_000)]) {
    const refused = await app.inject({ method: 'POST', url: '/', payload: { text } })
    t.match(refused.json(), { code: 'ERR_SESSION_TOO_LARGE' })
  }
})

t.test('the testing kit makes such cookies, and reads them', async (t) => {
  const { app } = await create(t)
  const client = await createClient(app, { data: { visits: 3 }, ownerId: '7' })
  t.match((await client.get('/facts')).json(), { ownerId: '7' })
  await client.post('/', { payload: { visits: 4 } })
  t.match(await client.session(), { data: { visits: 4 }, ownerId: '7' })
})

t.test('what Flask has and data cannot have is refused', async (t) => {
  const { app } = await create(t)
  for (const [payload, code] of [
    [{ _permanent: true }, 'ERR_SESSION_RESERVED_KEY'],
    [{ cart: { ' u': 1 } }, 'ERR_SESSION_VALUE']
  ] as const) {
    t.match((await app.inject({ method: 'POST', url: '/', payload })).json(), { code })
  }
})

t.test('its options are checked', async (t) => {
  t.throws(() => flaskCookie({ secretKey: VECTORS.key, key: 1 } as never), { code: 'ERR_SESSION_OPTION_UNKNOWN' })
  t.throws(() => flaskCookie({ secretKey: undefined }), { code: 'ERR_SESSION_SECRET_MISSING' })
  t.equal(format.name, 'flask')
  t.ok(Object.isFrozen(format))
  const { create: make } = flaskCookie({ secretKey: VECTORS.key }) as unknown as { create(): FlaskFormat }
  t.type(make(), FlaskFormat)
})
