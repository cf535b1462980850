import fc from 'fast-check'
import t from 'tap'
import type { DeviceKey } from '../../lib/device-bound/device-key.ts'
import { readJwk } from '../../lib/device-bound/device-key.ts'
import { isSignedBy, readProofToken } from '../../lib/device-bound/proof-token.ts'
import { createKeys, refreshToken, registrationToken, signToken } from '../helpers/device-browser.ts'

const keys = createKeys()
const rsa = createKeys('RS256')
const keyOf = ({ publicKey, algorithm }: typeof keys): DeviceKey =>
  readJwk(publicKey.export({ format: 'jwk' }), algorithm) as DeviceKey

t.test('a token says what was signed, and its key can tell', async (t) => {
  for (const one of [keys, rsa]) {
    const token = readProofToken(registrationToken(one, 'a challenge'))
    t.match(token, { algorithm: one.algorithm, challenge: 'a challenge', jwk: one.publicKey.export({ format: 'jwk' }) })
    t.ok(token && isSignedBy(token, keyOf(one)))
    t.notOk(token && isSignedBy(token, keyOf(createKeys(one.algorithm))))
    t.notOk(token && isSignedBy(token, keyOf(one === keys ? rsa : keys)), 'a key of another algorithm')
  }
  t.equal(readProofToken(refreshToken(keys, 'a challenge'))?.jwk, undefined)
})

t.test('any other text is no token', async (t) => {
  const head = { alg: 'ES256', typ: 'dbsc+jwt' }
  const token = refreshToken(keys, 'a challenge')
  const [first = '', second = '', third = ''] = token.split('.')
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  for (const text of [
    '',
    '..',
    first,
    `${first}.${second}`,
    `${token}.a`,
    `${first}.${second}.`,
    `${first}.${second}.${third}=`,
    `${first}=.${second}.${third}`,
    `a.${second}.${third}`,
    `${part(null)}.${second}.${third}`,
    `${part('text')}.${second}.${third}`,
    `${first}.${part([])}.${third}`,
    `${first}.${part(7)}.${third}`,
    signToken(keys, { ...head, alg: 'none' }, { jti: 'a' }),
    signToken(keys, { ...head, alg: 'constructor' }, { jti: 'a' }),
    signToken(keys, { ...head, typ: 'jwt' }, { jti: 'a' }),
    signToken(keys, { ...head, crit: [] }, { jti: 'a' }),
    signToken(keys, head, { jti: 7 }),
    signToken(keys, head, { jti: 'a'.repeat(4096) }),
    // The last character has bits that mean nothing.
    `${token.slice(0, -1)}${token.endsWith('x') ? 'y' : 'x'}`
  ]) {
    t.equal(readProofToken(text), undefined, text.slice(0, 80))
  }
})

t.test('no text throws', async (t) => {
  const parts = fc.oneof(
    fc.string(),
    fc.base64String(),
    fc.json().map((text) => Buffer.from(text).toString('base64url'))
  )
  fc.assert(
    fc.property(fc.array(parts, { minLength: 1, maxLength: 4 }), (given) => {
      const token = readProofToken(given.join('.'))
      return token === undefined || !isSignedBy(token, keyOf(keys))
    })
  )
  t.pass('for all of them')
})
