import fc from 'fast-check'
import t from 'tap'
import { FlaskFormat, openFlask } from '../../lib/flask/format.ts'
import { encodePayload } from '../../lib/flask/payload.ts'
import { toPlain } from '../../lib/flask/plain.ts'
import { untag } from '../../lib/flask/tags.ts'
import type { IdentifiedRecord, LoadedRecord } from '../../lib/format/record.ts'
import { CHARACTERS, replaceEach, tamper } from '../format/tamper.ts'
import { signerOf, VECTORS } from './vectors.ts'

const RECORD: IdentifiedRecord = {
  id: 'AQIDBAUGBwgJCgsMDQ4PEA',
  createdAt: VECTORS.signedAt - 3600,
  lastSeenAt: VECTORS.signedAt,
  permanent: true,
  ownerId: '7',
  extensions: undefined,
  json: '{"n":1}'
}

const format = new FlaskFormat(signerOf())

function decode(cookie: string): LoadedRecord {
  const record = format.decode(cookie)
  if (typeof record === 'string') throw new Error(record)
  return record
}

t.test('every cookie of Flask says what it says there', (t) => {
  for (const { name, session, cookie, key, signed_at: signedAt = VECTORS.signedAt, ...signing } of VECTORS.valid) {
    const opened = openFlask(signerOf(signing), cookie)
    if (typeof opened === 'string') throw new Error(`${name}: ${opened}`)
    t.equal(opened.signedAt, signedAt, name)
    t.equal(opened.isCurrent, key === undefined, name)
    t.same(toPlain(untag(JSON.parse(opened.json))), session, name)
  }
  t.end()
})

t.test('a cookie under an older key is to be sealed anew', (t) => {
  const { cookie } = VECTORS.valid.find(({ key }) => key !== undefined) ?? { cookie: '' }
  const record = decode(cookie)
  t.equal(record.needsRekey, true)
  t.equal(decode(format.encode(record)).needsRekey, undefined)
  t.end()
})

t.test('a cookie tells its time, and its length is known before', (t) => {
  const cookie = format.encode(RECORD)
  t.match(cookie, /^[\w-]+\.awA2QA\.[\w-]{27}$/)
  t.equal(format.measure(RECORD), cookie.length)
  t.equal(format.readStamp(cookie), RECORD.lastSeenAt)
  t.ok(cookie.startsWith(format.currentPrefix))
  t.match(decode(cookie), { ...RECORD, extensions: String, data: { n: 1 } })
  t.end()
})

t.test('no character of a cookie can be another one', (t) => {
  const { cookie } = VECTORS.valid[0] ?? { cookie: '' }
  let count = 0
  const opened: string[] = []
  for (const { how, text } of replaceEach(cookie)) {
    if (typeof format.decode(text) === 'object') opened.push(how)
    count++
  }
  t.same(opened, [])
  t.equal(count, cookie.length * (CHARACTERS.length - 1))
  t.end()
})

t.test('a cookie that was cut, joined, respelled, quoted or mixed with another one does not open', (t) => {
  const cookie = format.encode(RECORD)
  const stranger = format.encode({ ...RECORD, ownerId: 'mallory' })
  const opened: string[] = []
  for (const { how, text } of tamper(cookie, stranger)) {
    if (text !== stranger && typeof format.decode(text) === 'object') opened.push(how)
  }
  t.same(opened, [])
  t.end()
})

t.test('what Flask has signed and is no session opens nothing', (t) => {
  const signer = signerOf()
  const signed = (payload: string, stamp = 'awA2QA'): string => signer.sign(`${payload}.${stamp}`)
  t.match(format.decode(signed('e30')), { data: {} })
  for (const payload of ['e31', '.e30', '.', 'W10', encodePayload('{"n":NaN}'), encodePayload('1')]) {
    t.equal(format.decode(signed(payload)), 'malformed', payload)
  }
  for (const stamp of ['', 'A', '________', 'awA2QA.']) t.equal(format.decode(signed('e30', stamp)), 'malformed', stamp)
  t.equal(format.decode(signed(encodePayload('{"_fts":"17951724000AQIDBAUGBwgJCgsMDQ4PEA:Xnew"}'))), 'unsupported')
  t.equal(format.decode(signer.sign('e30')), 'malformed')
  t.end()
})

t.test('whatever the text is, nothing throws and nothing opens', (t) => {
  const parts = fc.array(
    fc.oneof(fc.string({ unit: 'binary' }), fc.base64String(), fc.constantFrom('e30', 'awA2QA', ''))
  )
  const { cookie = '' } = VECTORS.valid[2] ?? {}
  const cut = fc
    .tuple(fc.nat(cookie.length), fc.nat(cookie.length))
    .map(([from, to]) => cookie.slice(from) + cookie.slice(0, to))
  fc.assert(
    fc.property(
      fc.oneof(
        parts.map((parts) => parts.join('.')),
        cut
      ),
      (text) => {
        return text === cookie || typeof format.decode(text) === 'string'
      }
    ),
    { numRuns: 3000 }
  )
  t.equal(format.decode(`${'A'.repeat(4096)}.awA2QA.mac`), 'malformed')
  t.end()
})
