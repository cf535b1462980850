import t from 'tap'
import * as all from '../../lib/device-bound/index.ts'

t.test('the names of the subpath', async (t) => {
  t.same(Object.keys(all).sort(), ['default', 'deviceBound', 'deviceRequired'])
  t.equal(all.default, all.deviceBound)
})
