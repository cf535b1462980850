import { createHmac } from 'node:crypto'
import t from 'tap'
import { cookieSession } from '../../lib/adopt/cookie-session.ts'

const VALUE = Buffer.from('{"userId":7}').toString('base64')
const sign = (text: string, key = 'key'): string => createHmac('sha1', key).update(text).digest('base64url')
const contextOf = (...signatures: string[]) => ({
  now: 0,
  cookiesNamed: (name: string) => (name === 'session.sig' ? signatures : [])
})

t.test('the signature is in another cookie', async (t) => {
  const reader = cookieSession({ keys: ['key', 'older'] })
  t.match(reader, { cookieName: 'session', otherCookies: ['session.sig'], remove: false })
  const found = { key: VALUE, isUnique: false, data: { userId: 7 } }
  t.match(await reader.read(VALUE, contextOf(sign(`session=${VALUE}`))), found)
  t.match(await reader.read(`"${VALUE}"`, contextOf(`"${sign(`session=${VALUE}`)}"`)), found)
  t.match(await reader.read(VALUE, contextOf('other', sign(`session=${VALUE}`, 'older'))), found)
})

t.test('another name', async (t) => {
  const reader = cookieSession({ keys: ['key'], name: 'shop' })
  const cookiesNamed = (name: string): string[] => (name === 'shop.sig' ? [sign(`shop=${VALUE}`)] : [])
  t.match(await reader.read(VALUE, { now: 0, cookiesNamed }), { data: { userId: 7 } })
  t.equal(await reader.read(VALUE, contextOf(sign(`session=${VALUE}`))), 'refused')
})

t.test('what has no signature, another one, or no object in it is refused', async (t) => {
  const reader = cookieSession({ keys: ['key'] })
  t.equal(await reader.read(VALUE, contextOf()), 'refused')
  t.equal(await reader.read(VALUE, contextOf('')), 'refused')
  t.equal(await reader.read(VALUE, contextOf(sign(`session=${VALUE}`, 'other'))), 'refused')
  t.equal(await reader.read(`${VALUE}=`, contextOf(sign(`session=${VALUE}`))), 'refused')
  t.equal(await reader.read('W10=', contextOf(sign('session=W10='))), 'refused')
})

t.test('a Keygrip of the application', async (t) => {
  const keys = { verify: (data: string, digest: string) => data === `session=${VALUE}` && digest === 'mine' }
  t.match(await cookieSession({ keys }).read(VALUE, contextOf('mine')), { data: { userId: 7 } })
})

t.test('wrong options are refused', async (t) => {
  t.throws(() => cookieSession({ keys: [] }), { code: 'ERR_SESSION_OPTION_INVALID' })
  t.throws(() => cookieSession({} as never), { code: 'ERR_SESSION_OPTION_INVALID' })
  t.throws(() => cookieSession({ keys: ['key'], secret: 'a' } as never), { code: 'ERR_SESSION_OPTION_UNKNOWN' })
})
