import { createSign, generateKeyPairSync, verify } from 'node:crypto'
import t from 'tap'
import { identifierOf, readDeviceKey, readJwk } from '../../lib/device-bound/device-key.ts'
import { createKeys } from '../helpers/device-browser.ts'

const POINT = createKeys()
const RSA = createKeys('RS256')
const jwkOf = ({ publicKey }: typeof POINT) => publicKey.export({ format: 'jwk' }) as Record<string, string>

t.test('a key is read from what a browser sends, and from what a session keeps', async (t) => {
  for (const [algorithm, keys, pattern] of [
    ['ES256', POINT, /^E[\w-]{86}$/],
    ['RS256', RSA, /^R[\w-]{342}$/]
  ] as const) {
    const key = readJwk(jwkOf(keys), algorithm)
    t.equal(key?.algorithm, algorithm)
    t.match(key?.text, pattern)
    const again = readDeviceKey(key?.text ?? '')
    t.match(again, { algorithm, text: key?.text })
    const signature = createSign('sha256').update('text').sign(keys.privateKey)
    t.ok(again && verify('sha256', Buffer.from('text'), again.key, signature))
  }
})

t.test('an RSA key has 2048 to 4096 bits', async (t) => {
  const large = generateKeyPairSync('rsa', { modulusLength: 4096 }).publicKey.export({ format: 'jwk' })
  t.match(readJwk(large, 'RS256')?.text, /^R[\w-]{683}$/)
  for (const bits of [1024, 2040]) {
    t.equal(readJwk(jwkOf(createKeys('RS256', bits)), 'RS256'), undefined, String(bits))
  }
  t.equal(readDeviceKey(`R${Buffer.alloc(512, 255).toString('base64url')}AAAA`), undefined, 'more bits')
})

t.test('no session is bound to another key', async (t) => {
  const point = jwkOf(POINT)
  const modulus = jwkOf(RSA)
  for (const [jwk, algorithm] of [
    [undefined, 'ES256'],
    [null, 'RS256'],
    ['text', 'ES256'],
    [point, 'RS256'],
    [modulus, 'ES256'],
    [{ ...point, kty: 'RSA' }, 'ES256'],
    [{ ...point, crv: 'P-521' }, 'ES256'],
    [{ ...point, x: 1 }, 'ES256'],
    [{ ...point, x: 'AA' }, 'ES256'],
    [{ ...point, y: point.x }, 'ES256'],
    [{ ...point, y: `${point.y}=` }, 'ES256'],
    [{ ...modulus, kty: 'EC' }, 'RS256'],
    [{ ...modulus, e: 'Aw' }, 'RS256'],
    [{ ...modulus, n: 'AQAB' }, 'RS256'],
    [{ ...modulus, n: undefined }, 'RS256']
  ] as const) {
    t.equal(readJwk(jwk, algorithm), undefined, JSON.stringify(jwk))
  }
})

t.test('the identifier follows from the key, and begins with a letter', async (t) => {
  t.match(identifierOf('Ea'), /^d[\w-]{22}$/)
  t.equal(identifierOf('Ea'), identifierOf('Ea'))
  t.not(identifierOf('Ea'), identifierOf('Eb'))
})
