import { Authenticator, Strategy } from '@fastify/passport'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Test } from 'tap'
import t from 'tap'
import type { Client } from '../../../lib/testing/create-client.ts'
import { createClient } from '../../../lib/testing/create-client.ts'
import type { LooseOptions } from '../../helpers/app.ts'
import { createApp, MODES } from '../../helpers/app.ts'

interface Account {
  id: number
  from: string
}

/** Believes the header of its name. */
class HeaderStrategy extends Strategy {
  override authenticate(request: FastifyRequest): void {
    const id = request.headers[this.name]
    if (id === undefined) this.fail(`No ${this.name}`, 401)
    else this.success({ id: Number(id), from: this.name })
  }
}

interface Opened {
  app: FastifyInstance
  passport: InstanceType<typeof Authenticator>
  visitor: Client
  login(strategy: string, id: number, url?: string): Promise<{ statusCode: number; body: string }>
  stored(): Promise<object>
}

/** Passport with two strategies, `token` and `badge`, that believe headers. */
async function open(
  t: Test,
  options: LooseOptions,
  settings: ConstructorParameters<typeof Authenticator>[0] = {}
): Promise<Opened> {
  const { app } = await createApp(options)
  t.teardown(() => app.close())
  const passport = new Authenticator(settings)
  for (const name of ['token', 'badge']) passport.use(new HeaderStrategy(name))
  await app.register(passport.initialize())
  await app.register(passport.secureSession())
  app.get('/stored', async ({ session }) => session)
  const visitor = await createClient(app)
  return {
    app,
    passport,
    visitor,
    login: (strategy, id, url = '/login') => visitor.get(url, { headers: { [strategy]: String(id) } }),
    stored: async () => (await visitor.get('/stored')).json()
  }
}

function keepIds(passport: Opened['passport']): void {
  passport.registerUserSerializer(async ({ id }: Account) => id)
  passport.registerUserDeserializer(async (id: number) => ({ id, from: 'session' }))
}

for (const { mode, options } of MODES) {
  t.test(`the first of several strategies that succeeds logs in, with ${mode} sessions`, async (t) => {
    const { app, passport, visitor, login } = await open(t, options)
    keepIds(passport)
    const route = { preValidation: passport.authenticate(['token', 'badge']) }
    app.get('/login', route, async ({ user }) => user)
    app.get('/me', async ({ user }) => user ?? {})
    const refused = await visitor.get('/login')
    t.equal(refused.statusCode, 401)
    t.same(refused.headers['www-authenticate'], ['No token', 'No badge'])
    t.equal(visitor.jar.header(), '', 'a refusal begins no session')
    t.same(JSON.parse((await login('badge', 7)).body), { id: 7, from: 'badge' })
    t.same((await visitor.get('/me')).json(), { id: 7, from: 'session' })
  })

  t.test(`a user whose id is 0 stays logged in, with ${mode} sessions`, async (t) => {
    const { app, passport, visitor, login, stored } = await open(t, options)
    keepIds(passport)
    app.get('/login', { preValidation: passport.authenticate('token') }, async () => 'in')
    app.get('/me', async ({ user }) => user ?? {})
    await login('token', 0)
    t.same(await stored(), { passport: 0 })
    t.same((await visitor.get('/me')).json(), { id: 0, from: 'session' })
  })

  t.test(`session: false identifies one request, and begins no ${mode} session`, async (t) => {
    const { app, passport, visitor, login } = await open(t, options)
    keepIds(passport)
    app.get('/login', { preValidation: passport.authenticate('token', { session: false }) }, async ({ user }) => user)
    t.same(JSON.parse((await login('token', 7)).body), { id: 7, from: 'token' })
    t.equal(visitor.jar.header(), '')
  })

  t.test(`assignProperty connects an account, and changes nobody's ${mode} session`, async (t) => {
    const { app, passport, visitor, login, stored } = await open(t, options)
    keepIds(passport)
    app.get('/login', { preValidation: passport.authenticate('token') }, async () => 'in')
    const connect = passport.authorize('badge', { assignProperty: 'account' })
    app.get('/connect', { preValidation: connect }, async (request) => [request.user, Reflect.get(request, 'account')])
    await login('token', 7)
    const before = visitor.jar.header()
    const { body } = await login('badge', 8, '/connect')
    t.same(JSON.parse(body), [
      { id: 7, from: 'session' },
      { id: 8, from: 'badge' }
    ])
    t.same(await stored(), { passport: 7 })
    t.equal(visitor.jar.header(), before)
  })

  t.test(`another key and another property are passport's, in ${mode} sessions`, async (t) => {
    const { app, passport, visitor, login, stored } = await open(t, options, { key: 'staff', userProperty: 'member' })
    keepIds(passport)
    app.get('/login', { preValidation: passport.authenticate('token') }, async () => 'in')
    app.get('/me', async (request) => ({ member: Reflect.get(request, 'member') }))
    await login('token', 7)
    t.same(await stored(), { staff: 7 })
    t.same((await visitor.get('/me')).json(), { member: { id: 7, from: 'session' } })
  })

  t.test(`serializers may pass: what the first one gives is kept in ${mode} sessions`, async (t) => {
    const { app, passport, visitor, login, stored } = await open(t, options)
    passport.registerUserSerializer(async ({ id, from }: Account) => {
      if (from !== 'badge') throw 'pass'
      return { badge: id }
    })
    passport.registerUserSerializer(async ({ id }: Account) => ({ token: id }))
    passport.registerUserDeserializer(async (kept: object) => {
      if (!('badge' in kept)) throw 'pass'
      return kept
    })
    passport.registerUserDeserializer(async (kept: object) => ({ ...kept, late: true }))
    app.get('/login', { preValidation: passport.authenticate(['token', 'badge']) }, async () => 'in')
    app.get('/me', async ({ user }) => user ?? {})
    await login('badge', 7)
    t.same(await stored(), { passport: { badge: 7 } })
    t.same((await visitor.get('/me')).json(), { badge: 7 })
    await login('token', 8)
    t.same(await stored(), { passport: { token: 8 } })
    t.same((await visitor.get('/me')).json(), { token: 8, late: true })
  })
}
