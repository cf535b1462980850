import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import type { IdentifiedRecord } from '../../lib/format/record.ts'
import { SignedFormat } from '../../lib/format/signed.ts'
import { anyCharacter } from '../helpers/any-character.ts'
import { secretBytes } from '../vectors/generate.ts'
import { signedCookie } from '../vectors/reference.ts'
import { testAttacks } from './attacks.ts'
import { absent, OLD_SECRET, RECORD, readVectors, SECRET } from './samples.ts'

const COOKIE =
  's2x-nRqN1795175970.MTc5NTE3MjQwMDBBUUlEQkFVR0J3Z0pDZ3NNRFE0UEVBYWxpY2UlNDBleGFtcGxlLmNvbXsidmlzaXRzIjoxMiwibm90ZSI6ImEgcGxhaW4gdGV4dCJ9.TN4hP7PC-yOriIGV3iCVV_KSNKjCPkPfXzLfBQDl8H0'
const BODY = '17951724000AQIDBAUGBwgJCgsMDQ4PEAalice%40example.com{"visits":12,"note":"a plain text"}'
const HEAD = COOKIE.slice(0, 18)

function formatOf(cookieName = 'session', ...secrets: Buffer[]): SignedFormat {
  return new SignedFormat(deriveKeys(secrets.length === 0 ? [SECRET] : secrets, 'signed'), cookieName)
}

testAttacks({
  mode: 'signed',
  cookie: COOKIE,
  create: (keys, cookieName) => new SignedFormat(keys, cookieName),
  isExpected(at, reason, text) {
    // A character of two code units moves the dot in front of the MAC.
    if (text.length > COOKIE.length && reason === 'malformed') return true
    // It says of the session what is not true.
    if (at === HEAD.length && text[at] === '~') return reason === 'bad-signature'
    if (at < 2 || at === HEAD.length || at === COOKIE.lastIndexOf('.')) return reason === 'malformed'
    return reason === (at < 8 ? 'unknown-key' : 'bad-signature')
  }
})

t.test('a cookie is written out', (t) => {
  t.equal(formatOf().encode(RECORD), COOKIE)
  t.same(formatOf().decode(COOKIE), { ...RECORD, data: { visits: 12, note: 'a plain text' } })
  t.end()
})

t.test('a cookie can be read by anyone, without a key', (t) => {
  const [head, body, mac] = COOKIE.split('.') as [string, string, string]
  t.match(head, /^s2[\w-]{6}1795175970$/)
  t.equal(Buffer.from(body, 'base64url').toString(), BODY)
  t.match(mac, /^[\w-]{43}$/)
  t.end()
})

t.test('every valid vector is written to the byte, and opens', (t) => {
  for (const { name, cookieName, secrets, current, record, cookie, keyId } of readVectors('signed').valid) {
    const format = formatOf(cookieName, ...secrets.map(secretBytes))
    const writer = current ? format : formatOf(cookieName, secretBytes(secrets[1] ?? { text: '' }))
    const contents = { ...record, ...absent(record), json: jsonOf(cookie) }
    t.equal(writer.encode(contents), cookie, name)
    t.strictSame(format.decode(cookie), contents, name)
    t.equal(cookie.slice(2, 8), keyId)
    t.equal(cookie.startsWith(format.currentPrefix), current)
  }
  t.end()
})

function jsonOf(cookie: string): string {
  const body = Buffer.from(cookie.slice(19, cookie.lastIndexOf('.')), 'base64url').toString()
  return body.slice(body.indexOf('{'))
}

t.test('the bits to spare in the last letter of body and MAC must be zero, whatever the length of the body', (t) => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const decode = (part: string): Buffer => Buffer.from(part, 'base64url')
  const respell = (part: string): string[] =>
    [...alphabet]
      .map((letter) => part.slice(0, -1) + letter)
      .filter((other) => other !== part && decode(other).equals(decode(part)))
  const format = formatOf()
  for (const [json, spare] of [
    ['{}', 3],
    ['{"":1}', 0],
    ['{"a":1}', 15]
  ] as const) {
    const cookie = format.encode({ ...RECORD, ownerId: undefined, json })
    const [head, body, mac] = cookie.split('.') as [string, string, string]
    const [bodies, macs] = [respell(body), respell(mac)]
    t.equal(bodies.length, spare)
    t.equal(macs.length, 3)
    for (const other of bodies) t.equal(format.decode(`${head}.${other}.${mac}`), 'bad-signature')
    for (const other of macs) t.equal(format.decode(`${head}.${body}.${other}`), 'bad-signature')
  }
  t.end()
})

t.test('a cookie of another name, mode or secret does not open', (t) => {
  t.equal(formatOf('session2').decode(COOKIE), 'bad-signature')
  t.equal(formatOf('Session').decode(COOKIE), 'bad-signature')
  t.equal(formatOf('session', OLD_SECRET).decode(COOKIE), 'unknown-key')
  const crossed = deriveKeys([SECRET], 'encrypted')
  t.equal(new SignedFormat(crossed, 'session').decode(COOKIE), 'bad-signature', 'a key of the other purpose')
  t.end()
})

t.test('a new secret seals, the old one still opens until it is removed', (t) => {
  const rotated = formatOf('session', OLD_SECRET, SECRET)
  t.equal(COOKIE.startsWith(formatOf().currentPrefix), true)
  t.equal(COOKIE.startsWith(rotated.currentPrefix), false)
  t.type(rotated.decode(COOKIE), 'object')
  const renewed = rotated.encode(RECORD)
  t.equal(renewed.startsWith(rotated.currentPrefix), true)
  t.equal(renewed, formatOf('session', OLD_SECRET).encode(RECORD))
  t.equal(formatOf().decode(renewed), 'unknown-key')
  t.equal(formatOf('session', OLD_SECRET).decode(COOKIE), 'unknown-key')
  const relabelled = rotated.currentPrefix + COOKIE.slice(8)
  t.equal(rotated.decode(relabelled), 'bad-signature', 'the key id cannot be exchanged')
  t.end()
})

t.test('what the key holder spelled wrongly is malformed', (t) => {
  const format = formatOf()
  t.equal(signedCookie(SECRET, 'session', HEAD, BODY), COOKIE)
  t.equal(format.decode(signedCookie(SECRET, 'session', HEAD, BODY.replace('{', ''))), 'malformed')
  t.equal(format.decode(signedCookie(SECRET, 'session', `${HEAD.slice(0, 17)}x`, BODY)), 'malformed')
  t.equal(format.decode(signedCookie(SECRET, 'session', HEAD, '')), 'malformed')
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
      return (
        /^[\w-]+\.[\w-]+\.[\w-]+$/.test(cookie) &&
        format.measure(record) === cookie.length &&
        isDeepStrictEqual(format.decode(cookie), { ...record, data: JSON.parse(json) })
      )
    }),
    { seed: 4, numRuns: 1000, endOnFailure: true }
  )
  t.pass('for 1000 objects')
  t.end()
})

t.test('any text as a cookie is refused with a reason, and never throws', (t) => {
  const format = formatOf()
  const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array).toString('latin1'))
  const shaped = fc
    .tuple(
      fc.constantFrom(HEAD, 's2', 's2AAAAAA0000000000'),
      fc.base64String(),
      fc.string({ minLength: 43, maxLength: 43 })
    )
    .map((parts) => parts.join('.'))
  const text = fc.oneof(
    fc.string({ unit: anyCharacter, maxLength: 200 }),
    bytes,
    shaped,
    bytes.map((tail) => `${HEAD}.${tail}`)
  )
  fc.assert(
    fc.property(text, (text) => ['malformed', 'unknown-key', 'bad-signature'].includes(format.decode(text) as string)),
    { seed: 5, numRuns: 5000, endOnFailure: true }
  )
  t.pass('for 5000 texts')
  t.end()
})
