import t from 'tap'
import * as index from '../../lib/flask/index.ts'

t.test('these names are public, and no others', async (t) => {
  t.same(Object.keys(index).sort(), ['flaskCookie', 'tag', 'untag'])
})

t.test('the built package gives the same', async (t) => {
  t.same(Object.keys(await import('fastify-typed-session/flask')).sort(), Object.keys(index).sort())
})
