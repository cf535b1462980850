import fastifyCookie from '@fastify/cookie'
import fastify from 'fastify'
import t from 'tap'
import { resolveAttributes } from '../../lib/cookie/attributes.ts'
import { clearsCookie } from '../../lib/cookie/cleared-by-hand.ts'

const HOST = resolveAttributes('session', {})
const SITE = resolveAttributes('session', { domain: '.Shop.example', path: '/app' })

t.test('a line with the name, the place and no value clears the cookie', async (t) => {
  for (const line of [
    'session=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
    'session=; Max-Age=0; path=/',
    'session=;PATH=/;HttpOnly'
  ]) {
    t.equal(clearsCookie(line, 'session', HOST), true, line)
  }
  t.equal(clearsCookie('session=; Domain=shop.example; Path=/app', 'session', SITE), true)
})

t.test('any other line does not', async (t) => {
  for (const line of ['session=value; Path=/', 'other=; Path=/', 'xsession=; Path=/', 'session; Path=/', '']) {
    t.equal(clearsCookie(line, 'session', HOST), false, line)
  }
  for (const line of ['session=; Path=/app', 'session=; Path=/; Domain=shop.example', 'session=']) {
    t.equal(clearsCookie(line, 'session', HOST), false, `${line} is about another place`)
  }
  t.equal(clearsCookie('session=; Path=/app', 'session', SITE), false)
})

t.test('it is what reply.clearCookie() writes', async (t) => {
  const app = fastify()
  await app.register(fastifyCookie)
  app.get('/', async (_request, reply) => reply.clearCookie('session').send(''))
  const line = String((await app.inject('/')).headers['set-cookie'])
  t.equal(clearsCookie(line, 'session', HOST), true, line)
})
