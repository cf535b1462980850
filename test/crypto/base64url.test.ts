import t from 'tap'
import { Base64Url } from '../../lib/crypto/base64url.ts'

t.test('text comes back as it was encoded, whatever its length', async (t) => {
  const base64Url = new Base64Url()
  for (const text of [
    '',
    'a',
    'ção 🍪',
    'x'.repeat(10_000),
    '🍪'.repeat(5_000),
    '\u0800'.repeat(5_000),
    'short again'
  ]) {
    const encoded = Buffer.from(text).toString('base64url')
    t.equal(base64Url.encodeText(text), encoded)
    t.equal(base64Url.decodeText(encoded), text)
  }
})

t.test('only the canonical encoding of bytes is accepted', async (t) => {
  const base64Url = new Base64Url()
  const bytes = Buffer.from([0xfb, 0xff, 0xfe, 0x01])
  t.equal(bytes.toString('base64url'), '-__-AQ')
  t.same(base64Url.decodeCanonical('-__-AQ'), bytes)
  for (const other of ['+//+AQ', '-__-AQ==', '-__-AR', '-__- AQ', '-__-AQ\n', '-__-A', '-__-AQ.', '-__-A%51']) {
    t.equal(base64Url.decodeCanonical(other), undefined, other)
  }
})
