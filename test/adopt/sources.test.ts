import t from 'tap'
import { readSources } from '../../lib/adopt/sources.ts'

const read = (): 'refused' => 'refused'
const reader = { cookieName: 'old', remove: true, read }

t.test('no option, no readers', async (t) => {
  t.same(readSources(undefined, 'session', false), [])
  t.same(readSources([], 'session', false), [])
})

t.test('the cookies of a reader, as the other library sets them', async (t) => {
  const [source] = readSources([{ ...reader, otherCookies: ['old.sig'] }], 'session', false)
  t.match(source, {
    cookies: [{ name: 'old', attributes: { path: '/', domain: undefined, secure: 'auto' } }, { name: 'old.sig' }]
  })
  const cookie = { path: '/shop', domain: 'example.com', partitioned: true }
  const [other] = readSources([{ ...reader, cookie }], 'session', false)
  t.match(other, { cookies: [{ attributes: { ...cookie, secure: true } }] })
})

t.test('what is no reader is refused', async (t) => {
  for (const given of [1, {}, [1], [{}], [{ cookieName: 'old' }], [{ read }], [reader, null]]) {
    t.throws(() => readSources(given, 'session', false), { code: 'ERR_SESSION_OPTION_INVALID' })
  }
  t.throws(() => readSources([{ ...reader, cookie: { path: 'shop' } }], 'session', false), {
    code: 'ERR_SESSION_OPTION_INVALID'
  })
})

t.test('a cookie of the same name as that of the session is refused', async (t) => {
  t.throws(() => readSources([reader], 'old', true), {
    code: 'ERR_SESSION_OPTION_INVALID',
    message: /another cookieName/
  })
  t.throws(() => readSources([{ ...reader, otherCookies: ['old.sig'] }], 'old.sig', true), {
    message: /another cookieName/
  })
})

t.test('a reader that leaves the old cookie needs a memory', async (t) => {
  const { remove, ...leaving } = reader
  t.equal(readSources([leaving], 'session', true).length, 1)
  t.throws(() => readSources([leaving], 'session', false), {
    code: 'ERR_SESSION_OPTION_INVALID',
    message: /revocations/
  })
  t.ok(remove)
})
