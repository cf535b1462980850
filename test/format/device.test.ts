import t from 'tap'
import {
  isBound,
  isOffered,
  readBinding,
  readNotedProof,
  readOffer,
  withBinding,
  withDeviceChange,
  withDeviceOf,
  withNotedProof,
  withOffer,
  withoutDevice
} from '../../lib/format/device.ts'
import { refuseExtensions } from '../../lib/format/extensions.ts'

const POINT = `E${'A'.repeat(86)}`
const MODULUS = `R${'_'.repeat(342)}`
const AT = 1_763_640_000

t.test('a binding is read as it was written, and ends an offer', async (t) => {
  for (const key of [POINT, MODULUS, `R${'-'.repeat(683)}`]) {
    const extensions = withBinding(':d1763640000:v3:z', { boundAt: AT, key })
    t.equal(extensions, `:D1763640000${key}:v3:z`)
    t.equal(refuseExtensions(extensions), undefined)
    t.same(readBinding(extensions), { boundAt: AT, key })
    t.ok(isBound(extensions))
  }
  t.equal(refuseExtensions(`:D1763640000${POINT}:p1763640001:v1`), undefined)
})

t.test('a session without extensions, or with others, is not bound', async (t) => {
  for (const extensions of [undefined, '', ':v1', ':d1763640000', ':p1763640000']) {
    t.notOk(isBound(extensions))
    t.equal(readBinding(extensions), undefined)
  }
})

t.test('any other spelling is malformed', async (t) => {
  for (const extensions of [
    ':D',
    ':D1763640000',
    `:D176364000${POINT}`,
    `:D1763640000${POINT}A`,
    `:D1763640000${POINT.slice(1)}`,
    `:D1763640000R${'_'.repeat(341)}`,
    `:D1763640000R${'_'.repeat(684)}`,
    `:D1763640000X${'A'.repeat(86)}`,
    ':d',
    ':d1',
    ':p17636400000'
  ]) {
    t.equal(refuseExtensions(extensions), 'malformed', extensions)
  }
})

t.test('an offer and a noted proof are read as they were written', async (t) => {
  t.equal(withOffer(':v1', AT), ':d1763640000:v1')
  t.equal(withOffer(':d1763640000', 7), ':d0000000007')
  t.equal(readOffer(':d1763640000:v1'), AT)
  t.equal(readOffer(':a1:d1763640000:v1'), AT, 'behind one of another version')
  t.equal(readOffer(undefined), undefined)
  t.ok(isOffered(':d1763640000:v1'))
  for (const extensions of [undefined, '', ':v1', `:D1763640000${POINT}`]) t.notOk(isOffered(extensions))
  t.equal(withNotedProof(`:D1763640000${POINT}`, AT), `:D1763640000${POINT}:p1763640000`)
  t.equal(readNotedProof(`:D1763640000${POINT}:p1763640009`), 1_763_640_009)
  t.equal(readNotedProof(`:D1763640000${POINT}`), undefined)
})

t.test('what says nothing of a device stays', async (t) => {
  const bound = `:D1763640000${POINT}:p1763640000:v3`
  t.equal(withoutDevice(bound), ':v3')
  t.equal(withoutDevice(':d1763640000'), undefined)
  t.equal(withoutDevice(undefined), undefined)
  t.equal(withDeviceOf(':v4', bound), `:D1763640000${POINT}:p1763640000:v4`)
  t.equal(withDeviceOf(':d1763640000:v4', ':v3'), ':v4')
})

t.test('only what a request has changed goes into what is there now', async (t) => {
  const bound = `:D1763640000${POINT}`
  const change = (latest: string | undefined, before: string | undefined, after: string | undefined) =>
    withDeviceChange(latest, { extensions: before }, { extensions: after })
  t.equal(change(bound, ':v1', ':v2'), bound, 'nothing')
  t.equal(change(`${bound}:v3`, bound, ':v1'), ':v3', 'the binding has ended')
  t.equal(change(':v3', undefined, bound), `${bound}:v3`, 'it is bound')
})
