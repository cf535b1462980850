import { createRequire } from 'node:module'
import t from 'tap'
import * as index from '../../lib/adopt/index.ts'

const NAMES = [
  ...['cachelibFiles', 'cookieSession', 'expressSession', 'fastifySession', 'flask', 'flaskSession', 'ironSession'],
  'secureSession'
]

t.test('these names are public, and no others', async (t) => {
  t.same(Object.keys(index).sort(), NAMES)
})

t.test('the built package gives the same to import and to require', async (t) => {
  const require = createRequire(import.meta.url)
  const name = 'fastify-typed-session/adopt'
  t.same(Object.keys(await import(name)).sort(), NAMES)
  t.same(
    Object.keys(require(name))
      .filter((key) => key !== '__esModule')
      .sort(),
    NAMES
  )
})
