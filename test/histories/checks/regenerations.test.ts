import t from 'tap'
import { mayDrop } from '../../../histories/checks/regenerations.ts'
import { change, entry, FAILED, GONE, got, history, increment, write } from '../../helpers/histories.ts'

const { bounds } = history([])

t.test(
  'regenerate() may drop every write that overlaps it, another change of id only an unconfirmed one',
  async (t) => {
    const regenerated = mayDrop([entry(20, 30, change('k1', { how: 'regenerate' }), got('k2'))], bounds)
    t.ok(regenerated(entry(25, 40, increment(1))))
    t.ok(regenerated(entry(0, 20, write(1))))
    t.notOk(regenerated(entry(0, 19, write(1))))
    t.notOk(regenerated(entry(31, 40, write(1))))
    const renewed = mayDrop([entry(20, 30, change(), got('k2'))], bounds)
    t.notOk(renewed(entry(25, 40, write(1))))
    t.ok(renewed(entry(25, 40, write(1, { commits: false }))))
  }
)

t.test(
  'a change of id that failed may take effect until its time is over, one that was refused does nothing',
  async (t) => {
    const failed = mayDrop([entry(20, 30, change('k1', { how: 'regenerate' }), FAILED)], bounds)
    t.ok(failed(entry(50, 60, write(1))))
    t.notOk(failed(entry(51, 60, write(1))))
    const refused = mayDrop([entry(20, 30, change('k1', { how: 'regenerate' }), GONE)], bounds)
    t.notOk(refused(entry(25, 40, write(1))))
  }
)
