import type { FastifyInstance } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import { reserveCookieName } from '../../lib/cookie/reserve-name.ts'

const open = {
  code: 'ERR_SESSION_DUPLICATE',
  message: /^A session in a scope beside this one opens the same cookies: .* 'a' /
}
const taken = { code: 'ERR_SESSION_DUPLICATE', message: /^The cookie 'a' belongs to another session or login kit/ }

t.test('a cookie name is reserved once in a scope, its outer scopes and its inner scopes', async (t) => {
  for (const order of ['outer first', 'inner first']) {
    const app = fastify()
    if (order === 'outer first') reserveCookieName(app, 'a', [])
    await app.register(async (scope) => {
      if (order === 'inner first') reserveCookieName(scope, 'a', [])
      t.throws(() => reserveCookieName(scope, 'a', []), taken)
      reserveCookieName(scope, 'A', [])
    })
    t.throws(() => reserveCookieName(app, 'a', []), taken)
    reserveCookieName(app, 'b', [])
  }
})

t.test('sibling scopes and two applications may use the same cookie name', async (t) => {
  const app = fastify()
  const claim = async (scope: FastifyInstance): Promise<void> => reserveCookieName(scope, 'a', [])
  await app.register(claim)
  await app.register(claim)
  t.throws(() => reserveCookieName(app, 'a', []), taken)
  t.doesNotThrow(() => reserveCookieName(fastify(), 'a', []))
})

t.test('sibling scopes may not use one cookie name with one key', async (t) => {
  for (const [one, two, isFine] of [
    [['k'], ['k'], false],
    [['new', 'k'], ['k'], false],
    [['k'], ['new', 'k'], false],
    [['k', 'old'], ['l', 'old'], false],
    [['k'], ['l'], true],
    [['k'], [], true]
  ] as const) {
    const app = fastify()
    await app.register(async (scope) => reserveCookieName(scope, 'a', one))
    await app.register(async (scope) => {
      await scope.register(async (inner) => {
        if (isFine) t.doesNotThrow(() => reserveCookieName(inner, 'a', two))
        else t.throws(() => reserveCookieName(inner, 'a', two), open)
        t.doesNotThrow(() => reserveCookieName(inner, 'b', one))
      })
    })
    t.doesNotThrow(() => reserveCookieName(fastify(), 'a', two))
  }
})
