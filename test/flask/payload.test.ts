import { randomBytes } from 'node:crypto'
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import { decodePayload, encodePayload, MAX_JSON_BYTES } from '../../lib/flask/payload.ts'

t.test('what is shorter when compressed is compressed, and has a dot in front', (t) => {
  t.equal(encodePayload('{"user_id":7}'), 'eyJ1c2VyX2lkIjo3fQ')
  const long = JSON.stringify({ text: 'abc '.repeat(300) })
  const payload = encodePayload(long)
  t.match(payload, /^\.eJ[\w-]+$/)
  t.ok(payload.length < 100)
  t.equal(decodePayload(payload), long)
  t.end()
})

t.test('what is too long to come back stays too long for a cookie', (t) => {
  for (const text of ['x'.repeat(MAX_JSON_BYTES + 1), 'é'.repeat(MAX_JSON_BYTES / 2 + 1)]) {
    t.ok(encodePayload(text).length > MAX_JSON_BYTES)
  }
  t.end()
})

t.test('any text comes back', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => decodePayload(encodePayload(text)) === text)
  )
  t.end()
})

t.test('a payload that grows without end stops at the limit', (t) => {
  const most = 'x'.repeat(MAX_JSON_BYTES)
  t.equal(decodePayload(encodePayload(most)), most)
  t.equal(decodePayload(`.${deflateSync(`${most}x`).toString('base64url')}`), undefined)
  const bomb = `.${deflateSync(Buffer.alloc(100 * 1024 * 1024)).toString('base64url')}`
  const before = process.memoryUsage().arrayBuffers
  t.equal(decodePayload(bomb), undefined)
  t.ok(process.memoryUsage().arrayBuffers - before < 10 * 1024 * 1024)
  t.end()
})

t.test('what is not a payload is none', (t) => {
  const broken = [
    ...['e30=', 'e3 0', 'e31', 'e', '.', '.e30', '..', 'é', 'e30\n', 'e3+/'],
    ...[gzipSync('{}'), deflateRawSync('{}'), deflateSync('{}').subarray(0, -1)].map(
      (bytes) => `.${bytes.toString('base64url')}`
    ),
    // No UTF-8.
    Buffer.from([0x22, 0xff, 0x22]).toString('base64url')
  ]
  for (const text of broken) t.equal(decodePayload(text), undefined, text)
  for (let round = 0; round < 1000; round++) decodePayload(`.${randomBytes(round % 50).toString('base64url')}`)
  t.end()
})
