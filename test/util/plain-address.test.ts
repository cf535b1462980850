import t from 'tap'
import { plainAddress } from '../../lib/util/plain-address.ts'

t.test('an IPv4 address has one spelling, also where it came as an IPv6 address', async (t) => {
  for (const spelling of [
    '10.0.0.1',
    '::ffff:10.0.0.1',
    '::FFFF:10.0.0.1',
    '::ffff:a00:1',
    '0:0:0:0:0:ffff:10.0.0.1',
    '0000:0000:0000:0000:0000:FFFF:0A00:0001'
  ]) {
    t.equal(plainAddress(spelling), '10.0.0.1', spelling)
  }
  t.equal(plainAddress('::ffff:255.1.2.254'), '255.1.2.254')
  t.equal(plainAddress('::ffff:0.0.0.0'), '0.0.0.0')
})

t.test('every other text stays as it is', async (t) => {
  for (const text of [
    '2001:db8::1',
    '::1',
    '::',
    '::10.0.0.1',
    '::fffe:10.0.0.1',
    '1::ffff:10.0.0.1',
    'fe80::1%eth0',
    '::ffff:10.0.0.1%eth0',
    '10.0.0.1:80',
    'unknown',
    ''
  ]) {
    t.equal(plainAddress(text), text, text)
  }
  t.equal(plainAddress(undefined), '')
})
