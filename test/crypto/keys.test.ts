import t from 'tap'
import { deriveKeys, keyIdOf } from '../../lib/crypto/keys.ts'
import { deriveKey, keyIdOf as expectedKeyId } from '../vectors/reference.ts'

const SECRET = Buffer.from('tests only: 0f5a8c2e91d7b364a2c4')
const OTHER = Buffer.from('tests only: 77e10b93ac5f4d2886e0')

t.test('the key and the id of one example', (t) => {
  t.same(deriveKeys([SECRET], 'signed'), [
    { id: 'x-nRqN', bytes: Buffer.from('a7a4e1cc9bb7fa187393c5221d6f94a727b93a69c8df6f8f15325e9fe6d2b033', 'hex') }
  ])
  t.same(deriveKeys([SECRET], 'encrypted'), [
    { id: 'x-nRqN', bytes: Buffer.from('b227a3b118e7ce670fa65577a9956e68f9de91c4a340ab8952e4d75dc63471a0', 'hex') }
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
