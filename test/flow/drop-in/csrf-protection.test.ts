import csrfProtection from '@fastify/csrf-protection'
import t from 'tap'
import { createClient } from '../../../lib/testing/create-client.ts'
import { createApp, MODES } from '../../helpers/app.ts'

for (const { mode, options } of MODES) {
  for (const sessionPlugin of ['@fastify/session', '@fastify/secure-session'] as const) {
    t.test(
      `@fastify/csrf-protection keeps its secret in ${mode} sessions, as it does in ${sessionPlugin}`,
      async (t) => {
        const { app } = await createApp(options)
        await app.register(csrfProtection, { sessionPlugin })
        app.get('/form', async (_request, reply) => reply.generateCsrf({ path: '/' }))
        app.post('/transfer', { onRequest: app.csrfProtection }, async () => 'done')
        const visitor = await createClient(app)
        const { body: token } = await visitor.get('/form')
        const post = (headers: Record<string, string>): Promise<{ statusCode: number }> =>
          visitor.post('/transfer', { headers })
        t.equal((await post({ 'csrf-token': token })).statusCode, 200)
        t.equal((await post({ 'csrf-token': `${token}x` })).statusCode, 403)
        t.equal((await post({})).statusCode, 403)
        const stranger = await app.inject({ method: 'POST', url: '/transfer', headers: { 'csrf-token': token } })
        t.equal(stranger.statusCode, 403)
      }
    )
  }

  t.test(`a token that is bound to a user is worth nothing to another one, in ${mode} sessions`, async (t) => {
    const { app } = await createApp(options)
    await app.register(csrfProtection, {
      sessionPlugin: '@fastify/session',
      getUserInfo: ({ session }) => String(session.anything),
      csrfOpts: { hmacKey: 'key' }
    })
    app.get<{ Params: { name: string } }>('/login/:name', async ({ session, params }, reply) => {
      session.anything = params.name
      return reply.generateCsrf({ userInfo: params.name })
    })
    app.post('/transfer', { preHandler: app.csrfProtection }, async () => 'done')
    const visitor = await createClient(app)
    const post = (token: string): Promise<{ statusCode: number }> =>
      visitor.post('/transfer', { headers: { 'csrf-token': token } })
    const { body: ada } = await visitor.get('/login/ada')
    t.equal((await post(ada)).statusCode, 200)
    const { body: grace } = await visitor.get('/login/grace')
    t.equal((await post(ada)).statusCode, 403)
    t.equal((await post(grace)).statusCode, 200)
  })

  t.test(`a secret under another key ends with its ${mode} session`, async (t) => {
    const { app } = await createApp(options)
    await app.register(csrfProtection, { sessionPlugin: '@fastify/secure-session', sessionKey: 'secret' })
    app.get('/form', async (_request, reply) => reply.generateCsrf())
    app.get('/keys', async ({ session }) => Object.keys(session))
    app.get('/logout', async ({ session }) => session.destroy())
    app.post('/transfer', { onRequest: app.csrfProtection }, async () => 'done')
    const visitor = await createClient(app)
    const { body: token } = await visitor.get('/form')
    const post = async (): Promise<string> =>
      (await visitor.post('/transfer', { headers: { 'csrf-token': token } })).body
    t.same((await visitor.get('/keys')).json(), ['secret'])
    t.equal(await post(), 'done')
    await visitor.get('/logout')
    t.match(await post(), 'Missing csrf secret')
    await visitor.get('/form')
    t.match(await post(), 'Invalid csrf token')
  })
}
