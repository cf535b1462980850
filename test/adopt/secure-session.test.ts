import { createRequire } from 'node:module'
import t from 'tap'
import { secureSession } from '../../lib/adopt/secure-session.ts'

const require = createRequire(import.meta.url)
const fastify = require('fastify')
const library = require('fastify-secure-session')

const KEY = Buffer.alloc(32, 7)
const OTHER_KEY = Buffer.alloc(32, 8)
const NOW = 1_800_000_000
const CONTEXT = { now: NOW, cookiesNamed: () => [] }

/** Seals data as the library does. */
async function seal(data: object, options: object = { key: KEY }): Promise<string> {
  const app = fastify()
  await app.register(library, options)
  return app.encodeSecureSession(app.createSecureSession({ __ts: NOW - 60, ...data }))
}

async function read(value: string, options: object = { key: KEY }) {
  const reader = secureSession(options)
  await reader.start?.()
  return reader.read(value, CONTEXT)
}

t.test('a cookie of the library, however it is spelled', async (t) => {
  const value = await seal({ userId: 7 })
  const found = { isUnique: true, data: { userId: 7 }, createdAt: NOW - 60, expiresAt: NOW - 60 + 86_401 - 1 }
  const one = await read(value)
  t.match(one, found)
  const others = [encodeURIComponent(value), `"${value}"`, `${value}.c2lnbmF0dXJl`]
  for (const other of others) t.same(await read(other), one, other)
  t.not(((await read(await seal({ userId: 7 }))) as { key: string }).key, (one as { key: string }).key)
})

t.test('under each key, as bytes or base64', async (t) => {
  const value = await seal({ userId: 7 })
  for (const key of [KEY.toString('base64'), [OTHER_KEY, KEY], [KEY.toString('base64')]]) {
    t.match(await read(value, { key }), { data: { userId: 7 } })
  }
  t.equal(await read(value, { key: OTHER_KEY }), 'refused')
})

t.test('under the key of a secret', async (t) => {
  const secret = 'averylongsecretaverylongsecretaver'
  const salted = { secret, salt: 'sixteen bytes...' }
  const values = [await seal({ userId: 7 }, { secret }), await seal({ userId: 7 }, salted)]
  for (const [index, options] of [{ secret }, salted].entries()) {
    const reader = secureSession(options)
    // It takes seconds.
    await reader.start?.()
    t.match(reader.read(values[index] as string, CONTEXT), { data: { userId: 7 } })
    t.equal(reader.read(values[1 - index] as string, CONTEXT), 'refused')
  }
})

t.test('anything else is refused', async (t) => {
  const value = await seal({ userId: 7 })
  const [box = '', nonce = ''] = value.split(';')
  const wrong = [
    '',
    ';',
    box,
    `${box};`,
    `;${nonce}`,
    `${nonce};${box}`,
    `${box};${nonce};`,
    `AAAA${box};${nonce}`,
    `AA==;${nonce}`
  ]
  for (const text of wrong) t.equal(await read(text), 'refused', text)
  t.equal(await read(await seal({ __ts: 'soon' })), 'refused')
  t.equal(await secureSession({ key: KEY }).read(value, CONTEXT), 'refused', 'before the start')
})

t.test('its name and its expiry', async (t) => {
  t.equal(secureSession({ key: KEY }).cookieName, 'session')
  t.equal(secureSession({ key: KEY, sessionName: 'a' }).cookieName, 'a')
  t.equal(secureSession({ key: KEY, sessionName: 'a', cookieName: 'b' }).cookieName, 'b')
  t.match(await read(await seal({}), { key: KEY, expiry: 100 }), { expiresAt: NOW + 39 })
})

t.test('wrong options are refused', async (t) => {
  const wrong = [{}, { key: 'short' }, { key: [KEY, Buffer.alloc(31)] }, { secret: 'short' }, { key: KEY, expiry: 0 }]
  for (const options of wrong) t.throws(() => secureSession(options as never), { code: 'ERR_SESSION_OPTION_INVALID' })
  const secret = 'averylongsecretaverylongsecretaver'
  t.throws(() => secureSession({ secret, salt: 'short' }), { code: 'ERR_SESSION_OPTION_INVALID' })
  t.throws(() => secureSession({ key: KEY, cookieOptions: {} } as never), { code: 'ERR_SESSION_OPTION_UNKNOWN' })
})
