import t from 'tap'
import { RandomPool } from '../../lib/crypto/random.ts'

t.test('each byte is used once', (t) => {
  let fills = 0
  const pool = new RandomPool((target) => target.fill(++fills))
  const seen = Array.from({ length: 300 }, () => pool.text(16))
  t.equal(fills, 2)
  t.equal(seen[0], Buffer.alloc(16, 1).toString('base64url'))
  t.equal(seen[255], Buffer.alloc(16, 1).toString('base64url'))
  t.equal(seen[256], Buffer.alloc(16, 2).toString('base64url'))
  t.equal(seen[299], Buffer.alloc(16, 2).toString('base64url'))
  t.end()
})

t.test('bytes are returned in the order of the source, as text and as copies', (t) => {
  const pool = new RandomPool((target) => target.set(Array.from(target, (_, index) => index % 251)))
  const target = Buffer.alloc(6, 0xff)
  t.equal(pool.text(3), Buffer.of(0, 1, 2).toString('base64url'))
  pool.copyTo(target, 4)
  t.same([...target], [3, 4, 5, 6, 0xff, 0xff], 'and nothing is written behind the copy')
  t.equal(pool.text(2), Buffer.of(7, 8).toString('base64url'))
  t.end()
})

t.test('a request that does not fit into the rest of the pool is served from a new pool', (t) => {
  let fills = 0
  const pool = new RandomPool((target) => target.fill(++fills))
  pool.text(4090)
  t.equal(pool.text(16), Buffer.alloc(16, 2).toString('base64url'))
  t.equal(fills, 2)
  t.end()
})

t.test('the source is not called before the first byte is needed, and then for whole pools', (t) => {
  const sizes: number[] = []
  const pool = new RandomPool((target) => sizes.push(target.length))
  t.same(sizes, [])
  pool.text(4096)
  t.same(sizes, [4096])
  pool.text(1)
  t.same(sizes, [4096, 4096])
  t.end()
})

t.test('the default source is the operating system', (t) => {
  const pool = new RandomPool()
  const ids = new Set(Array.from({ length: 2000 }, () => pool.text(16)))
  t.equal(ids.size, 2000)
  for (const id of ids) if (!/^[\w-]{22}$/.test(id)) t.fail(id)
  t.not(new RandomPool().text(16), new RandomPool().text(16))
  t.end()
})
