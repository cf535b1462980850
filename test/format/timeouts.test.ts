import t from 'tap'
import { isBound, isOffered, readOffer, withBinding, withOffer } from '../../lib/format/device.ts'
import { readSchemaStamp, refuseExtensions } from '../../lib/format/extensions.ts'
import { headEndOf } from '../../lib/format/record.ts'
import {
  haveSameTimeouts,
  mayHaveTimeouts,
  readTimeout,
  withTimeout,
  withTimeoutsChange,
  withTimeoutsOf
} from '../../lib/format/timeouts.ts'

const KEY = `E${'A'.repeat(86)}`

t.test('a timeout is read as it was written, and taken back', async (t) => {
  const idle = withTimeout(':v3', 'idleTimeout', 300)
  t.equal(idle, ':I300:v3')
  const both = withTimeout(idle, 'absoluteTimeout', 2_147_483_647)
  t.equal(both, ':I300:L2147483647:v3')
  t.equal(refuseExtensions(both), undefined)
  t.equal(readTimeout(both, 'idleTimeout'), 300)
  t.equal(readTimeout(both, 'absoluteTimeout'), 2_147_483_647)
  t.equal(readTimeout(withTimeout(both, 'idleTimeout', 60), 'idleTimeout'), 60)
  t.equal(withTimeout(withTimeout(both, 'idleTimeout', undefined), 'absoluteTimeout', undefined), ':v3')
  t.equal(withTimeout(undefined, 'idleTimeout', undefined), undefined)
})

t.test('most sessions have none, which their first letter tells', async (t) => {
  for (const extensions of [undefined, '', ':v1', ':d1763640000:v1', ':lL1', ':i1']) {
    t.notOk(mayHaveTimeouts(extensions), String(extensions))
    t.equal(readTimeout(extensions, 'idleTimeout'), undefined)
    t.equal(readTimeout(extensions, 'absoluteTimeout'), undefined)
    t.equal(headEndOf(extensions), '.')
  }
  t.equal(headEndOf(':L300'), '.')
  t.equal(headEndOf(':I300'), '~')
})

t.test('a timeout has one spelling', async (t) => {
  for (const extensions of [':I', ':I0', ':I01', ':I-1', ':I1.5', ':I12345678901', ':L', ':L0', ':L1:I1', ':I1:I1']) {
    t.equal(refuseExtensions(extensions), 'malformed', extensions)
  }
  for (const extensions of [':I1', ':L1', ':I9999999999:L9999999999', ':I1:d1763640000:v1']) {
    t.equal(refuseExtensions(extensions), undefined, extensions)
  }
})

t.test('timeouts go with everything else that a session says', async (t) => {
  const offered = withOffer(':I300:v1', 1_763_640_000)
  t.equal(offered, ':I300:d1763640000:v1')
  t.ok(isOffered(offered))
  t.equal(readOffer(offered), 1_763_640_000)
  const bound = withBinding(offered, { boundAt: 1_763_640_000, key: KEY })
  t.equal(bound, `:D1763640000${KEY}:I300:v1`)
  t.equal(refuseExtensions(bound), undefined)
  t.ok(isBound(bound))
  t.equal(readTimeout(bound, 'idleTimeout'), 300)
  t.match(readSchemaStamp(bound), { version: 1 })
})

t.test('sessions with the same timeouts, whatever else they say', async (t) => {
  t.ok(haveSameTimeouts(undefined, ':v1'))
  t.ok(haveSameTimeouts(':I1:L2', ':I1:L2:v1'))
  t.notOk(haveSameTimeouts(':I1', undefined))
  t.notOk(haveSameTimeouts(':L1', ':L2'))
})

t.test('the timeouts of another session take the place of all', async (t) => {
  t.equal(withTimeoutsOf(':I1:L2:v1', ':L3:v2'), ':L3:v1')
  t.equal(withTimeoutsOf(':I1', undefined), undefined)
})

t.test('what a request has changed goes into what others have made of the session', async (t) => {
  const change = (latest: string | undefined, before: string | undefined, after: string | undefined) =>
    withTimeoutsChange(latest, { extensions: before }, { extensions: after })
  t.equal(change(':L9:v2', undefined, ':I1'), ':I1:L9:v2')
  t.equal(change(':I5:L9', ':I5', undefined), ':L9', 'taken back')
  t.equal(change(':I5:L9', ':I1', ':I1:v1'), ':I5:L9', 'left alone')
})
