import type { LightMyRequestResponse } from 'fastify'
import OAuth2Strategy from 'passport-oauth2'
import type { Test } from 'tap'
import t from 'tap'
import type { Client } from '../../../lib/testing/create-client.ts'
import { createClient } from '../../../lib/testing/create-client.ts'
import type { LooseOptions } from '../../helpers/app.ts'
import { createApp, MODES } from '../../helpers/app.ts'
import { AuthorizationServer, CLIENT } from '../../helpers/authorization-server.ts'
import { addPassport, SHOPPED } from './passport-app.ts'

type Verify = (
  accessToken: string,
  refreshToken: string,
  token: { name: string },
  profile: unknown,
  done: OAuth2Strategy.VerifyCallback
) => void

/** The user is who the token endpoint says. */
const verify: Verify = (_accessToken, _refreshToken, { name }, _profile, done) => done(null, { name })

const CALLBACK = 'http://shop.example/callback'

/** A shop whose visitors log in at a provider. */
async function createShop(t: Test, options: LooseOptions, { pkce = true, callbackURL = CALLBACK } = {}) {
  const provider = await AuthorizationServer.start()
  t.teardown(() => provider.stop())
  const made = await addPassport(await createApp(options))
  const { app, passport } = made
  const strategy = new OAuth2Strategy(
    {
      authorizationURL: `${provider.origin}/authorize`,
      tokenURL: `${provider.origin}/token`,
      clientID: CLIENT.id,
      clientSecret: CLIENT.secret,
      callbackURL,
      state: true,
      pkce
    },
    verify
  )
  passport.use(strategy)
  const handler = async () => t.fail('the handler ran')
  app.get('/start', { preValidation: passport.authenticate('oauth2') }, handler)
  const preValidation = passport.authenticate('oauth2', { successRedirect: '/me', keepSessionInfo: true })
  app.get('/callback', { preValidation }, handler)
  return { ...made, provider, visitor: await createClient(app) }
}

/** Sends a visitor to the provider. Gives where the provider sends them. */
async function askProvider(visitor: Client, provider: AuthorizationServer): Promise<URL> {
  const { headers } = await visitor.get('/start')
  return provider.visit(String(headers.location))
}

function comeBack(visitor: Client, { pathname, search }: URL): Promise<LightMyRequestResponse> {
  return visitor.get(pathname + search)
}

async function dataOf(visitor: Client): Promise<Record<string, unknown>> {
  return (await visitor.get('/session')).json().data
}

for (const { mode, options, isSelfContained } of MODES) {
  for (const pkce of [true, false]) {
    t.test(`passport-oauth2 with pkce: ${pkce} keeps its state in ${mode} sessions`, async (t) => {
      const { provider, visitor } = await createShop(t, options, { pkce })
      await visitor.get('/shop')
      const back = await askProvider(visitor, provider)
      const { 'oauth2:127.0.0.1': kept, ...data } = await dataOf(visitor)
      const state = back.searchParams.get('state')
      t.match(kept, { state: pkce ? { handle: state, code_verifier: /^[\w-]{43}$/ } : state })
      t.same(data, SHOPPED)

      const reply = await comeBack(visitor, back)
      t.equal(reply.statusCode, 302)
      t.equal(reply.headers.location, '/me')
      t.equal((await visitor.get('/me')).body, 'ada')
      t.same(await dataOf(visitor), { ...SHOPPED, passport: 'ada' }, 'and takes it out again')
    })
  }

  t.test(`a state in ${mode} sessions is good for one return`, async (t) => {
    const { provider, visitor } = await createShop(t, options)
    const back = await askProvider(visitor, provider)
    t.equal((await comeBack(visitor, back)).statusCode, 302)
    t.equal((await comeBack(visitor, back)).statusCode, 403)
    t.equal((await visitor.get('/me')).body, 'ada')
  })

  t.test(`a state that is not of these ${mode} sessions is refused`, async (t) => {
    const { app, provider, visitor } = await createShop(t, options)
    for (const state of ['forged', '']) {
      const back = await askProvider(visitor, provider)
      const forged = new URL(back)
      forged.searchParams.set('state', state)
      t.equal((await comeBack(visitor, forged)).statusCode, 403)
      t.equal((await comeBack(visitor, back)).statusCode, 403, 'and the attempt has used up the good one')
    }
    const back = await askProvider(visitor, provider)
    const [stranger, customer] = [await createClient(app), await createClient(app)]
    await askProvider(customer, provider)
    for (const victim of [stranger, customer]) {
      t.equal((await comeBack(victim, back)).statusCode, 403, 'nobody can be logged in as somebody else by a link')
      t.equal((await victim.get('/me')).statusCode, 401)
    }
    t.equal((await comeBack(visitor, back)).statusCode, 302)
  })

  t.test(`who starts twice with ${mode} sessions comes back from the second time`, async (t) => {
    const { provider, visitor } = await createShop(t, options)
    await askProvider(visitor, provider)
    t.equal(
      (await comeBack(visitor, await askProvider(visitor, provider))).statusCode,
      302,
      'a change inside an object'
    )
  })

  t.test(`a copy of the cookie brings a state in ${mode} sessions back, if they are not stored`, async (t) => {
    const { app, provider, visitor } = await createShop(t, options)
    const back = await askProvider(visitor, provider)
    const cookie = visitor.jar.header()
    await comeBack(visitor, back)
    const again = await app.inject({ url: back.pathname + back.search, headers: { cookie } })
    t.equal(again.statusCode, isSelfContained ? 500 : 403)
    t.match(again.body, isSelfContained ? 'invalid_grant' : 'Forbidden', 'then it is the code that is good for one use')
  })

  t.test(`a return that comes twice at once logs in once with ${mode} sessions`, async (t) => {
    const { provider, visitor } = await createShop(t, options)
    const back = await askProvider(visitor, provider)
    const replies = await Promise.all([comeBack(visitor, back), comeBack(visitor, back)])
    t.same(replies.map(({ statusCode }) => statusCode).sort(), [302, 500])
    // By value the last reply wins, whichever it was.
    if (!isSelfContained) t.equal((await visitor.get('/me')).body, 'ada')
  })

  t.test(`a stolen code is worth nothing without the proof key in ${mode} sessions`, async (t) => {
    const { app, provider, visitor } = await createShop(t, options)
    const stolen = await askProvider(visitor, provider)
    const thief = await createClient(app)
    const back = await askProvider(thief, provider)
    back.searchParams.set('code', stolen.searchParams.get('code') ?? '')
    t.equal((await comeBack(thief, back)).json().code, 'invalid_grant')
    t.equal((await thief.get('/me')).statusCode, 401)
  })

  t.test(`who does not agree stays a stranger with ${mode} sessions`, async (t) => {
    const { provider, visitor } = await createShop(t, options)
    provider.user = undefined
    t.equal((await comeBack(visitor, await askProvider(visitor, provider))).statusCode, 401)
    provider.user = 'grace'
    t.equal((await comeBack(visitor, await askProvider(visitor, provider))).statusCode, 302)
    t.equal((await visitor.get('/me')).body, 'grace')
  })

  t.test(`two visitors log in at once with ${mode} sessions`, async (t) => {
    const { app, provider, visitor: ada } = await createShop(t, options)
    const grace = await createClient(app)
    const backOfAda = await askProvider(ada, provider)
    provider.user = 'grace'
    const backOfGrace = await askProvider(grace, provider)
    await Promise.all([comeBack(ada, backOfAda), comeBack(grace, backOfGrace)])
    t.equal((await ada.get('/me')).body, 'ada')
    t.equal((await grace.get('/me')).body, 'grace')
  })
}

t.test('the callback is a whole address: passport-oauth2 cannot complete one on Fastify', async (t) => {
  const { visitor } = await createShop(t, {}, { callbackURL: '/callback' })
  const reply = await visitor.get('/start')
  t.equal(reply.statusCode, 500)
  t.match(reply.body, "reading 'encrypted'", 'it asks request.connection')
})
