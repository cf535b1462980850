import t from 'tap'
import { decodeTimestamp, encodeTimestamp, readTimestamp } from '../../lib/flask/timestamp.ts'
import { MAX_SECONDS } from '../../lib/format/record.ts'
import { VECTORS } from './vectors.ts'

t.test('a time is as short as itsdangerous writes it', (t) => {
  for (const seconds of [1, 255, 256, 65_536, 1_795_176_000, 2 ** 32, MAX_SECONDS]) {
    t.equal(decodeTimestamp(encodeTimestamp(seconds)), seconds)
  }
  t.equal(encodeTimestamp(1), 'AQ')
  t.equal(encodeTimestamp(1_795_176_000), 'awA2QA')
  for (const text of ['', 'AAE', 'AR', 'AQ=', 'a wA', '////////', encodeTimestamp(MAX_SECONDS + 1), '_____-8']) {
    t.ok(Number.isNaN(decodeTimestamp(text)), text)
  }
  t.end()
})

t.test('the time of a cookie is read where it stands', (t) => {
  for (const { cookie, signed_at: signedAt = VECTORS.signedAt } of VECTORS.valid) {
    t.equal(readTimestamp(cookie), signedAt)
    t.equal(readTimestamp(`a.b.c=1.2; session=${cookie}; b=x.y.z`, 20), signedAt)
  }
  for (const text of ['', '.', '..', '...', 'a', 'a.AQ', '.AQ.mac', 'a.AQ', 'a..mac', 'a.A.mac']) {
    t.ok(Number.isNaN(readTimestamp(text)), text)
    t.ok(Number.isNaN(readTimestamp(`a.AQ.m; b=${text}`, 10)), text)
  }
  t.end()
})
