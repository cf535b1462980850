import fastify from 'fastify'
import t from 'tap'
import { session } from '../../lib/index.ts'
import { getSession } from '../../lib/request/get-session.ts'
import { createApp, SECRET } from '../helpers/app.ts'

t.test('it is the object that request.session is', async (t) => {
  const { app } = await createApp()
  await app.register(session, { secret: SECRET, decorator: 'admin', cookieName: 'admin' })
  app.get('/', async (request) => {
    t.equal(getSession(request), request.session)
    t.not(getSession(request, 'admin'), request.session)
    return ''
  })
  t.equal((await app.inject('/')).statusCode, 200)
})

t.test('a request without a session is refused, with the name that was asked for', async (t) => {
  const app = fastify()
  app.decorateRequest('other', null)
  app.get('/', async (request) => {
    t.throws(() => getSession(request), { code: 'ERR_SESSION_NOT_REGISTERED', message: /named 'session'/ })
    t.throws(() => getSession(request, 'other'), { code: 'ERR_SESSION_NOT_REGISTERED', message: /decorator: 'other'/ })
    return ''
  })
  t.equal((await app.inject('/')).statusCode, 200)
})
