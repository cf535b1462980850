import { crc32 } from 'node:zlib'
import t from 'tap'
import { decodeRecord, encodeRecord } from '../../../lib/stores/file/format.ts'

const KEY = 'A'.repeat(43)
const RECORD = {
  key: KEY,
  json: '{"cart":["ä€😀"]}',
  createdAt: 1_763_640_000,
  lastSeenAt: 1_763_640_001,
  permanent: true,
  ownerId: 'ada',
  description: '{"agent":"Firefox"}',
  extensions: ':v3',
  expiresAt: 1_763_643_600,
  version: 3
}
const TEXT = `fastify-typed-session 1 73863857
{"key":"${KEY}","createdAt":1763640000,"lastSeenAt":1763640001,"permanent":true,"ownerId":"ada","description":"{\\"agent\\":\\"Firefox\\"}","extensions":":v3","expiresAt":1763643600,"version":3}
{"cart":["ä€😀"]}
`

/** A whole file with this second line. */
function textOf(head: string): string {
  const body = `${head}\n{}\n`
  return `fastify-typed-session 1 ${crc32(body).toString(16).padStart(8, '0')}\n${body}`
}

t.test('a session is three lines', async (t) => {
  t.equal(encodeRecord(RECORD), TEXT)
  t.same(decodeRecord(KEY, TEXT), RECORD)
})

t.test('a record without owner, description and extensions, and with lines in its data, comes back', async (t) => {
  const bare = { ...RECORD, json: '{\n "a": 1\n}', ownerId: undefined, description: undefined, extensions: undefined }
  const record = decodeRecord(KEY, encodeRecord(bare))
  t.same(record, bare)
  t.equal('ownerId' in record, true)
})

t.test('half a pair of surrogates in an owner comes back', async (t) => {
  const odd = { ...RECORD, ownerId: '\ud800\u0000' }
  t.equal(decodeRecord(KEY, Buffer.from(encodeRecord(odd)).toString()).ownerId, '\ud800\u0000')
})

t.test('a file is refused with what is wrong, and nothing of what is in it', async (t) => {
  for (const [what, text, message] of [
    ['empty', '', /^it is empty/],
    ['zeros, as after a power failure', '\0'.repeat(100), /^it is not a session file, or it is damaged$/],
    ['another file', 'cart=1\n', /^it is not a session file, or it is damaged$/],
    [
      'a later format',
      TEXT.replace('session 1', 'session 2'),
      /^it has format version 2; this version of the package reads 1$/
    ],
    ['another byte', TEXT.replace('cart', 'card'), /checksum/],
    ['another sum', TEXT.replace(/ \w{8}\n/, ' 00000000\n'), /checksum/],
    ['junk behind', `${TEXT}x`, /checksum/],
    ['no record', textOf('null'), /^it belongs to another session$/],
    ['junk in the first line', TEXT.replace('\n', ' junk\n'), /^it is not a session file, or it is damaged$/],
    ['no version', TEXT.replace('session 1', 'session hunter2'), /^it is not a session file, or it is damaged$/]
  ] as const) {
    t.throws(() => decodeRecord(KEY, text), { message }, what)
  }
  t.throws(() => decodeRecord('B'.repeat(43), TEXT), { message: /^it belongs to another session$/ })
})

t.test('a file that was edited, its checksum included, is refused too, and not quoted', async (t) => {
  const message = 'it was edited: its checksum is right, and it holds no record'
  const withSum = (body: string): string =>
    `fastify-typed-session 1 ${crc32(body).toString(16).padStart(8, '0')}\n${body}`
  const body = TEXT.slice(TEXT.indexOf('\n') + 1)
  t.same(decodeRecord(KEY, withSum(body)), RECORD)
  for (const [from, to] of [
    ['{"key"', 'hunter2'],
    ['1763640000', '"hunter2"'],
    ['"expiresAt":1763643600', '"expiresAt":null'],
    ['"ada"', '5'],
    ['true', '1']
  ] as const) {
    t.throws(() => decodeRecord(KEY, withSum(body.replace(from, to))), { message }, to)
  }
  t.throws(() => decodeRecord(KEY, withSum('null\n{}\n')), { message: /^it belongs to another session$/ })
})

t.test('no shorter piece of a file is a record', async (t) => {
  for (let length = 0; length < TEXT.length; length++) {
    t.throws(() => decodeRecord(KEY, TEXT.slice(0, length)), `${length} characters`)
  }
})
