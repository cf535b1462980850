import fastify from 'fastify'
import t from 'tap'
import { session } from '../../lib/index.ts'
import { login } from '../../lib/login/login.ts'
import { loginContext, loginSettings } from '../../lib/login/login-context.ts'
import { SECRET } from '../helpers/app.ts'

t.test('a scope finds the login kit that was registered in it or above it', async (t) => {
  const app = fastify()
  await app.register(session, { secret: SECRET })
  t.equal(loginSettings(app, 'session'), undefined)
  await app.register(login, { loadUser: () => null, loginPath: '/login' })
  t.equal(loginSettings(app, 'session')?.loginPath, '/login')
  t.equal(loginSettings(app, 'adminSession'), undefined)
  await app.register(async (scope) => {
    t.equal(loginSettings(scope, 'session'), loginSettings(app, 'session'))
  })
  t.equal(loginContext(app, 'user')?.settings, loginSettings(app, 'session'))
  t.equal(loginContext(app, 'session'), undefined, 'the name of its session is not its own')
  t.equal(loginSettings(app, 'user'), undefined)
  for (const nothing of [{}, undefined, null, 1]) t.equal(loginSettings(nothing, 'session'), undefined)
})
