import type { FastifyRequest } from 'fastify'
import t from 'tap'
import type { Login } from '../../lib/login/index.ts'
import { getLogin } from '../../lib/login/index.ts'
import { RequestLogin } from '../../lib/login/request-login.ts'
import { ANA, createKitApp, createStoredKitApp, createTwoKitsApp, Member } from '../helpers/login-app.ts'

t.test('it has the members that the kit adds to a request', async (t) => {
  const { app, users } = await createStoredKitApp()
  const see = async (request: FastifyRequest): Promise<void> => {
    const own = getLogin(request, 'user')
    t.ok(own instanceof RequestLogin)
    t.equal(own, getLogin(request, 'user'))
    t.equal(RequestLogin.accountOf(own as RequestLogin).current.user, request.user)
    t.equal(own.user, request.user)
    t.equal(own.impersonator, request.impersonator)
    t.same(own.authenticatedAt, request.authenticatedAt)
  }
  app.post('/all', async (request) => {
    await see(request)
    const own = getLogin(request, 'user')
    const ana = users.get('1') as typeof ANA
    await own.login(ana, { fresh: false, remember: true })
    await see(request)
    t.equal(own.authenticatedAt, null)
    await own.confirmLogin()
    await see(request)
    t.type(own.authenticatedAt, Date)
    await own.rehashed(ana)
    await own.impersonate(users.get('2') as typeof ANA)
    await see(request)
    t.equal(own.impersonator, ana)
    await own.stopImpersonating()
    t.equal(await own.logoutOthers(), 0)
    t.equal(await own.loadUser(), ana)
    await own.logout()
    await see(request)
    return own.user
  })
  t.equal((await new Member(app).submit('/all')).body, 'null')
})

t.test('a callback is refused at once, by the name of what was called', async (t) => {
  const methods: readonly (keyof Login)[] = [
    'login',
    'logout',
    'loadUser',
    'confirmLogin',
    'logoutOthers',
    'impersonate',
    'stopImpersonating'
  ]
  const { app } = await createKitApp()
  app.get('/', async (request) => {
    const untyped = getLogin(request, 'user') as unknown as Record<string, (...values: unknown[]) => unknown>
    for (const method of methods) {
      const refused = {
        code: 'ERR_SESSION_VALUE',
        message: `request.${method}() returns a promise; it takes no callback`
      }
      for (const values of [
        [ANA, () => {}],
        [ANA, {}, () => {}]
      ]) {
        t.throws(() => untyped[method]?.(...values), {
          ...refused,
          message: new RegExp(`^request\\.${method}\\(\\) returns`)
        })
      }
    }
    return ''
  })
  await app.inject('/')
  const { app: two } = await createTwoKitsApp()
  two.get('/', async (request) => {
    const untyped = getLogin(request, 'adminUser') as unknown as { logout(done: () => void): unknown }
    t.throws(() => untyped.logout(() => {}), { message: /^getLogin\(request, 'adminUser'\)\.logout\(\) returns/ })
    return ''
  })
  await two.inject('/')
})
