import { randomBytes } from 'node:crypto'
import t from 'tap'
import { resolveSecrets } from '../../lib/crypto/secrets.ts'
import { readVectors } from '../format/samples.ts'
import { secretBytes } from '../vectors/generate.ts'

const WEAK = 'ERR_SESSION_SECRET_WEAK'
const GUESSABLE = /^The option secret consists of repetitions, sequences or common words, which can be guessed\. Run/

t.test('repetitions, sequences and common words are refused', async (t) => {
  const weak = [
    '12345678901234567890123456789012',
    '0123456789abcdef0123456789abcdef',
    'fedcba9876543210fedcba9876543210',
    '00112233445566778899aabbccddeeff',
    'abcdefghijklmnopqrstuvwxyz123456',
    'abcdefghabcdefghabcdefghabcdefgh',
    'kZ3vQ8rT1xkZ3vQ8rT1xkZ3vQ8rT1xkZ3vQ8rT1x',
    'thisisasecretthisisasecretthisisa',
    'a-very-long-secret-key-of-32-characters!',
    'your-secret-key-must-be-32-characters',
    'super-secret-key-at-least-32-chars',
    'my-super-secret-session-key-12345',
    'averylongsecretthatisatleast32chars',
    'qwertyuiopasdfghjklzxcvbnm123456',
    'QWERTYUIOPASDFGHJKLZXCVBNM!@#$%^',
    'mnbvcxzlkjhgfdsapoiuytrewq654321',
    'password1234password1234password',
    'changeme-changeme-changeme-12345',
    'token-secret-token-secret-token-secret'
  ]
  for (const secret of weak) {
    t.throws(() => resolveSecrets(secret, undefined), { code: WEAK, message: GUESSABLE }, secret)
    t.throws(() => resolveSecrets(Buffer.from(secret), undefined), { code: WEAK }, 'the same as bytes')
  }
  t.throws(
    () =>
      resolveSecrets(
        Uint8Array.from({ length: 64 }, (_, index) => 128 + (index % 16)),
        undefined
      ),
    { code: WEAK }
  )
})

t.test('the secrets of the test vectors and of the documentation are refused, except in tests', async (t) => {
  const published: Uint8Array[] = [Buffer.from('known to everybody, so for tests only')]
  for (const mode of ['signed', 'encrypted'] as const) {
    for (const { secrets } of readVectors(mode).valid) published.push(...secrets.map(secretBytes))
  }
  for (const secret of published) {
    for (const environment of [undefined, 'development', 'production']) {
      t.throws(() => resolveSecrets(secret, environment), { code: WEAK, message: /known to everyone/ })
    }
    t.same(resolveSecrets(secret, 'test'), [new Uint8Array(secret)])
  }
})

t.test('no random secret is refused, whichever way it is written', async (t) => {
  for (let run = 0; run < 10_000; run++) {
    const bytes = randomBytes(32)
    const digits = Array.from(bytes, (byte) => byte % 10).join('')
    for (const secret of [bytes, bytes.toString('hex').slice(0, 32), bytes.toString('base64').slice(0, 32)]) {
      resolveSecrets(secret, undefined)
    }
    if (new Set(digits).size > 7) resolveSecrets(digits, undefined)
  }
  t.pass('none was refused')
})

t.test('a long text of different words is not refused', async (t) => {
  for (const secret of ['the blue tram leaves the depot at night', 'kZ3vQ8rT1xW6yB0nL5mJ9hG2fD7sA4pE']) {
    t.same(resolveSecrets(secret, undefined), [new TextEncoder().encode(secret)])
  }
})
