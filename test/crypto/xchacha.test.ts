import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import type { Libsodium } from '../../lib/crypto/libsodium.ts'
import { instantiateLibsodium } from '../../lib/crypto/libsodium.ts'
import {
  KEY_BYTES,
  loadXChaCha,
  MAX_BYTES,
  NONCE_BYTES,
  TAG_BYTES,
  XChaCha20Poly1305
} from '../../lib/crypto/xchacha.ts'
import { hchacha20, xchacha20Poly1305 } from '../vectors/reference.ts'

const CIPHER = await loadXChaCha()
/** A cookie has less. */
const USUAL_CHARACTERS = 8192
const KEY = Buffer.alloc(KEY_BYTES, 1)
const OTHER_KEY = Buffer.alloc(KEY_BYTES, 2)
const NONCE = Buffer.from('twenty-four bytes, nonce')
const ADDITIONAL = Buffer.from('additional')

const fill = (bytes: Buffer) => (nonce: Buffer) => nonce.set(bytes)
const seal = (text: string, additional = ADDITIONAL, key = KEY): Buffer =>
  Buffer.from(CIPHER.seal(key, text, additional, fill(NONCE)), 'base64url')

t.test('the vector of HChaCha20 in the draft, section 2.2.1', async (t) => {
  const key = Buffer.from(Array.from({ length: 32 }, (_, index) => index))
  const nonce = Buffer.from('000000090000004a0000000031415927', 'hex')
  const subkey = '82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc'
  t.equal(hchacha20(key, nonce).toString('hex'), subkey)
})

t.test('the vector of the AEAD in the draft, appendix A.3.1', async (t) => {
  const text =
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
  const additional = Buffer.from('50515253c0c1c2c3c4c5c6c7', 'hex')
  const key = Buffer.from(Array.from({ length: 32 }, (_, index) => 0x80 + index))
  const nonce = Buffer.from(Array.from({ length: 24 }, (_, index) => 0x40 + index))
  const sealed =
    'bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49'
  const made = CIPHER.seal(key, text, additional, fill(nonce))
  t.equal(Buffer.from(made, 'base64url').toString('hex'), nonce.toString('hex') + sealed)
  t.equal(CIPHER.open(key, Buffer.from(made, 'base64url'), additional), text)
  t.equal(xchacha20Poly1305(key, nonce, Buffer.from(text), additional).toString('hex'), sealed, 'by the reference, too')
})

t.test('1000 random messages come out as by the reference, and open', async (t) => {
  let different = 0
  const sizes = Array.from({ length: 1000 }, (_, index) => (index < 200 ? index : (index * 7919) % 6000))
  for (const size of sizes) {
    const [key, nonce, additional] = [randomBytes(KEY_BYTES), randomBytes(NONCE_BYTES), randomBytes(size % 90)]
    const text = randomBytes(size).toString('base64').slice(0, size)
    const made = Buffer.from(CIPHER.seal(key, text, additional, fill(nonce)), 'base64url')
    const expected = Buffer.concat([nonce, xchacha20Poly1305(key, nonce, Buffer.from(text), additional)])
    if (!made.equals(expected) || CIPHER.open(key, made, additional) !== text) different++
  }
  t.equal(different, 0)
})

t.test('text of every kind comes back, also none', async (t) => {
  for (const text of ['', 'a', 'zwölf', '日本 🍪', '\0', 'x'.repeat(USUAL_CHARACTERS), '日'.repeat(USUAL_CHARACTERS)]) {
    const sealed = seal(text)
    t.equal(sealed.length, NONCE_BYTES + Buffer.byteLength(text) + TAG_BYTES)
    t.equal(CIPHER.open(KEY, sealed, ADDITIONAL), text)
  }
})

t.test('no bit can be another one, and nothing can be cut off or added', async (t) => {
  const sealed = seal('plain')
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = Buffer.from(sealed)
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
    if (CIPHER.open(KEY, changed, ADDITIONAL) !== undefined) t.fail(`bit ${bit}`)
  }
  for (let length = 0; length < sealed.length; length++) {
    if (CIPHER.open(KEY, sealed.subarray(0, length), ADDITIONAL) !== undefined) t.fail(`length ${length}`)
  }
  t.equal(CIPHER.open(KEY, Buffer.concat([sealed, Buffer.of(0)]), ADDITIONAL), undefined)
  t.equal(CIPHER.open(KEY, sealed, Buffer.from('Additional')), undefined)
  t.equal(CIPHER.open(KEY, sealed, Buffer.alloc(0)), undefined)
  t.equal(CIPHER.open(OTHER_KEY, sealed, ADDITIONAL), undefined)
  t.equal(CIPHER.open(KEY, sealed, ADDITIONAL), 'plain')
})

t.test('what is larger than any cookie has room, too, and so has a long name', async (t) => {
  const sodium = await instantiateLibsodium()
  const cipher = new XChaCha20Poly1305(sodium)
  const { buffer } = sodium.HEAPU8
  const small = Buffer.from(cipher.seal(KEY, 'plain', ADDITIONAL, fill(NONCE)), 'base64url')
  const name = Buffer.alloc(100_000, 'n')
  for (const text of ['x'.repeat(30_000), '日本'.repeat(500_000), 'y'.repeat(4_000_000)]) {
    const sealed = Buffer.from(cipher.seal(KEY, text, name, fill(NONCE)), 'base64url')
    t.equal(sealed.length, NONCE_BYTES + Buffer.byteLength(text) + TAG_BYTES)
    t.equal(cipher.open(KEY, sealed, name), text)
    t.equal(cipher.open(KEY, sealed, ADDITIONAL), undefined)
    t.equal(new XChaCha20Poly1305(await instantiateLibsodium()).open(KEY, sealed, name), text, 'opened first')
    t.equal(cipher.open(KEY, small, ADDITIONAL), 'plain', 'the key is in its new place')
  }
  t.not(sodium.HEAPU8.buffer, buffer, 'the memory has grown')
})

t.test('what is too large, or has no place in the memory, is refused, and nothing is lost', async (t) => {
  const sodium = await instantiateLibsodium()
  let isFull = false
  const full: Libsodium = {
    ...sodium,
    get HEAPU8() {
      return sodium.HEAPU8
    },
    _malloc: (bytes) => (isFull ? 0 : sodium._malloc(bytes))
  }
  const cipher = new XChaCha20Poly1305(full)
  isFull = true
  t.throws(() => cipher.seal(KEY, 'x'.repeat(30_000), ADDITIONAL, fill(NONCE)), {
    name: 'RangeError',
    message: /memory/
  })
  t.equal(cipher.open(KEY, seal('plain'), ADDITIONAL), 'plain')
  t.throws(() => cipher.seal(KEY, 'x'.repeat(MAX_BYTES + 1), ADDITIONAL, fill(NONCE)), RangeError)
  t.throws(() => new XChaCha20Poly1305(full), RangeError)
  const large = { length: MAX_BYTES + NONCE_BYTES + TAG_BYTES + 1 } as Buffer
  t.equal(cipher.open(KEY, large, ADDITIONAL), undefined)
})

t.test('messages under two keys in turns do not mix, whatever was before them', async (t) => {
  const texts = fc.array(fc.tuple(fc.string({ maxLength: 300 }), fc.boolean()), { maxLength: 20 })
  fc.assert(
    fc.property(texts, (texts) => {
      const made = texts.map(([text, isOther]) => {
        const key = isOther ? OTHER_KEY : KEY
        return { text, key, sealed: seal(text, ADDITIONAL, key) }
      })
      return made.every(({ text, key, sealed }) => {
        const wrong = key === KEY ? OTHER_KEY : KEY
        return CIPHER.open(wrong, sealed, ADDITIONAL) === undefined && CIPHER.open(key, sealed, ADDITIONAL) === text
      })
    }),
    { seed: 21, numRuns: 200, endOnFailure: true }
  )
  t.pass('for 200 sequences')
})

t.test('it allocates once, and a key is copied once', async (t) => {
  const sodium = await instantiateLibsodium()
  let allocations = 0
  const counted: Libsodium = {
    ...sodium,
    get HEAPU8() {
      return sodium.HEAPU8
    },
    _malloc(bytes) {
      allocations++
      return sodium._malloc(bytes)
    }
  }
  const cipher = new XChaCha20Poly1305(counted)
  const { buffer } = sodium.HEAPU8
  const key = Buffer.from(KEY)
  const sealed = Buffer.from(cipher.seal(key, 'plain', ADDITIONAL, fill(NONCE)), 'base64url')
  // The key is in its place: what becomes of the buffer that it came from does not matter.
  key.fill(0)
  for (let round = 0; round < 1000; round++) {
    cipher.seal(key, 'x'.repeat(USUAL_CHARACTERS), ADDITIONAL, fill(NONCE))
    if (cipher.open(key, sealed, ADDITIONAL) !== 'plain') t.fail(`round ${round}`)
  }
  t.equal(allocations, 1)
  t.equal(sodium.HEAPU8.buffer, buffer, 'the memory has not grown')
})

t.test('the process loads it once', async (t) => {
  t.equal(await loadXChaCha(), CIPHER)
})
