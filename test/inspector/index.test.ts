import t from 'tap'
import * as index from '../../lib/inspector/index.ts'

t.test('these names are public, and no others', async (t) => {
  t.same(Object.keys(index).sort(), ['default', 'inspectSession', 'inspector'])
  t.equal(index.default, index.inspector)
})

t.test('the built package gives the same', async (t) => {
  t.same(Object.keys(await import('fastify-typed-session/inspector')).sort(), Object.keys(index).sort())
})
