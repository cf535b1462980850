import cookie from '@fastify/cookie'
import fastify from 'fastify'
import t from 'tap'
import { cookieSerializer } from '../../lib/cookie/serializer.ts'

t.test('it is the one of the application where that has registered @fastify/cookie', async (t) => {
  const app = fastify()
  await app.register(cookie)
  t.equal(await cookieSerializer(app), app.serializeCookie)
})

t.test('it comes without a trace where the application has not, which may register the plugin later', async (t) => {
  const app = fastify()
  const serialize = await cookieSerializer(app)
  t.equal(serialize('a', 'b c', { path: '/', httpOnly: true }), 'a=b%20c; Path=/; HttpOnly')
  t.equal(app.serializeCookie, undefined)
  await app.register(cookie)
  t.type(app.serializeCookie, 'function')
})
