import t from 'tap'
import { passwordKey } from '../../lib/adopt/password-key.ts'

const SECRET = Buffer.from('averylongsecretaverylongsecretaver')
const SALT = Buffer.from('mq9hDxBVDbspDR6nLfFT1g==', 'base64')
/** Written by `crypto_pwhash` of libsodium, with the settings of `@fastify/secure-session`. */
const KEY = '670e24d76be8bb4598cb4fbce8bcfaea13ed22fab4456bd01e04a7e9d2eff561'

t.test('the key is that of libsodium', async (t) => {
  t.equal((await passwordKey(SECRET, SALT)).toString('hex'), KEY)
})

t.test('Node.js makes it where it can', async (t) => {
  const calls: unknown[] = []
  const node = {
    argon2: (algorithm: string, parameters: object, done: (error: Error | null, key: Buffer) => void) => {
      calls.push(algorithm, parameters)
      done(null, Buffer.from('key'))
    }
  }
  t.equal(String(await passwordKey(SECRET, SALT, node)), 'key')
  t.same(calls, [
    'argon2id',
    { message: SECRET, nonce: SALT, parallelism: 1, tagLength: 32, memory: 262_144, passes: 3 }
  ])
  const failing = {
    argon2: (_a: string, _p: object, done: (error: Error, key: Buffer) => void) => done(new Error('no'), SALT)
  }
  await t.rejects(passwordKey(SECRET, SALT, failing as never), { message: 'no' })
})

t.test('elsewhere the package does, or an error names it', async (t) => {
  const load = async () => ({ argon2idAsync: async () => new Uint8Array([1, 2]) })
  t.same(await passwordKey(SECRET, SALT, {}, load), Buffer.from([1, 2]))
  const missing = async (): Promise<never> => {
    throw new Error('not found')
  }
  await t.rejects(passwordKey(SECRET, SALT, {}, missing), {
    code: 'ERR_SESSION_PEER_MISSING',
    message: /@noble\/hashes/
  })
})
