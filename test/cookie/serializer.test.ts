import cookie from '@fastify/cookie'
import fastify from 'fastify'
import t from 'tap'
import { cookieSerializer } from '../../lib/cookie/serializer.ts'

t.test('the serializer is that of the application if it has registered @fastify/cookie', async (t) => {
  const app = fastify()
  await app.register(cookie)
  t.equal(await cookieSerializer(app), app.serializeCookie)
})

t.test('otherwise the serializer leaves no trace, and the application may register the plugin later', async (t) => {
  const app = fastify()
  const serialize = await cookieSerializer(app)
  t.equal(serialize('a', 'b c', { path: '/', httpOnly: true }), 'a=b%20c; Path=/; HttpOnly')
  t.equal(app.serializeCookie, undefined)
  await app.register(cookie)
  t.type(app.serializeCookie, 'function')
})
