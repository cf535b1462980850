import t from 'tap'
import type { Query } from '../../../lib/stores/postgres/driver.ts'
import { inOrder } from '../../../lib/stores/postgres/driver.ts'

t.test('statements run one after the other, and the last has the result', async (t) => {
  const log: string[] = []
  const query: Query = async (text, values) => {
    log.push(`${text} begins`)
    await null
    log.push(`${text} ends`)
    return { rows: [values], rowCount: 1 }
  }
  const result = await inOrder(query, [
    { text: 'first', values: [1] },
    { text: 'second', values: [2] }
  ])
  t.same(log, ['first begins', 'first ends', 'second begins', 'second ends'])
  t.same(result, { rows: [[2]], rowCount: 1 })
})
