import { createRequire } from 'node:module'
import t from 'tap'
import * as index from '../../lib/login/index.ts'

t.test('these names are public, and no others', async (t) => {
  t.same(Object.keys(index).sort(), ['default', 'getLogin', 'getLoginGuards', 'login'])
  t.equal(index.default, index.login)
})

t.test('the built package gives the same to import and to require', async (t) => {
  const require = createRequire(import.meta.url)
  const name = 'fastify-typed-session/login'
  t.same(Object.keys(await import(name)).sort(), Object.keys(index).sort())
  t.same(
    Object.keys(require(name))
      .filter((key) => key !== '__esModule')
      .sort(),
    Object.keys(index).sort()
  )
})
