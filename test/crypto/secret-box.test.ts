import { createRequire } from 'node:module'
import fc from 'fast-check'
import t from 'tap'
import { BOX_KEY_BYTES, BOX_NONCE_BYTES, loadSecretBox } from '../../lib/crypto/secret-box.ts'

const require = createRequire(import.meta.url)
const sodium = createRequire(require.resolve('fastify-secure-session'))('sodium-native')
const box = await loadSecretBox()
const KEY = Buffer.alloc(BOX_KEY_BYTES, 1)
const NONCE = Buffer.alloc(BOX_NONCE_BYTES, 2)

function seal(text: string, key = KEY, nonce = NONCE): Buffer {
  const message = Buffer.from(text)
  const sealed = Buffer.alloc(message.length + 16)
  sodium.crypto_secretbox_easy(sealed, message, nonce, key)
  return sealed
}

t.test('what another libsodium has sealed opens', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 1000 }), async (text) => {
      t.equal(box.open(KEY, NONCE, seal(text)), text)
    }),
    { numRuns: 50 }
  )
  t.equal(await loadSecretBox(), box, 'loaded once')
})

t.test('under another key or nonce, or with another bit, nothing opens', async (t) => {
  const sealed = seal('{"userId":7}')
  t.equal(box.open(Buffer.alloc(BOX_KEY_BYTES, 3), NONCE, sealed), undefined)
  t.equal(box.open(KEY, Buffer.alloc(BOX_NONCE_BYTES, 3), sealed), undefined)
  for (let index = 0; index < sealed.length; index++) {
    const changed = Buffer.from(sealed)
    changed[index] = (changed[index] as number) ^ 1
    t.equal(box.open(KEY, NONCE, changed), undefined)
  }
})

t.test('what cannot be a box is none', async (t) => {
  t.equal(box.open(KEY, NONCE, Buffer.alloc(15)), undefined)
  t.equal(box.open(KEY, NONCE.subarray(1), seal('a')), undefined)
  t.equal(box.open(KEY, NONCE, Buffer.alloc(8193)), undefined)
})
