import t from 'tap'
import { reasonOf } from '../../lib/cli/reason-of.ts'

t.test('the reason of a failure is its message, or else its code', async (t) => {
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  t.equal(reasonOf(refused), 'connect ECONNREFUSED')
  const several = Object.assign(new AggregateError([refused, refused]), { code: 'ECONNREFUSED' })
  t.equal(reasonOf(several), 'ECONNREFUSED')
})
