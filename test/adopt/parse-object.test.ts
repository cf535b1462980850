import t from 'tap'
import { parseObject } from '../../lib/adopt/parse-object.ts'

t.test('only an object is one', async (t) => {
  t.same(parseObject('{"a":1}'), { a: 1 })
  for (const json of ['', '[]', '1', 'null', '"a"', '{', 'undefined']) t.equal(parseObject(json), undefined, json)
})
