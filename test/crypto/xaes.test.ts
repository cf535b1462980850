import crypto, { createHash } from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import t from 'tap'
import { NONCE_BYTES, TAG_BYTES, Xaes256Gcm } from '../../lib/crypto/xaes.ts'
import { xaesSteps } from '../vectors/reference.ts'

const NONCE = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWX')
const KEY = Buffer.alloc(32, 1)
const DATA = Buffer.from('additional')

t.test('the two published vectors come out, one for each value of the first bit of L', (t) => {
  const vectors = [
    { byte: 1, additional: '', sealed: 'ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271' },
    {
      byte: 3,
      additional: 'c2sp.org/XAES-256-GCM',
      sealed: '986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d'
    }
  ]
  for (const { byte, additional, sealed } of vectors) {
    const xaes = new Xaes256Gcm(Buffer.alloc(32, byte))
    const made = xaes.seal(NONCE, 'XAES-256-GCM', Buffer.from(additional))
    t.equal(made.toString('hex'), NONCE.toString('hex') + sealed)
    t.equal(new Xaes256Gcm(Buffer.alloc(32, byte)).open(made, Buffer.from(additional)), 'XAES-256-GCM')
  }
  t.end()
})

t.test('the reference in test/vectors takes the published steps', (t) => {
  const hex = (key: Buffer): string[] => Object.values(xaesSteps(key, NONCE)).map((step) => step.toString('hex'))
  t.same(hex(KEY), [
    '7298caa565031eadc6ce23d23ea66378',
    'e531954aca063d5b8d9c47a47d4cc6f0',
    '000158004142434445464748494a4b4c',
    '000258004142434445464748494a4b4c',
    'c8612c9ed53fe43e8e005b828a1631a0bbcb6ab2f46514ec4f439fcfd0fa969b',
    '4d4e4f505152535455565758'
  ])
  t.same(hex(Buffer.alloc(32, 3)), [
    '91c08762876dccf9ba204a33768fa5fe',
    '23810ec50edb99f374409466ed1f4b7b',
    '000158004142434445464748494a4b4c',
    '000258004142434445464748494a4b4c',
    'e9c621d4cdd9b11b00a6427ad7e559aeedd66b3857646677748f8ca796cb3fd8',
    '4d4e4f505152535455565758'
  ])
  t.end()
})

// The published test seals random bytes, most of which are not UTF-8. `seal` passes its plaintext to `cipher.update(…, 'utf8')`,
// which ignores the encoding for a Buffer, so the cast does not change the tested code. `open` returns text: the test compares it
// with the bytes read as text. Any result means that the tag was right.
t.test('the published accumulated test passes with 10 000 iterations', (t) => {
  const stream = createHash('shake128', { outputLength: 6_000_000 }).digest()
  t.equal(stream.toString('hex', 0, 16), '7f9c2ba4e88f827d616045507605853e')
  let used = 0
  const take = (size: number): Buffer => {
    used += size
    return stream.subarray(used - size, used)
  }
  const takeVector = (): Buffer => take(take(1)[0] as number)
  const total = createHash('shake128', { outputLength: 32 })
  let unopened = 0
  for (let iteration = 0; iteration < 10_000; iteration++) {
    const [key, nonce, plaintext, additional] = [take(32), take(NONCE_BYTES), takeVector(), takeVector()]
    const xaes = new Xaes256Gcm(key)
    const sealed = xaes.seal(nonce, plaintext as unknown as string, additional)
    total.update(sealed.subarray(NONCE_BYTES))
    if (xaes.open(sealed, additional) !== plaintext.toString('utf8')) unopened++
  }
  t.ok(used < stream.length)
  t.equal(unopened, 0)
  t.equal(total.digest('hex'), 'e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939')
  t.end()
})

t.test('a sealed message is nonce, ciphertext and tag', (t) => {
  const sealed = new Xaes256Gcm(KEY).seal(NONCE, 'zwölf', DATA)
  t.same(sealed.subarray(0, NONCE_BYTES), NONCE)
  t.equal(sealed.length, NONCE_BYTES + Buffer.byteLength('zwölf') + TAG_BYTES)
  t.equal(new Xaes256Gcm(KEY).open(sealed, DATA), 'zwölf')
  t.equal(new Xaes256Gcm(KEY).open(new Xaes256Gcm(KEY).seal(NONCE, '', DATA), DATA), '')
  t.end()
})

t.test('every kind of failure returns undefined, whether the derived key is cached or not', (t) => {
  const sealed = new Xaes256Gcm(KEY).seal(NONCE, 'plain', DATA)
  const known = new Xaes256Gcm(KEY)
  known.open(sealed, DATA)
  for (const xaes of [known, new Xaes256Gcm(KEY)]) {
    const opened: number[] = []
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Buffer.from(sealed)
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
      if (xaes.open(changed, DATA) !== undefined) opened.push(bit)
    }
    for (let length = 0; length < sealed.length; length++) {
      if (xaes.open(sealed.subarray(0, length), DATA) !== undefined) opened.push(-length)
    }
    t.same(opened, [])
    t.equal(xaes.open(Buffer.concat([sealed, Buffer.of(0)]), DATA), undefined)
    t.equal(xaes.open(sealed, Buffer.from('Additional')), undefined)
    t.equal(xaes.open(sealed, Buffer.alloc(0)), undefined)
    t.equal(xaes.open(sealed, DATA), 'plain')
  }
  t.equal(new Xaes256Gcm(Buffer.alloc(32, 2)).open(sealed, DATA), undefined)
  t.end()
})

/** Returns a nonce whose first half is `number`. */
function nonceOf(number: number): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES)
  nonce.writeUInt32BE(number)
  return nonce
}

t.test('derived keys', (t) => {
  // Each derivation creates one secret key object, so their number is the number of derivations.
  const { createSecretKey } = crypto
  let derivations = 0
  crypto.createSecretKey = ((bytes: Buffer) => {
    derivations++
    return createSecretKey(bytes)
  }) as typeof createSecretKey
  syncBuiltinESMExports()
  t.teardown(() => {
    crypto.createSecretKey = createSecretKey
    syncBuiltinESMExports()
  })
  const countDerivations = (work: () => void): number => {
    derivations = 0
    work()
    return derivations
  }

  t.test('are derived once for all messages with the same half nonce', (t) => {
    const xaes = new Xaes256Gcm(KEY)
    const later = Buffer.concat([NONCE.subarray(0, 12), Buffer.alloc(12, 9)])
    let sealed: Buffer = Buffer.alloc(0)
    t.equal(
      countDerivations(() => void xaes.seal(NONCE, 'a', DATA)),
      1
    )
    const count = countDerivations(() => {
      sealed = xaes.seal(later, 'b', DATA)
    })
    t.equal(count, 0)
    t.equal(
      countDerivations(() => void xaes.open(sealed, DATA)),
      0
    )
    const reader = new Xaes256Gcm(KEY)
    t.equal(
      countDerivations(() => void reader.open(sealed, DATA)),
      1
    )
    t.equal(
      countDerivations(() => void reader.open(sealed, DATA)),
      0
    )
    t.equal(
      countDerivations(() => void reader.seal(NONCE, 'c', DATA)),
      0
    )
    t.end()
  })

  t.test('are cached for 256 half nonces, and the oldest is evicted first', (t) => {
    const xaes = new Xaes256Gcm(KEY)
    const messages = Array.from({ length: 257 }, (_, number) => xaes.seal(nonceOf(number), 'm', DATA))
    const reopen = (number: number): number => countDerivations(() => void xaes.open(messages[number] as Buffer, DATA))
    t.equal(reopen(256), 0)
    t.equal(reopen(1), 0)
    t.equal(reopen(0), 1)
    t.equal(reopen(1), 1)
    t.equal(reopen(256), 0)
    const all = countDerivations(() => {
      for (let round = 0; round < 3; round++) for (const message of messages) xaes.open(message, DATA)
    })
    t.ok(all > 256, 'so there is no room for a 257th')
    t.end()
  })

  t.test('of forged messages are not cached and evict nothing', (t) => {
    const xaes = new Xaes256Gcm(KEY)
    const genuine = xaes.seal(NONCE, 'm', DATA)
    const forge = (number: number): Buffer => Buffer.concat([nonceOf(number), genuine.subarray(NONCE_BYTES)])
    const forgeries = Array.from({ length: 300 }, (_, number) => forge(number))
    for (const _ of [1, 2]) {
      t.equal(
        countDerivations(() => forgeries.forEach((forgery) => void xaes.open(forgery, DATA))),
        300
      )
    }
    t.equal(
      countDerivations(() => t.equal(xaes.open(genuine, DATA), 'm')),
      0
    )
    t.end()
  })
  t.end()
})
