import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import type { IdentifiedRecord, LoadedRecord } from '../../lib/format/record.ts'
import {
  decodeBody,
  encodeBody,
  encodeHead,
  HEAD_CHARACTERS,
  hasHeadEnd,
  headEndOf,
  readKeyId,
  readLastSeenAt,
  readUsualStamp
} from '../../lib/format/record.ts'
import { anyCharacter } from '../helpers/any-character.ts'
import { NOW, RECORD } from './samples.ts'

const HEAD = 's2keyIdA1795176000'
const BODY = '17951724000AQIDBAUGBwgJCgsMDQ4PEAalice%40example.com{"visits":12,"note":"a plain text"}'

t.test('a head is the format, the key id and ten digits', (t) => {
  t.equal(encodeHead('s2', 'keyIdA', NOW), HEAD)
  t.equal(encodeHead('s2', 'keyIdA', 7), 's2keyIdA0000000007')
  t.equal(HEAD.length, HEAD_CHARACTERS)
  t.end()
})

t.test('the key id and the stamp are read from a head without looking further', (t) => {
  t.equal(readKeyId(`${HEAD}.body.mac`), 'keyIdA')
  t.equal(readLastSeenAt(`${HEAD}.body.mac`), NOW)
  t.equal(readLastSeenAt('s2keyIdA0000000000'), 0)
  t.equal(readLastSeenAt('s2keyIdA9999999999'), 9_999_999_999)
  t.end()
})

t.test('a stamp that is not ten decimal digits is NaN', (t) => {
  const stamps = ['', '179517600', '17951760 0', '+795176000', '-795176000', '1.95176000', '1e95176000', '0x95176000']
  for (const stamp of [...stamps, '١٧٩٥١٧٦٠٠٠', '/795176000', ':795176000', '179517600:', '\ud8355176000']) {
    t.ok(Number.isNaN(readLastSeenAt(`s2keyIdA${stamp}`)), stamp)
  }
  t.ok(Number.isNaN(readLastSeenAt('')))
  t.end()
})

t.test('a body is written out', (t) => {
  t.equal(encodeBody(RECORD), BODY)
  t.equal(
    encodeBody({ ...RECORD, createdAt: 5, permanent: true, ownerId: undefined, json: '{}' }),
    '00000000051AQIDBAUGBwgJCgsMDQ4PEA{}'
  )
  t.end()
})

t.test('a body gives back what it was made of, its JSON parsed', (t) => {
  const { lastSeenAt } = RECORD
  t.same(decodeBody(BODY, lastSeenAt), { ...RECORD, data: { visits: 12, note: 'a plain text' } })
  const permanent: IdentifiedRecord = { ...RECORD, permanent: true, ownerId: undefined, json: '{}' }
  t.same(decodeBody(encodeBody(permanent), lastSeenAt), { ...permanent, data: {} })
  t.end()
})

t.test('any owner, extensions and data come back', (t) => {
  const owner = fc.option(fc.string({ unit: 'grapheme', minLength: 1 }), { nil: undefined })
  const data = fc.dictionary(fc.string({ unit: anyCharacter }), fc.jsonValue({ stringUnit: anyCharacter }))
  const extensions = fc.constantFrom(undefined, ':v3', ':a:b-_9', ':v2:zA')
  const facts = fc.tuple(owner, extensions, data)
  const time = fc.integer({ min: 0, max: 9_999_999_999 })
  fc.assert(
    fc.property(facts, time, time, fc.boolean(), ([ownerId, extensions, data], createdAt, lastSeenAt, permanent) => {
      const json = JSON.stringify(data)
      const record: IdentifiedRecord = { ...RECORD, createdAt, lastSeenAt, permanent, ownerId, extensions, json }
      const opened = decodeBody(encodeBody(record), lastSeenAt)
      return isDeepStrictEqual(opened, { ...record, data: JSON.parse(json) })
    }),
    { seed: 2, numRuns: 1000, endOnFailure: true }
  )
  t.pass('for 1000 records')
  t.end()
})

t.test('an owner with braces and per cent signs does not move the start of the data', (t) => {
  for (const ownerId of [
    ':',
    ':v3',
    '{',
    '{"a":1}',
    '%7B',
    '%',
    '}{',
    'a b',
    '日本',
    '🍪',
    '"',
    '.',
    '\0',
    '__proto__'
  ]) {
    for (const extensions of [undefined, ':v3']) {
      t.match(decodeBody(encodeBody({ ...RECORD, ownerId, extensions }), NOW), { ownerId, extensions })
    }
  }
  t.end()
})

t.test('a key named __proto__ is data and nothing else', (t) => {
  const opened = decodeBody(encodeBody({ ...RECORD, json: '{"__proto__":{"admin":true}}' }), NOW)
  const { data } = opened as LoadedRecord
  t.equal(Object.getPrototypeOf(data), Object.prototype)
  t.same(Object.keys(data), ['__proto__'])
  t.end()
})

t.test('a body that is never written is malformed', (t) => {
  const wrong: Readonly<Record<string, string>> = {
    nothing: '',
    'created with a letter': BODY.replace('1795172400', '179517240x'),
    'created with a sign': BODY.replace('1795172400', '-795172400'),
    'created with a blank': BODY.replace('1795172400', ' 795172400'),
    'flags of 2': BODY.replace('17951724000', '17951724002'),
    'flags of /': BODY.replace('17951724000', '1795172400/'),
    'no data': BODY.slice(0, BODY.indexOf('{')),
    'data within the id': '17951724000{}',
    'the id too short by one, and no brace after it': '17951724000AQIDBAUGBwgJCgsMDQ4PE{}',
    'an array': BODY.replace(/\{.*/, '[1]'),
    'cut JSON': BODY.slice(0, -1),
    'JSON and more': `${BODY}}`,
    'JSON and a blank and more': `${BODY} x`,
    'JSON with NaN': BODY.replace('12', 'NaN'),
    'an owner with an unfinished escape': BODY.replace('%40', '%4@'),
    'an owner with a wrong escape': BODY.replace('%40', '%zz'),
    'an owner with a bare per cent sign': BODY.replace('%40', '%'),
    'an owner that is not UTF-8': BODY.replace('%40', '%ff'),
    'extensions in the wrong order': BODY.replace('{', ':w:v3{'),
    'an extension without a tag, and no owner': '17951724000AQIDBAUGBwgJCgsMDQ4PEA:{}'
  }
  for (const [name, body] of Object.entries(wrong)) t.equal(decodeBody(body, NOW), 'malformed', name)
  t.equal(decodeBody(BODY, Number.NaN), 'malformed', 'a stamp that is no number')
  t.end()
})

t.test('a critical extension that nobody knows comes before what is wrong with the rest', (t) => {
  const wrong = [BODY, BODY.slice(0, -1), BODY.replace('%40', '%ff'), '17951724000AQIDBAUGBwgJCgsMDQ4PEA{}']
  for (const body of wrong) t.equal(decodeBody(body.replace('{', ':X{'), NOW), 'unsupported')
  t.equal(decodeBody(BODY.replace('{', ':x:X{'), NOW), 'malformed')
  t.equal(decodeBody(`${BODY.replace('{', ':X{').slice(1)}`, NOW), 'malformed')
  t.end()
})

t.test('a body without extensions has not a byte more, and is not searched for them', (t) => {
  t.equal(encodeBody({ ...RECORD, extensions: undefined }).length, BODY.length)
  t.equal(encodeBody({ ...RECORD, extensions: ':v3' }).length, BODY.length + 3)
  const { json } = decodeBody('17951724000AQIDBAUGBwgJCgsMDQ4PEA{":X":1}', NOW) as LoadedRecord
  t.equal(json, '{":X":1}')
  t.match(decodeBody('17951724000AQIDBAUGBwgJCgsMDQ4PEAana{"a:X":1}', NOW), { ownerId: 'ana', extensions: undefined })
  t.end()
})

t.test('no body opens that is not spelled as it is written', (t) => {
  const alphabet = fc.constantFrom('a', ':', 'v', 'w', 'X', '1', '0', '3', '-')
  const middle = fc.array(alphabet, { maxLength: 12 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(middle, (text) => {
      const body = `17951724000AQIDBAUGBwgJCgsMDQ4PEA${text}{"a":1}`
      const opened = decodeBody(body, NOW)
      return typeof opened === 'string' || encodeBody(opened) === body
    }),
    { seed: 4, numRuns: 5000, endOnFailure: true }
  )
  t.pass('for 5000 bodies')
  t.end()
})

t.test('any text as a body gives a record or a reason, and never throws', (t) => {
  const digits = fc.stringMatching(/^[0-9]{10}[01][A-Za-z0-9_-]{22}[ -~]{0,20}$/)
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: anyCharacter }), digits), (text) => {
      const opened = decodeBody(text, NOW)
      return typeof opened === 'string' || typeof opened.data === 'object'
    }),
    { seed: 3, numRuns: 2000, endOnFailure: true }
  )
  t.pass('for 2000 texts')
  t.end()
})

t.test('the character behind the head says whether the head tells when activity is to be noted', async (t) => {
  const head = encodeHead('s2', 'oqFq7y', NOW)
  t.equal(headEndOf(undefined), '.')
  t.equal(headEndOf(':L300:v1'), '.')
  t.equal(headEndOf(':I300'), '~')
  t.ok(hasHeadEnd(`${head}.`))
  t.ok(hasHeadEnd(`${head}~`))
  for (const text of ['', head, `${head}-`, `${head}:`]) t.notOk(hasHeadEnd(text), text)
  t.equal(readUsualStamp(`session=${head}.x`, 8), NOW)
  t.equal(readUsualStamp(`${head}.x`), NOW)
  t.ok(Number.isNaN(readUsualStamp(`${head}~x`)))
  t.ok(Number.isNaN(readUsualStamp(head)))
})
