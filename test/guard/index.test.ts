import t from 'tap'
import { loginRequired, requireSession, safeNext } from '../../lib/guard/index.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { createApp, MODES } from '../helpers/app.ts'

const BROWSER = { 'sec-fetch-mode': 'navigate' }

t.test('these are the guards of request.session', async (t) => {
  for (const { mode, options } of MODES) {
    const { app } = await createApp(options)
    const login = loginRequired({ key: 'userId', redirectTo: '/login' })
    app.get(
      '/me',
      login.handle(async ({ session }) => session.userId.toFixed(1))
    )
    app.get(
      '/cart',
      requireSession('cart').handle(async ({ session }) => Object.keys(session.cart))
    )
    app.get('/login', async (request) => {
      request.session.userId = 7
      return safeNext(request, '/start')
    })
    const visitor = await createClient(app)
    const refused = await visitor.inject({ method: 'GET', url: '/me?a=b', headers: BROWSER })
    const { location = '' } = refused.headers
    t.equal(location.split('?')[0], '/login', mode)
    t.equal((await visitor.get(location)).body, '/me?a=b', mode)
    t.equal((await visitor.get('/me')).body, '7.0', mode)
    t.equal((await visitor.get('/cart')).statusCode, 401, mode)
    t.equal((await visitor.get('/login')).body, '/start', mode)
  }
})
