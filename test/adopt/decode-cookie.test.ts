import t from 'tap'
import { decodeCookie } from '../../lib/adopt/decode-cookie.ts'

const CASES: readonly (readonly [raw: string, value: string])[] = [
  ['abc', 'abc'],
  ['"abc"', 'abc'],
  ['"', '"'],
  ['""', ''],
  ['"abc', '"abc'],
  ['s%3Aab%2Fc', 's:ab/c'],
  ['"a%20b"', 'a b'],
  ['100%', '100%'],
  ['%ff', '%ff'],
  ['', '']
]

t.test('quotes and escapes', async (t) => {
  for (const [raw, value] of CASES) t.equal(decodeCookie(raw), value, JSON.stringify(raw))
})
