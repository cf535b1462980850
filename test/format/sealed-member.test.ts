import fc from 'fast-check'
import t from 'tap'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import { EncryptedFormat } from '../../lib/format/encrypted.ts'
import type { Place } from '../../lib/format/sealed-member.ts'
import { MemberSeal, sealedLength } from '../../lib/format/sealed-member.ts'
import { secretBytes } from '../vectors/generate.ts'
import { CIPHER, fixedRandom, givenRandom, OLD_SECRET, RECORD, readMemberVectors, SECRET } from './samples.ts'

const PLACE: Place = 'data:658WgAyQKf_KhWlXY9I8Os5xARz0DpNUrNgQIF4lD4c'

function sealOf(secrets: Buffer[] = [SECRET], random = fixedRandom()): MemberSeal {
  return new MemberSeal(deriveKeys(secrets, 'member'), random, CIPHER)
}

t.test('the vectors are written and opened', async (t) => {
  const { valid, invalid } = readMemberVectors()
  for (const { name, secrets, place, member, value, text, nonce } of valid) {
    const [secret] = secrets.map(secretBytes).reverse() as [Buffer]
    const writer = sealOf([secret], givenRandom(Buffer.from(nonce as string, 'hex')))
    t.equal(writer.seal(place as Place, JSON.parse(member), text as string), value, name)
    t.equal(sealOf(secrets.map(secretBytes)).open(place as Place, JSON.parse(member), value), text, name)
    t.equal(sealedLength(text as string), value.length, name)
  }
  for (const { name, secrets, place, member, value } of invalid) {
    t.equal(sealOf(secrets.map(secretBytes)).open(place as Place, JSON.parse(member), value), undefined, name)
  }
})

t.test('no character can be another one, and nothing can be cut off or added', async (t) => {
  const seal = sealOf()
  const value = seal.seal(PLACE, 'name', '"hunter2"')
  t.equal(seal.open(PLACE, 'name', value), '"hunter2"')
  for (let at = 0; at < value.length; at++) {
    for (const other of ['A', 'b', '_', '.', '=', '"', ' ', 'é']) {
      const changed = value.slice(0, at) + other + value.slice(at + 1)
      if (other !== value[at] && seal.open(PLACE, 'name', changed) !== undefined) t.fail(`${other} at ${at}`)
    }
    if (seal.open(PLACE, 'name', value.slice(0, at)) !== undefined) t.fail(`${at} characters`)
    if (seal.open(PLACE, 'name', value.slice(at + 1)) !== undefined) t.fail(`without ${at + 1} characters`)
  }
  for (const more of ['A', '=', '.', ' ', '\0']) t.equal(seal.open(PLACE, 'name', value + more), undefined)
})

t.test('a value is of one member of one place', async (t) => {
  const seal = sealOf()
  const value = seal.seal(PLACE, 'name', '1')
  t.equal(seal.open(PLACE, 'nam', value), undefined)
  t.equal(seal.open(PLACE, 'name ', value), undefined)
  t.equal(seal.open(`description:${PLACE.slice(5)}`, 'name', value), undefined)
  t.equal(seal.open(`${PLACE}"`, 'name', value), undefined)
  const halves = ['\ud800', '\udfff', '\ufffd'].map((name) => [name, seal.seal(PLACE, name, '1')] as const)
  for (const [name, sealed] of halves) {
    for (const [other] of halves) t.equal(seal.open(PLACE, other, sealed), name === other ? '1' : undefined)
  }
  const long = 'n'.repeat(5000)
  t.equal(seal.open(PLACE, long, seal.seal(PLACE, long, '1')), '1')
  t.equal(seal.open(PLACE, `${long}n`, seal.seal(PLACE, long, '1')), undefined)
})

t.test('an encrypted cookie is no value, and a value no encrypted cookie', async (t) => {
  const cookies = new EncryptedFormat(deriveKeys([SECRET], 'encrypted'), 'session', fixedRandom(), CIPHER)
  const [head, sealed] = cookies.encode(RECORD).split('.') as [string, string]
  const seal = sealOf()
  const value = seal.seal(PLACE, 'name', '1')
  t.equal(seal.open(PLACE, 'name', `${value.slice(0, 9)}${sealed}`), undefined)
  t.equal(cookies.decode(`${head}.${value.slice(9)}`), 'bad-signature')
  t.equal(cookies.decode(value), 'malformed')
  const ofCookies = new MemberSeal(deriveKeys([SECRET], 'encrypted'), fixedRandom(), CIPHER)
  t.equal(seal.open(PLACE, 'name', ofCookies.seal(PLACE, 'name', '1')), undefined, 'nor with the key of cookies')
})

t.test('the newest key seals, all open', async (t) => {
  const old = sealOf([OLD_SECRET]).seal(PLACE, 'name', '1')
  const seal = sealOf([SECRET, OLD_SECRET])
  const value = seal.seal(PLACE, 'name', '1')
  t.equal(seal.open(PLACE, 'name', old), '1')
  t.equal(seal.open(PLACE, 'name', value), '1')
  t.same(
    [old, value].map((each) => seal.isCurrent(each)),
    [false, true]
  )
  t.equal(sealOf().open(PLACE, 'name', value), '1')
  t.equal(sealOf().open(PLACE, 'name', old), undefined)
})

t.test('a value shows its head, its nonce and its length, and no nonce comes twice', async (t) => {
  const seal = sealOf()
  const values = Array.from({ length: 1000 }, () => seal.seal(PLACE, 'name', '"hunter2"'))
  t.equal(new Set(values.map((value) => value.slice(9, 41))).size, 1000)
  for (const value of values.slice(0, 10)) {
    t.match(value, /^m1[\w-]{6}\.[\w-]{66}$/)
    t.notMatch(Buffer.from(value.slice(9), 'base64url').toString('latin1'), /hunter2|name/)
  }
})

t.test('any text comes back under any name, and its length is known before', async (t) => {
  const seal = sealOf()
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.json(), (name, text) => {
      const value = seal.seal(PLACE, name, text)
      return seal.open(PLACE, name, value) === text && value.length === sealedLength(text)
    }),
    { seed: 8, numRuns: 1000, endOnFailure: true }
  )
  t.pass('for 1000 members')
})
