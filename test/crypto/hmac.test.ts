import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { HmacSha256 } from '../../lib/crypto/hmac.ts'

const KEY = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'

function macOf(key: string, message: string): string {
  return createHmac('sha256', key).update(message).digest('base64url')
}

/** A message with a wrong MAC. */
function forge(message: string, mac: string): string {
  return `${message}.${mac}`
}

// RFC 2104 pads a shorter key with zeros to the 64 bytes of a block, so the padded key gives the same MAC. The test can therefore
// use the cases of RFC 4231 with an ASCII key and ASCII data: 1, 2 and 5, but not 3, 4, 6 and 7.
t.test('the results are those of RFC 4231, for its cases with an ASCII key and ASCII data', (t) => {
  const cases = [
    ['\x0b'.repeat(20), 'Hi There', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
    ['Jefe', 'what do ya want for nothing?', '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'],
    ['\x0c'.repeat(20), 'Test With Truncation', 'a3b6167473100ee06e0c796c2955552b']
  ] as const
  for (const [key, data, mac] of cases) {
    const made = Buffer.from(new HmacSha256(key.padEnd(64, '\0')).sign(data).slice(data.length + 1), 'base64url')
    t.equal(made.toString('hex').slice(0, mac.length), mac)
  }
  t.end()
})

t.test('the MAC of one example', (t) => {
  t.equal(macOf(KEY, 'session=message'), 'tMEkUcTvV3bl4fZoLtgrGtPuYFE8ffinD-4-H51pOb4')
  t.equal(new HmacSha256(KEY, 'session=').sign('message'), 'message.tMEkUcTvV3bl4fZoLtgrGtPuYFE8ffinD-4-H51pOb4')
  t.end()
})

t.test('for every key of 64 ASCII characters and every text the result is that of createHmac', (t) => {
  const ascii = fc.integer({ min: 0, max: 127 }).map((code) => String.fromCharCode(code))
  const key = fc.string({ unit: ascii, minLength: 64, maxLength: 64 })
  const prefix = fc.string({ unit: ascii, maxLength: 20 })
  const message = fc.string({ unit: ascii, maxLength: 300 })
  fc.assert(
    fc.property(key, prefix, message, (key, prefix, message) => {
      const hmac = new HmacSha256(key, prefix)
      const text = hmac.sign(message)
      return text === `${message}.${macOf(key, prefix + message)}` && hmac.verify(text)
    }),
    { seed: 1, numRuns: 2000, endOnFailure: true }
  )
  t.pass('for 2000 keys and texts')
  t.end()
})

t.test('messages of every length around the block size of SHA-256, and much longer ones, have the right MAC', (t) => {
  const hmac = new HmacSha256(KEY)
  const lengths = [...Array(200).keys(), 4095, 4096, 4097, 100_000]
  for (const message of lengths.map((length) => 'm'.repeat(length))) {
    const text = hmac.sign(message)
    if (text !== `${message}.${macOf(KEY, message)}` || !hmac.verify(text)) t.fail(`wrong for ${message.length}`)
  }
  t.equal(new HmacSha256(KEY).verify(hmac.sign('x'.repeat(100_000))), true)
  t.equal(hmac.verify(hmac.sign('short')), true, 'what is left of a longer one does not count')
  t.end()
})

t.test('signing alternately under two keys gives the same results', (t) => {
  const [a, b] = [new HmacSha256(KEY, 'a='), new HmacSha256(KEY, 'b=')]
  const texts = [a.sign('1'), b.sign('1'), a.sign('2'), a.sign('1')]
  t.same(
    texts,
    ['a=1', 'b=1', 'a=2', 'a=1'].map((text) => `${text.slice(2)}.${macOf(KEY, text)}`)
  )
  t.end()
})

t.test('a text is refused if its MAC is too short, too long, missing, or for another text', (t) => {
  const hmac = new HmacSha256(KEY)
  const text = hmac.sign('message')
  const mac = text.slice('message.'.length)
  t.equal(hmac.verify(text), true)
  const wrong = [mac.slice(1), mac.slice(0, -1), `${mac}A`, `${mac}=`, ` ${mac}`, mac.repeat(2), ''].map((other) =>
    forge('message', other)
  )
  for (const other of [...wrong, '', '.', mac, 'message', `message${mac}`, `message,${mac}`, `${text}.`]) {
    t.equal(hmac.verify(other), false, other)
  }
  t.equal(hmac.verify(forge('messages', mac)), false)
  t.equal(hmac.verify(forge('', mac)), false)
  t.equal(hmac.verify(hmac.sign('')), true)
  t.equal(new HmacSha256(KEY, 'x').verify(text), false)
  t.equal(new HmacSha256(KEY.replace('0', '1')).verify(text), false)
  t.end()
})

t.test('a MAC with any one character changed is refused', (t) => {
  const hmac = new HmacSha256(KEY)
  const mac = hmac.sign('message').slice('message.'.length)
  const accepted: string[] = []
  for (let at = 0; at < mac.length; at++) {
    for (let code = 0; code < 256; code++) {
      const changed = mac.slice(0, at) + String.fromCharCode(code) + mac.slice(at + 1)
      if (changed !== mac && hmac.verify(forge('message', changed))) accepted.push(changed)
    }
  }
  t.same(accepted, [])
  t.end()
})

t.test('a text with a character beyond U+00FF is refused even if its low byte is right', (t) => {
  const hmac = new HmacSha256(KEY)
  const text = hmac.sign('message')
  const accepted: number[] = []
  for (let at = 0; at < text.length; at++) {
    const wide = text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) + 256) + text.slice(at + 1)
    if (hmac.verify(wide)) accepted.push(at)
  }
  t.same(accepted, [])
  t.equal(hmac.verify(hmac.sign('m\u00e9ssage')), false, 'what is no ASCII is never right')
  t.end()
})
