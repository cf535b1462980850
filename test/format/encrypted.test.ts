import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import { NONCE_BYTES } from '../../lib/crypto/xchacha.ts'
import { EncryptedFormat } from '../../lib/format/encrypted.ts'
import type { IdentifiedRecord } from '../../lib/format/record.ts'
import { anyCharacter } from '../helpers/any-character.ts'
import { secretBytes } from '../vectors/generate.ts'
import { encryptedCookie } from '../vectors/reference.ts'
import { testAttacks } from './attacks.ts'
import { absent, CIPHER, fixedRandom, givenRandom, NOW, OLD_SECRET, RECORD, readVectors, SECRET } from './samples.ts'

const NONCE = Buffer.from('first half, second half.')
const BODY = '17951724000AQIDBAUGBwgJCgsMDQ4PEAalice%40example.com{"visits":12,"note":"a plain text"}'
const COOKIE =
  'e2x-nRqN1795175970.Zmlyc3QgaGFsZiwgc2Vjb25kIGhhbGYu_z6Q-dRLvwTwB90AcVJfYGyg6rApptgV8tQaOUY9AlSELJ-FOGGS1ou4_beGqTXR-x5aCQh5l3rWGAYIgPlHQIq0_vOiqY2OFxhH4cmogGJK_DQSgokRjVOt4c-taPZdcRCJdPg0Xg'
const HEAD = COOKIE.slice(0, 18)

function formatOf(cookieName = 'session', secrets: Buffer[] = [SECRET], random = fixedRandom()): EncryptedFormat {
  return new EncryptedFormat(deriveKeys(secrets, 'encrypted'), cookieName, random, CIPHER)
}

function sealedBytes(cookie: string): Buffer {
  return Buffer.from(cookie.slice(HEAD.length + 1), 'base64url')
}

testAttacks({
  mode: 'encrypted',
  cookie: COOKIE,
  create: (keys, cookieName) => new EncryptedFormat(keys, cookieName, fixedRandom(), CIPHER),
  isExpected(at, reason, text) {
    // It says of the session what is not true.
    if (at === HEAD.length && text[at] === '~') return reason === 'bad-signature'
    if (at < 2 || at === HEAD.length) return reason === 'malformed'
    if (at < 8) return reason === 'unknown-key'
    if (at < HEAD.length) return reason === 'bad-signature'
    const canonical = /^[\w-]$/.test(text[at] as string)
    // The last letter has bits to spare: setting them is a spelling that is never written.
    const isLast = at === COOKIE.length - 1
    return canonical ? reason === 'bad-signature' || (isLast && reason === 'malformed') : reason === 'malformed'
  }
})

t.test('a cookie is written out', (t) => {
  t.equal(formatOf('session', [SECRET], givenRandom(NONCE)).encode(RECORD), COOKIE)
  t.same(formatOf().decode(COOKIE), { ...RECORD, data: { visits: 12, note: 'a plain text' } })
  t.end()
})

t.test('a cookie shows its head, its nonce and its length, and nothing else', (t) => {
  t.match(COOKIE, /^e2[\w-]{6}1795175970\.[\w-]+$/)
  const sealed = sealedBytes(COOKIE)
  t.same(sealed.subarray(0, NONCE_BYTES), NONCE)
  t.equal(sealed.length, 24 + BODY.length + 16)
  for (const secret of ['visits', 'plain', RECORD.id, 'alice', '1795172400', '12,"note']) {
    const spellings = [
      secret,
      Buffer.from(secret).toString('hex'),
      Buffer.from(secret).toString('base64url').slice(0, -1)
    ]
    for (const spelling of spellings) t.notMatch(COOKIE, spelling)
    t.equal(sealed.indexOf(secret), -1, `${secret} is not among the bytes`)
  }
  t.end()
})

t.test('the same session sealed twice has no byte of ciphertext in common but by chance', (t) => {
  const format = formatOf()
  const [a, b] = [format.encode(RECORD), format.encode(RECORD)].map((cookie) => sealedBytes(cookie)) as [Buffer, Buffer]
  const equal = [...a.subarray(NONCE_BYTES)].filter((byte, index) => byte === b[NONCE_BYTES + index]).length
  t.ok(equal < 6, `${equal} of ${a.length - NONCE_BYTES}`)
  t.end()
})

t.test('every valid vector is written to the byte, and opens', (t) => {
  for (const { name, cookieName, secrets, current, record, cookie, keyId, body, nonce } of readVectors('encrypted')
    .valid) {
    const format = formatOf(cookieName, secrets.map(secretBytes))
    const sealer = current ? secrets : secrets.slice(1)
    const writer = formatOf(cookieName, sealer.map(secretBytes), givenRandom(Buffer.from(nonce ?? '', 'hex')))
    const contents = { ...record, ...absent(record), json: body.slice(body.indexOf('{')) }
    t.equal(writer.encode(contents), cookie, name)
    t.strictSame(format.decode(cookie), contents, name)
    t.equal(cookie.slice(2, 8), keyId)
    t.equal(cookie.startsWith(format.currentPrefix), current)
  }
  t.end()
})

t.test('no bit of what is sealed can be another one', (t) => {
  const format = formatOf()
  const sealed = sealedBytes(COOKIE)
  const opened: number[] = []
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = Buffer.from(sealed)
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
    if (format.decode(`${HEAD}.${changed.toString('base64url')}`) !== 'bad-signature') opened.push(bit)
  }
  t.same(opened, [])
  t.end()
})

t.test('a long cookie leaves nothing behind for the short one after it, whether it opened or not', (t) => {
  const format = formatOf()
  const long = format.encode({ ...RECORD, json: JSON.stringify({ text: 'x'.repeat(2900) }) })
  const { json } = RECORD
  for (const before of [
    long,
    `${long}=`,
    `${HEAD}.${'A'.repeat(30_000)}`,
    `${HEAD}.${'é'.repeat(9000)}`,
    COOKIE.slice(0, -1)
  ]) {
    format.decode(before)
    t.match(format.decode(COOKIE), { json })
    for (let end = HEAD.length; end < COOKIE.length; end++) {
      format.decode(before)
      if (typeof format.decode(COOKIE.slice(0, end)) === 'object') t.fail(`opened when cut at ${end}`)
    }
  }
  t.match(format.decode(long), { data: { text: 'x'.repeat(2900) } })
  t.end()
})

t.test('sealing and opening in turns mixes nothing up', (t) => {
  const format = formatOf()
  const cookies = Array.from({ length: 50 }, (_, number) => {
    const cookie = format.encode({ ...RECORD, lastSeenAt: NOW + number, json: JSON.stringify({ number }) })
    t.match(format.decode(COOKIE), { lastSeenAt: RECORD.lastSeenAt, json: RECORD.json })
    return cookie
  })
  for (const [number, cookie] of cookies.entries()) {
    t.match(format.decode(cookie), { lastSeenAt: NOW + number, data: { number } })
  }
  t.end()
})

t.test('the bits to spare in the last letter must be zero, whatever the length of the body', (t) => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const format = formatOf()
  for (const [json, spare] of [
    ['{}', 0],
    ['{"":1}', 15],
    ['{"a":1}', 3]
  ] as const) {
    const cookie = format.encode({ ...RECORD, ownerId: undefined, json })
    const others = [...alphabet].map((letter) => cookie.slice(0, -1) + letter)
    const sameBytes = others.filter((other) => other !== cookie && sealedBytes(other).equals(sealedBytes(cookie)))
    t.equal(sameBytes.length, spare)
    for (const other of sameBytes) t.equal(format.decode(other), 'malformed')
  }
  t.end()
})

t.test('a cookie of another name, mode or secret does not open', (t) => {
  t.equal(formatOf('session2').decode(COOKIE), 'bad-signature')
  t.equal(formatOf('Session').decode(COOKIE), 'bad-signature')
  t.equal(formatOf('session', [OLD_SECRET]).decode(COOKIE), 'unknown-key')
  const crossed = new EncryptedFormat(deriveKeys([SECRET], 'signed'), 'session', fixedRandom(), CIPHER)
  t.equal(crossed.decode(COOKIE), 'bad-signature', 'a key of the other purpose')
  t.end()
})

t.test('a new secret seals, the old one still opens until it is removed', (t) => {
  const rotated = formatOf('session', [OLD_SECRET, SECRET])
  t.equal(COOKIE.startsWith(formatOf().currentPrefix), true)
  t.equal(COOKIE.startsWith(rotated.currentPrefix), false)
  t.type(rotated.decode(COOKIE), 'object')
  const renewed = rotated.encode(RECORD)
  t.equal(renewed.startsWith(rotated.currentPrefix), true)
  t.type(formatOf('session', [OLD_SECRET]).decode(renewed), 'object')
  t.equal(formatOf().decode(renewed), 'unknown-key')
  t.equal(rotated.decode(rotated.currentPrefix + COOKIE.slice(8)), 'bad-signature', 'the key id cannot be exchanged')
  t.end()
})

t.test('what the key holder spelled wrongly is malformed', (t) => {
  const format = formatOf()
  const seal = (head: string, body: string): string => encryptedCookie(SECRET, 'session', head, body, NONCE)
  t.equal(seal(HEAD, BODY), COOKIE)
  t.equal(format.decode(seal(HEAD, BODY.replace('{', ''))), 'malformed')
  t.equal(format.decode(seal(`${HEAD.slice(0, 17)}x`, BODY)), 'malformed')
  t.equal(format.decode(seal(HEAD, '')), 'malformed')
  t.end()
})

t.test('100 000 nonces never repeat, in any half', (t) => {
  const format = formatOf()
  const nonces = Array.from({ length: 100_000 }, () => format.encode(RECORD).slice(HEAD.length + 1, HEAD.length + 33))
  t.equal(new Set(nonces).size, 100_000)
  t.equal(new Set(nonces.map((nonce) => nonce.slice(0, 16))).size, 100_000)
  t.equal(new Set(nonces.map((nonce) => nonce.slice(16))).size, 100_000)
  t.end()
})

t.test('a value that is too large for any cookie is not even decoded', (t) => {
  const format = formatOf()
  const json = (length: number): string => JSON.stringify({ text: 'x'.repeat(length) })
  const encode = (length: number): string => format.encode({ ...RECORD, json: json(length) })
  let length = 2900
  while (encode(length + 1).length <= 4089) length++
  t.equal(encode(length).length, 4089, 'with the seven characters of the name')
  t.type(format.decode(encode(length)), 'object')
  t.equal(format.decode(encode(length + 1)), 'malformed')
  t.equal(formatOf('x'.repeat(5000)).decode(COOKIE), 'malformed', 'nor is any under such a name')
  t.end()
})

const ownerId = fc.option(fc.string({ unit: 'grapheme', minLength: 1 }), { nil: undefined })
const data = fc.dictionary(fc.string({ unit: anyCharacter }), fc.jsonValue({ stringUnit: anyCharacter }))

t.test('any JSON object comes back, and its length is known before', (t) => {
  const format = formatOf()
  fc.assert(
    fc.property(ownerId, data, fc.boolean(), (ownerId, data, permanent) => {
      const json = JSON.stringify(data)
      const record: IdentifiedRecord = { ...RECORD, ownerId, json, permanent }
      const cookie = format.encode(record)
      if (cookie.length > 4089) return format.decode(cookie) === 'malformed'
      return (
        /^[\w-]+\.[\w-]+$/.test(cookie) &&
        format.measure(record) === cookie.length &&
        isDeepStrictEqual(format.decode(cookie), { ...record, data: JSON.parse(json) })
      )
    }),
    { seed: 6, numRuns: 1000, endOnFailure: true }
  )
  t.pass('for 1000 objects')
  t.end()
})

t.test('any text as a cookie is refused with a reason, and never throws', (t) => {
  const format = formatOf()
  const bytes = fc.uint8Array({ maxLength: 300 })
  const latin1 = bytes.map((array) => Buffer.from(array).toString('latin1'))
  const shaped = bytes.map((array) => `${HEAD}.${Buffer.from(array).toString('base64url')}`)
  const text = fc.oneof(
    fc.string({ unit: anyCharacter, maxLength: 200 }),
    latin1,
    shaped,
    latin1.map((tail) => `${HEAD}.${tail}`)
  )
  fc.assert(
    fc.property(text, (text) => ['malformed', 'unknown-key', 'bad-signature'].includes(format.decode(text) as string)),
    { seed: 7, numRuns: 5000, endOnFailure: true }
  )
  t.pass('for 5000 texts')
  t.end()
})
