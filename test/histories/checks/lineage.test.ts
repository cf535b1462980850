import t from 'tap'
import { idsOf, successorsIn } from '../../../histories/checks/lineage.ts'
import { begin, change, entry, FAILED, GONE, got, OK, read } from '../../helpers/histories.ts'

t.test('the ids of a history are those that browsers have got', async (t) => {
  const entries = [
    entry(0, 10, begin(), got('k1')),
    entry(0, 10, begin('s2'), FAILED),
    entry(0, 10, begin('s3'), OK),
    entry(20, 30, change('k1'), got('k2')),
    entry(20, 30, change('k1'), GONE),
    entry(20, 30, change('k1'), OK),
    entry(40, 50, read('k2'), got('k2'))
  ]
  t.same(
    idsOf(entries).map(({ key, from }) => [key, from]),
    [
      ['k1', undefined],
      ['k2', 'k1']
    ]
  )
})

t.test('a login moves from key to key while it has its owner', async (t) => {
  const stranger = entry(0, 10, { kind: 'begin', session: 's', owner: undefined }, got('k0'))
  const changes = [change('k0', { how: 'login' }), change('k1'), change('k2')].map((operation, index) =>
    entry(20 * (index + 1), 20 * (index + 1) + 10, operation, got(`k${index + 1}`))
  )
  const successorsOf = successorsIn(idsOf([stranger, ...changes]))
  t.same([...successorsOf('k1')], ['k1', 'k2', 'k3'])
  t.same([...successorsOf('k0')], ['k0'])
})
