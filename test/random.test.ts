import t from 'tap'
import { RandomPool } from '../lib/random.ts'

t.test('bytes are given out once', (t) => {
  let fills = 0
  const pool = new RandomPool((target) => target.fill(++fills))
  const seen = Array.from({ length: 300 }, () => pool.text(16))
  t.equal(fills, 2)
  t.equal(seen[0], Buffer.alloc(16, 1).toString('base64url'))
  t.equal(seen[299], Buffer.alloc(16, 2).toString('base64url'))
  t.end()
})
