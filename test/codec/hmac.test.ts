import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { HmacSha256 } from '../../lib/codec/hmac.ts'

const KEY = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'

function expected(key: string, message: string): string {
  return createHmac('sha256', key).update(message).digest('base64url')
}

// RFC 2104 fills a shorter key up with zeros to the 64 bytes of a block, so a key that is already filled up has the same
// MAC. That brings the cases of RFC 4231 within reach whose key and data are ASCII: 1, 2 and 5. In 3, 4, 6 and 7 they are not.
t.test('the cases of RFC 4231 with an ASCII key and ASCII data come out right', (t) => {
  const cases = [
    ['\x0b'.repeat(20), 'Hi There', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
    ['Jefe', 'what do ya want for nothing?', '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'],
    ['\x0c'.repeat(20), 'Test With Truncation', 'a3b6167473100ee06e0c796c2955552b']
  ] as const
  for (const [key, data, mac] of cases) {
    const made = Buffer.from(new HmacSha256(key.padEnd(64, '\0')).sign(data), 'base64url')
    t.equal(made.toString('hex').slice(0, mac.length), mac)
  }
  t.end()
})

t.test('one MAC is written out', (t) => {
  t.equal(new HmacSha256(KEY, 'session=').sign('message'), expected(KEY, 'session=message'))
  t.equal(new HmacSha256(KEY, 'session=').sign('message'), 'tMEkUcTvV3bl4fZoLtgrGtPuYFE8ffinD-4-H51pOb4')
  t.end()
})

t.test('every key of 64 ASCII characters and every text give what createHmac gives', (t) => {
  const ascii = fc.integer({ min: 0, max: 127 }).map((code) => String.fromCharCode(code))
  const key = fc.string({ unit: ascii, minLength: 64, maxLength: 64 })
  const prefix = fc.string({ unit: ascii, maxLength: 20 })
  const message = fc.oneof(fc.string({ unit: ascii, maxLength: 300 }), fc.string({ unit: 'binary', maxLength: 80 }))
  fc.assert(
    fc.property(key, prefix, message, (key, prefix, message) => {
      const hmac = new HmacSha256(key, prefix)
      const mac = hmac.sign(message)
      return mac === expected(key, prefix + message) && hmac.verify(message, mac)
    }),
    { seed: 1, numRuns: 2000, endOnFailure: true }
  )
  t.pass('for 2000 keys and texts')
  t.end()
})

t.test('texts of every length around the blocks of SHA-256 are right, and every MAC has 43 characters', (t) => {
  const hmac = new HmacSha256(KEY)
  for (let length = 0; length <= 200; length++) {
    const mac = hmac.sign('m'.repeat(length))
    if (mac !== expected(KEY, 'm'.repeat(length)) || mac.length !== 43) t.fail(`wrong for ${length}`)
  }
  t.equal(hmac.sign('x'.repeat(100_000)), expected(KEY, 'x'.repeat(100_000)))
  t.end()
})

t.test('signing in turns under two keys mixes nothing up', (t) => {
  const [a, b] = [new HmacSha256(KEY, 'a='), new HmacSha256(KEY, 'b=')]
  const macs = [a.sign('1'), b.sign('1'), a.sign('2'), a.sign('1')]
  t.same(
    macs,
    ['a=1', 'b=1', 'a=2', 'a=1'].map((text) => expected(KEY, text))
  )
  t.end()
})

t.test('a MAC is refused when it is too short, too long, empty, or for something else', (t) => {
  const hmac = new HmacSha256(KEY)
  const mac = hmac.sign('message')
  t.equal(hmac.verify('message', mac), true)
  for (const wrong of ['', mac.slice(1), mac.slice(0, -1), `${mac}A`, `${mac}=`, ` ${mac}`, mac.repeat(2)]) {
    t.equal(hmac.verify('message', wrong), false)
  }
  t.equal(hmac.verify('messages', mac), false)
  t.equal(hmac.verify('', mac), false)
  t.equal(new HmacSha256(KEY, 'x').verify('message', mac), false)
  t.equal(new HmacSha256(KEY.replace('0', '1')).verify('message', mac), false)
  t.end()
})

t.test('a MAC with one character changed is refused, whichever it is', (t) => {
  const hmac = new HmacSha256(KEY)
  const mac = hmac.sign('message')
  const accepted: string[] = []
  for (let at = 0; at < mac.length; at++) {
    for (let code = 0; code < 256; code++) {
      const changed = mac.slice(0, at) + String.fromCharCode(code) + mac.slice(at + 1)
      if (changed !== mac && hmac.verify('message', changed)) accepted.push(changed)
    }
  }
  t.same(accepted, [])
  t.end()
})

t.test('a MAC with a character beyond U+00FF is refused even if its low byte is right', (t) => {
  const hmac = new HmacSha256(KEY)
  const mac = hmac.sign('message')
  const accepted: number[] = []
  for (let at = 0; at < mac.length; at++) {
    const wide = mac.slice(0, at) + String.fromCharCode(mac.charCodeAt(at) + 256) + mac.slice(at + 1)
    if (hmac.verify('message', wide)) accepted.push(at)
  }
  t.same(accepted, [])
  t.end()
})
