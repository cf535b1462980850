import { sealData } from 'iron-session'
import * as iron from 'iron-webcrypto'
import t from 'tap'
import { ironReader, ironSession } from '../../lib/adopt/iron-session.ts'

const PASSWORD = 'the password of the other library, 12345'
const OTHER = 'the password that it had before, 1234567'
const now = (): number => Math.floor(Date.now() / 1000)

async function read(value: string, options: object = { password: PASSWORD }, at = now()) {
  const reader = ironSession({ password: PASSWORD, cookieName: 'old', ...options })
  await reader.start?.()
  return reader.read(value, { now: at, cookiesNamed: () => [] })
}

t.test('a cookie of the library, however it is spelled', async (t) => {
  const value = await sealData({ userId: 7 }, { password: PASSWORD })
  t.match(value, /~2$/)
  const at = now()
  const one = (await read(value, {}, at)) as { key: string; createdAt: number; expiresAt: number }
  t.match(one, { isUnique: true, data: { userId: 7 } })
  t.ok(Math.abs(one.createdAt - at) <= 1, 'when it was sealed')
  t.ok(Math.abs(one.expiresAt - at - 1_209_600 - 60) <= 2)
  t.same(await read(encodeURIComponent(value), {}, at), one)
  t.same(await read(value.replace('~2', '~2x'), {}, at), one)
})

t.test('under each of the passwords', async (t) => {
  const value = await sealData({ userId: 7 }, { password: { 1: OTHER } })
  t.match(await read(value, { password: [OTHER, PASSWORD] }), { data: { userId: 7 } })
  t.match(await read(value, { password: { 2: PASSWORD, 1: OTHER } }), { data: { userId: 7 } })
  t.equal(await read(value, { password: { 2: PASSWORD } }), 'refused')
  t.equal(await read(value), 'refused')
})

t.test('one of an older version', async (t) => {
  const settings = { ...iron.defaults, ttl: 1000_000 }
  const value = await iron.seal({ persistent: { userId: 7 } }, { id: '1', secret: PASSWORD }, settings)
  t.match(await read(value), { data: { userId: 7 } })
  t.match(await read(`${value}~1`), { data: { userId: 7 } })
  t.equal(await read(await iron.seal({}, { id: '1', secret: PASSWORD }, settings)), 'refused')
})

t.test('its end', async (t) => {
  const at = now()
  const value = await sealData({ userId: 7 }, { password: PASSWORD, ttl: 100 })
  t.match(await read(value, { ttl: 100 }, at + 158), { data: { userId: 7 } }, 'a minute longer, as with the library')
  t.equal(await read(value, { ttl: 100 }, at + 162), 'refused')
  t.match(await read(value, { ttl: 10 }, at), { createdAt: at }, 'a wrong ttl does not lead into the future')
  const endless = await read(await sealData({ userId: 7 }, { password: PASSWORD, ttl: 0 }))
  t.match(endless, { createdAt: undefined, expiresAt: undefined })
})

t.test('anything else is refused', async (t) => {
  const value = await sealData({ userId: 7 }, { password: PASSWORD })
  for (const text of [
    '',
    '~2',
    'Fe26.2',
    value.replace('Fe26.2', 'Fe26.3'),
    value.replace(/.~2$/, '!~2'),
    value.replace('~2', '*~2')
  ]) {
    t.equal(await read(text), 'refused')
  }
  t.equal(await read('*'.repeat(9000)), 'refused')
  t.equal(await read(`${'a'.repeat(9000)}*******`), 'refused')
  t.equal(await read(await sealData([1] as never, { password: PASSWORD })), 'refused')
  const reader = ironSession({ password: PASSWORD, cookieName: 'old' })
  t.equal(await reader.read(value, { now: now(), cookiesNamed: () => [] }), 'refused', 'before the start')
})

t.test('without the package', async (t) => {
  const load = async (): Promise<never> => {
    throw new Error('not found')
  }
  const reader = ironReader({ password: PASSWORD, cookieName: 'old' }, load)
  await t.rejects(async () => reader.start?.(), { code: 'ERR_SESSION_PEER_MISSING', message: /iron-webcrypto/ })
})

t.test('wrong options are refused', async (t) => {
  const wrong = [
    { password: 'short' },
    { password: [] },
    { password: undefined },
    { cookieName: undefined },
    { ttl: -1 }
  ]
  for (const options of wrong) {
    const given = { password: PASSWORD, cookieName: 'old', ...options }
    t.throws(() => ironSession(given as never), { code: 'ERR_SESSION_OPTION_INVALID' })
  }
  const unknown = { password: PASSWORD, cookieName: 'old', cookieOptions: {} }
  t.throws(() => ironSession(unknown as never), { code: 'ERR_SESSION_OPTION_UNKNOWN' })
})
