import type { FastifyInstance } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import { reserveCookieName } from '../../lib/cookie/reserve-name.ts'

const taken = { code: 'ERR_SESSION_DUPLICATE', message: /^The cookie 'a' belongs to another session or login kit/ }

t.test('a cookie name is reserved once in a scope, its outer scopes and its inner scopes', async (t) => {
  for (const order of ['outer first', 'inner first']) {
    const app = fastify()
    if (order === 'outer first') reserveCookieName(app, 'a')
    await app.register(async (scope) => {
      if (order === 'inner first') reserveCookieName(scope, 'a')
      t.throws(() => reserveCookieName(scope, 'a'), taken)
      reserveCookieName(scope, 'A')
    })
    t.throws(() => reserveCookieName(app, 'a'), taken)
    reserveCookieName(app, 'b')
  }
})

t.test('sibling scopes and two applications may use the same cookie name', async (t) => {
  const app = fastify()
  const claim = async (scope: FastifyInstance): Promise<void> => reserveCookieName(scope, 'a')
  await app.register(claim)
  await app.register(claim)
  t.throws(() => reserveCookieName(app, 'a'), taken)
  t.doesNotThrow(() => reserveCookieName(fastify(), 'a'))
})
