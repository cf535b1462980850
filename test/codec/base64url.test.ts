import t from 'tap'
import { Base64UrlDecoder } from '../../lib/codec/base64url.ts'

t.test('text comes back as it was encoded, whatever its length', async (t) => {
  const decoder = new Base64UrlDecoder()
  for (const text of ['', 'a', 'ção 🍪', 'x'.repeat(10_000), 'short again']) {
    t.equal(decoder.decodeText(Buffer.from(text).toString('base64url')), text)
  }
})

t.test('only the canonical spelling of bytes is taken', async (t) => {
  const decoder = new Base64UrlDecoder()
  const bytes = Buffer.from([0xfb, 0xff, 0xfe, 0x01])
  t.equal(bytes.toString('base64url'), '-__-AQ')
  t.same(decoder.decodeCanonical('-__-AQ'), bytes)
  for (const other of ['+//+AQ', '-__-AQ==', '-__-AR', '-__- AQ', '-__-AQ\n', '-__-A', '-__-AQ.', '-__-A%51']) {
    t.equal(decoder.decodeCanonical(other), undefined, other)
  }
})
