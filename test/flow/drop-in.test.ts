import csrfProtection from '@fastify/csrf-protection'
import flash from '@fastify/flash'
import t from 'tap'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createApp, MODES } from '../helpers/app.ts'

for (const { mode, options } of MODES) {
  t.test(`@fastify/flash keeps its messages in ${mode} sessions`, async (t) => {
    const { app } = await createApp(options)
    await app.register(flash)
    app.get('/add', async (request, reply) => {
      request.flash('info', 'saved')
      request.flash('info', ['twice', 'thrice'])
      return reply.redirect('/show')
    })
    app.get('/show', async (_request, reply) => reply.flash())
    app.get('/logout', async (request) => {
      await request.session.destroy()
      request.flash('info', 'after the end')
      return 'bye'
    })
    const visitor = await createClient(app)
    const redirect = await visitor.get('/add')
    t.equal(redirect.statusCode, 302)
    t.equal(setCookieLines(redirect).length, 1, 'the cookie is on the redirect itself')
    t.same((await visitor.get('/show')).json(), { info: ['saved', 'twice', 'thrice'] })
    t.same((await visitor.get('/show')).json(), {}, 'a message is shown once')
    await visitor.get('/add')
    t.equal((await visitor.get('/logout')).statusCode, 200, 'a message after the end breaks nothing')
    t.same((await visitor.get('/show')).json(), {})
  })

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
}
