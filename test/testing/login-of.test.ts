import fastify from 'fastify'
import t from 'tap'
import { session } from '../../lib/index.ts'
import { login } from '../../lib/login/login.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { loginOf } from '../../lib/testing/login-of.ts'
import type { LoginOptions } from '../../types/login.ts'
import { createApp, MODES, SECRET } from '../helpers/app.ts'

const ADA = { id: 7, name: 'Ada', roles: [], password: 'hash' }

const OPTIONS: LoginOptions = {
  loadUser: (id) => (id === '7' ? ADA : null),
  authHash: (user) => (user as typeof ADA).password
}

for (const { mode, options } of MODES) {
  t.test(`a client with the option user has a fresh login in ${mode} sessions`, async (t) => {
    for (const protection of ['strong', false] as const) {
      const { app, clock } = await createApp(options)
      await app.register(login, { ...OPTIONS, protection })
      app.get(
        '/',
        app.freshLoginRequired({ within: 60 }).handle(async ({ user, session }) => ({ user, visits: session.visits }))
      )
      const ada = await createClient(app, { user: ADA, data: { visits: 3 } })
      t.same((await ada.get('/')).json(), { user: ADA, visits: 3 })
      t.match(await ada.session(), { ownerId: '7' })
      clock.advance(61)
      t.equal((await ada.get('/')).json().code, 'ERR_SESSION_NOT_FRESH')
      t.equal((await (await createClient(app)).get('/')).statusCode, 401)
    }
  })
}

t.test('a session with another decorator has a login kit of its own', async (t) => {
  const app = fastify()
  await app.register(session, { secret: SECRET, decorator: 'admin', cookieName: 'admin' })
  await app.register(login, { ...OPTIONS, decorator: 'admin' })
  app.get('/', async (request) => request.loadUser())
  t.same((await (await createClient(app, { user: ADA, decorator: 'admin' })).get('/')).json(), ADA)
})

t.test('the option user is refused without the login kit', async (t) => {
  const { app } = await createApp()
  t.throws(() => loginOf(app, ADA), { code: 'ERR_SESSION_NOT_REGISTERED', message: /fastify-typed-session\/login/ })
  await t.rejects(createClient(app, { user: ADA }), { code: 'ERR_SESSION_NOT_REGISTERED' })
})
