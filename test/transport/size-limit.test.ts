import t from 'tap'
import { assertFits, JSON_SCALE, mayExceed } from '../../lib/transport/size-limit.ts'

const within = (maxBytes: number) => ({ maxBytes, scale: JSON_SCALE })
const jsonOf = (letters: number, letter = 'x'): string => JSON.stringify({ a: letter.repeat(letters) })

t.test('as many bytes as the limit fit, and one more does not', async (t) => {
  const refused = {
    code: 'ERR_SESSION_TOO_LARGE',
    message: /^The session would have 21 bytes .* allows 20\./,
    cause: { message: /^Largest keys: a/ }
  }
  t.doesNotThrow(() => assertFits(jsonOf(12), '', within(20)))
  t.throws(() => assertFits(jsonOf(13), '', within(20)), refused)
  t.throws(() => assertFits(jsonOf(7, 'ü'), '', within(20)), { code: 'ERR_SESSION_TOO_LARGE' }, 'bytes, not characters')
  t.doesNotThrow(() => assertFits(jsonOf(13), jsonOf(14), within(20)), 'what was too large may shrink')
  t.doesNotThrow(() => assertFits('{}', '', within(20)), 'told without counting')
})

t.test('another scale counts in its own way', async (t) => {
  const scale = { maxBytesPerUnit: 10, bytesOf: (json: string) => json.length * 10 }
  t.doesNotThrow(() => assertFits(jsonOf(2), '', { maxBytes: 100, scale }))
  t.throws(() => assertFits(jsonOf(3), '', { maxBytes: 100, scale }), { code: 'ERR_SESSION_TOO_LARGE' })
  t.doesNotThrow(() => assertFits(jsonOf(3), jsonOf(4), { maxBytes: 100, scale }))
  t.equal(mayExceed(jsonOf(2), {}, { maxBytes: 100, scale }), false)
  t.equal(mayExceed(jsonOf(3), {}, { maxBytes: 100, scale }), true)
})

t.test('the upper bound is never too low', async (t) => {
  for (const [json, set] of [
    [jsonOf(7), {}],
    [jsonOf(1), { b: '"xxxxxx"' }],
    ['{}', { ['"'.repeat(6)]: '1' }],
    [jsonOf(4, '€'), {}]
  ] as const) {
    const after = JSON.stringify({
      ...JSON.parse(json),
      ...Object.fromEntries(Object.keys(set).map((key) => [key, JSON.parse(set[key as never])]))
    })
    t.equal(mayExceed(json, set, within(Buffer.byteLength(after) - 1)), true, after)
  }
  t.equal(mayExceed(jsonOf(7), { b: '1' }, within(1000)), false)
})
