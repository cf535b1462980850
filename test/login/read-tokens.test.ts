import t from 'tap'
import { requireSession } from '../../lib/index.ts'
import { login } from '../../lib/login/login.ts'
import { createApp } from '../helpers/app.ts'
import { ANA, createKitApp } from '../helpers/login-app.ts'
import { bearer, createTokens } from '../helpers/tokens.ts'

t.test('a reply depends on the Authorization header if the kit was asked for the user', async (t) => {
  const { app } = await createKitApp({}, { authenticate: createTokens().authenticate })
  const varyOf = async (url: string, headers = {}): Promise<unknown> =>
    (await app.inject({ url, headers })).headers.vary
  t.equal(await varyOf('/public', bearer('ana')), undefined)
  t.equal(await varyOf('/who', bearer('ana')), 'Authorization')
  t.equal(await varyOf('/who'), 'Cookie, Authorization')
  t.match((await app.inject('/me')).headers, { 'www-authenticate': 'Bearer', vary: /Authorization/ })
  const { app: plain } = await createKitApp()
  t.equal((await plain.inject('/who')).headers.vary, 'Cookie')
})

t.test('guards that run before the kit ask for no token', async (t) => {
  const { app } = await createApp()
  const { asked, authenticate } = createTokens()
  app.addHook('onRequest', requireSession('userId'))
  await app.register(login, { loadUser: () => ANA, authenticate })
  app.get('/', async () => '')
  t.equal((await app.inject({ url: '/', headers: bearer('ana') })).statusCode, 401)
  t.same(asked, [])
})

t.test('a guard hears what the header says, and answers with the challenge', async (t) => {
  const { app } = await createKitApp({}, { authenticate: createTokens().authenticate, challenge: 'Bearer realm="x"' })
  t.equal((await app.inject({ url: '/me', headers: bearer('ana') })).body, 'Ana')
  const refused = await app.inject({ url: '/me', headers: bearer('stolen') })
  t.equal(refused.headers['www-authenticate'], 'Bearer realm="x", error="invalid_token"')
})
