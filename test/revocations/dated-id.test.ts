import t from 'tap'
import { RandomPool } from '../../lib/crypto/random.ts'
import { datedId, issuedAt } from '../../lib/revocations/dated-id.ts'

const AT = 1_763_640_000_123

t.test('an id of 22 characters tells the millisecond in which it was issued', (t) => {
  const random = new RandomPool()
  for (const at of [0, 1, AT, 10_000_000_000_000 - 1]) {
    const id = datedId(at, random)
    t.match(id, /^[\w-]{21}t$/)
    t.equal(issuedAt(id), at)
  }
  t.not(datedId(AT, random), datedId(AT, random), 'with 72 bits of randomness')
  t.equal(datedId(AT, new RandomPool((target) => target.fill(0))), '0mi7dpxff' + 'AAAAAAAAAAAA' + 't')
  t.end()
})

t.test('an id of random bytes tells none', (t) => {
  const random = new RandomPool()
  for (let tries = 0; tries < 1000; tries++) t.equal(issuedAt(random.text(16)), 0)
  t.equal(issuedAt(''), 0)
  t.end()
})
