import t from 'tap'
import { deriveKeys, keyIdOf } from '../../lib/crypto/keys.ts'
import { deriveKey, keyIdOf as expectedKeyId } from '../vectors/reference.ts'

const SECRET = Buffer.from('tests only: 0f5a8c2e91d7b364a2c4')
const OTHER = Buffer.from('tests only: 77e10b93ac5f4d2886e0')

t.test('the key and the id of one example', (t) => {
  t.same(deriveKeys([SECRET], 'signed'), [
    { id: 'zmc79p', bytes: Buffer.from('74c3b3540542c9e540536559abe7417aab80bc53f2f1ae480dd163e95cf90c4d', 'hex') }
  ])
  t.same(deriveKeys([SECRET], 'encrypted'), [
    { id: 'zmc79p', bytes: Buffer.from('c377df1dcbcd9806efcb78e6ba3693d9e38241cbb70ccf1479f5d0613e7f4292', 'hex') }
  ])
  t.end()
})

t.test('keys are those of HKDF, composed of HMACs', (t) => {
  for (const secret of [SECRET, OTHER, Buffer.alloc(32), Buffer.alloc(200, 3), Buffer.from('Schlüssel'.repeat(8))]) {
    for (const purpose of ['signed', 'encrypted'] as const) {
      const [key] = deriveKeys([secret], purpose)
      t.same(key, { id: expectedKeyId(secret), bytes: deriveKey(secret, purpose) })
      t.equal(keyIdOf(secret), key?.id)
    }
  }
  t.end()
})

t.test('there is one key per secret, in the order of the secrets', (t) => {
  const keys = deriveKeys([SECRET, OTHER], 'signed')
  t.same(keys, [...deriveKeys([SECRET], 'signed'), ...deriveKeys([OTHER], 'signed')])
  t.same(deriveKeys([OTHER, SECRET], 'signed'), keys.toReversed())
  t.same(deriveKeys([], 'signed'), [])
  t.end()
})

t.test('keys of different purposes differ, but have one id', (t) => {
  const [signed] = deriveKeys([SECRET], 'signed')
  const [encrypted] = deriveKeys([SECRET], 'encrypted')
  t.notSame(signed?.bytes, encrypted?.bytes)
  t.equal(signed?.id, encrypted?.id)
  t.match(signed?.id, /^[\w-]{6}$/)
  t.equal(signed?.bytes.length, 32)
  t.end()
})

t.test('the id is not part of a key or of the secret', (t) => {
  const [key] = deriveKeys([SECRET], 'signed')
  t.notMatch(key?.bytes.toString('base64url'), key?.id)
  t.notMatch(SECRET.toString('base64url'), key?.id)
  t.end()
})

t.test('a secret that differs in one bit has another key and another id', (t) => {
  const changed = Buffer.from(SECRET)
  changed[31] = (changed[31] as number) ^ 1
  const [[a], [b]] = [deriveKeys([SECRET], 'signed'), deriveKeys([changed], 'signed')]
  t.not(a?.id, b?.id)
  t.notSame(a?.bytes, b?.bytes)
  t.end()
})
