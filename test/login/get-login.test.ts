import t from 'tap'
import { getLogin, getLoginGuards } from '../../lib/login/get-login.ts'
import { createApp } from '../helpers/app.ts'
import { createTwoKitsApp, Member, ROOT } from '../helpers/login-app.ts'

t.test('each kit is found by its name', async (t) => {
  const { app } = await createTwoKitsApp()
  app.get('/both', async (request) => {
    t.not(getLogin(request, 'adminUser'), getLogin(request, 'user'))
    await getLogin(request, 'user').loadUser()
    await getLogin(request, 'adminUser').loadUser()
    return { user: getLogin(request, 'user').user?.name, admin: getLogin(request, 'adminUser').user?.email }
  })
  const both = new Member(app)
  await both.login(2)
  await both.submit('/admin/login', { id: 1 })
  t.same((await both.get('/both')).json(), { user: 'Ben', admin: ROOT.email })
  t.equal(getLoginGuards(app, 'user').loginRequired, app.loginRequired)
  t.not(getLoginGuards(app, 'adminUser').loginRequired, app.loginRequired)
})

t.test('a kit that is not there is an error that says how to register it', async (t) => {
  const { app } = await createApp()
  app.get('/user', async (request) => getLogin(request, 'user'))
  app.get('/admin', async (request) => getLogin(request, 'adminUser'))
  const code = 'ERR_SESSION_NOT_REGISTERED'
  t.match((await app.inject('/user')).json(), {
    code,
    message: /^This request has no login kit named 'user'.*above it\.$/
  })
  t.match((await app.inject('/admin')).json(), { code, message: /above it, with userDecorator: 'adminUser'\.$/ })
  t.throws(() => getLoginGuards(app, 'adminUser'), { code, message: /^This application has no login kit/ })
  for (const nothing of [{}, null, undefined]) {
    t.throws(() => getLogin((nothing ?? {}) as never, 'user'), { code })
    t.throws(() => getLoginGuards(nothing as never, 'user'), { code })
  }
})
