import fc from 'fast-check'
import t from 'tap'
import type { FlaskReaderOptions } from '../../lib/adopt/flask.ts'
import { flask } from '../../lib/adopt/flask.ts'
import { encodePayload } from '../../lib/flask/payload.ts'
import { encodeTimestamp } from '../../lib/flask/timestamp.ts'
import type { FoundSession } from '../../types/adopt.ts'
import { signerOf, VECTORS } from '../flask/vectors.ts'

const { key: secretKey, oldKey, signedAt } = VECTORS
const LIFETIME = 31 * 86_400
const contextAt = (now: number) => ({ now, cookiesNamed: () => [] })
const CONTEXT = contextAt(signedAt)

function read(cookie: string, options: Partial<FlaskReaderOptions> = {}, now = signedAt): unknown {
  return flask({ secretKey, fallbacks: [oldKey], ...options }).read(cookie, contextAt(now))
}

t.test('every cookie of Flask is read, with its types as JSON has them', (t) => {
  for (const { name, session, cookie, signed_at: at = signedAt, salt, digest } of VECTORS.valid) {
    const { _permanent: permanent = false, ...data } = session
    const found = read(cookie, { salt, digest }, at) as FoundSession
    t.same(found.data, data, name)
    const key = cookie.slice(-(cookie.length - cookie.lastIndexOf('.') - 1))
    const facts = { key, isUnique: false, lastSeenAt: at, expiresAt: at + LIFETIME, permanent }
    t.match(found, facts, name)
    t.equal(found.ownerId, undefined)
  }
  t.end()
})

t.test('it is good for as long as Flask takes it: from its second on, until the last', (t) => {
  const { cookie } = VECTORS.valid[0] as { cookie: string }
  for (const [now, isFound] of [
    [signedAt - 1, false],
    [signedAt, true],
    [signedAt + 60, true],
    [signedAt + 61, false]
  ] as const) {
    t.equal(read(cookie, { maxAge: 60 }, now) !== 'refused', isFound, `${now - signedAt} s`)
  }
  t.not(read(cookie, {}, signedAt + LIFETIME), 'refused')
  t.equal(read(cookie, {}, signedAt + LIFETIME + 1), 'refused')
  t.end()
})

t.test('another key, salt or hash function, or another character, is refused', (t) => {
  const { cookie } = VECTORS.valid[0] as { cookie: string }
  t.equal(read(cookie, { secretKey: 'another key of Flask' }), 'refused')
  t.equal(read(cookie, { salt: 'another' }), 'refused')
  t.equal(read(cookie, { digest: 'sha256' }), 'refused')
  t.equal(read(VECTORS.valid.find(({ key }) => key)?.cookie ?? '', { fallbacks: undefined }), 'refused')
  for (let at = 0; at < cookie.length; at++) {
    t.equal(read(`${cookie.slice(0, at)}${cookie[at] === 'A' ? 'B' : 'A'}${cookie.slice(at + 1)}`), 'refused')
  }
  const signer = signerOf()
  for (const json of ['[]', '1', 'null', '{"n":NaN}', '{" t":[1]}']) {
    t.equal(read(signer.sign(`${encodePayload(json)}.awA2QA`)), 'refused', json)
  }
  t.end()
})

t.test('the application says what becomes of the data, and whose they are', (t) => {
  const { cookie } = VECTORS.valid[0] as { cookie: string }
  const reader = flask<{ user_id: number }, { userId: number }>({
    secretKey,
    cookieName: 'shop',
    remove: true,
    map: ({ user_id }) => ({ userId: user_id }),
    ownerOf: ({ user_id }) => String(user_id)
  })
  t.match(reader, { cookieName: 'shop', remove: true })
  t.match(reader.read(cookie, CONTEXT), { data: { userId: 7 }, ownerId: '7' })
  t.equal(flask({ secretKey }).cookieName, 'session')
  t.end()
})

t.test('a wrong option is refused', (t) => {
  for (const [options, code] of [
    [{ key: 1 }, 'UNKNOWN'],
    [{ maxAge: 0 }, 'INVALID'],
    [{ cookieName: 1 }, 'INVALID'],
    [{ digest: 'md5' }, 'INVALID']
  ] as const) {
    t.throws(() => flask({ secretKey, ...options } as never), { code: `ERR_SESSION_OPTION_${code}` })
  }
  t.throws(() => flask({ secretKey: '' }), { code: 'ERR_SESSION_SECRET_MISSING' })
  t.end()
})

t.test('what is nested too deeply to be read is refused', (t) => {
  const deep = `{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`
  t.equal(read(signerOf().sign(`${encodePayload(deep)}.${encodeTimestamp(signedAt)}`)), 'refused')
  t.end()
})

t.test('whatever the cookie is, nothing throws and nothing opens', (t) => {
  const reader = flask({ secretKey })
  const text = fc.array(
    fc.oneof(fc.string({ unit: 'binary' }), fc.base64String(), fc.constantFrom('awA2QA', '', 'e30'))
  )
  fc.assert(
    fc.property(text, (parts) => reader.read(parts.join('.'), CONTEXT) === 'refused'),
    { numRuns: 3000 }
  )
  t.pass('for 3000 texts')
  t.end()
})
