import t from 'tap'
import { freezeData } from '../../lib/data/freeze.ts'

t.test('data are frozen at every depth', async (t) => {
  const data = { a: 1, b: null, list: [{ deep: [[]] }], text: 'x' }
  t.equal(freezeData(data), data)
  for (const value of [data, data.list, data.list[0], data.list[0]?.deep, data.list[0]?.deep[0]]) {
    t.ok(Object.isFrozen(value))
  }
  t.same(data, { a: 1, b: null, list: [{ deep: [[]] }], text: 'x' })
})

t.test('so are data that are nested deeper than the stack', async (t) => {
  const data = JSON.parse(`{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}`)
  freezeData(data)
  let depth = 0
  for (let value = data.a; value !== undefined; value = value[0]) depth += Object.isFrozen(value) ? 1 : 0
  t.equal(depth, 5_000)
})
