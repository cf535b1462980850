import t from 'tap'
import { RandomPool } from '../../lib/crypto/random.ts'
import { datedId, isWithin, limitOf } from '../../lib/revocations/dated-id.ts'

const AT = 1_763_640_000_123
const random = new RandomPool()

t.test('an id of 22 characters tells the millisecond in which it was issued', (t) => {
  for (const at of [1, AT, 10_000_000_000_000 - 1]) {
    const id = datedId(at, random)
    t.match(id, /^[\w-]{21}t$/)
    t.equal(isWithin(limitOf(at), id), true)
    t.equal(isWithin(limitOf(at + 1), id), true)
    t.equal(isWithin(limitOf(at - 1), id), false)
  }
  for (let tries = 0; tries < 1000; tries++) {
    const [one, other] = [Math.floor(Math.random() * 2 * AT), Math.floor(Math.random() * 2 * AT)]
    t.equal(isWithin(limitOf(one), datedId(other, random)), other <= one)
  }
  t.not(datedId(AT, random), datedId(AT, random), 'with 72 bits of randomness')
  t.equal(datedId(AT, new RandomPool((target) => target.fill(0))), '0mi7dpxffAAAAAAAAAAAAt')
  t.equal(datedId(0, new RandomPool((target) => target.fill(255))), '000000000____________t')
  t.end()
})

t.test('an id of random bytes was issued before everything', (t) => {
  for (let tries = 0; tries < 1000; tries++) t.equal(isWithin(limitOf(0), random.text(16)), true)
  t.equal(isWithin(limitOf(0), ''), true)
  t.end()
})
