import type { FastifyReply, FastifyRequest } from 'fastify'
import t from 'tap'
import { MODES, REVOCABLE, withOneStore } from '../../helpers/app.ts'
import { createKitApp, createStoredKitApp, Member } from '../../helpers/login-app.ts'

/** Ways of ending a session from a handler. */
const ENDINGS: Readonly<Record<string, (request: FastifyRequest) => Promise<void>>> = {
  'logout()': (request) => request.logout(),
  'session.destroy()': (request) => request.session.destroy(),
  'session.regenerate()': (request) => request.session.regenerate()
}

/** What the handler does after the session has ended. */
const REPLIES: Readonly<Record<string, (reply: FastifyReply) => unknown>> = {
  'a reply': () => 'bye',
  'a hijacked reply'(reply) {
    reply.hijack()
    reply.raw.end('bye')
  },
  'an error'() {
    throw new Error('the handler fails')
  }
}

for (const { mode, options, isSelfContained } of [...MODES, ...REVOCABLE]) {
  for (const [ending, end] of Object.entries(ENDINGS)) {
    t.test(`${mode} sessions: ${ending} is over when its promise resolves`, async (t) => {
      for (const [what, reply] of Object.entries(REPLIES)) {
        const { app } = await createKitApp(withOneStore(options))
        let meanwhile = 0
        let userAfter: unknown
        app.post('/end', async (request, replyTo) => {
          await request.loadUser()
          await end(request)
          userAfter = request.user
          meanwhile = (await app.inject({ url: '/me', headers: { cookie } })).statusCode
          return reply(replyTo)
        })
        const ana = new Member(app)
        await ana.login(1)
        const cookie = ana.jar.header()
        await ana.submit('/end')
        t.equal(userAfter, null, `${what}: nobody is logged in for the rest of the request`)
        const refused = isSelfContained ? 200 : 401
        t.equal(meanwhile, refused, `${what}: while the handler still runs`)
        t.equal((await app.inject({ url: '/me', headers: { cookie } })).statusCode, refused, `${what}: afterwards`)
        if (what !== 'a hijacked reply') t.equal((await ana.get('/me')).statusCode, 401, `${what}: this browser`)
      }
    })
  }
}

t.test('a reply waits for what was begun and not awaited, and fails if that fails', async (t) => {
  for (const act of [
    (request: FastifyRequest) => {
      request.session = null as never
    },
    ({ session }: FastifyRequest) => void session.destroy().catch(() => {})
  ]) {
    const { app, store } = await createStoredKitApp()
    app.post('/end', async (request) => {
      act(request)
      return ''
    })
    const ana = new Member(app)
    await ana.login(1, { remember: true })
    const copy = ana.jar.header()
    let isDown = true
    // Only what ends the remembered login fails. The session itself ends.
    store.before = async (method) => {
      await new Promise(setImmediate)
      if (method === 'list' && isDown) throw new Error('down')
    }
    t.equal((await app.inject({ method: 'POST', url: '/end', headers: { cookie: copy } })).statusCode, 503)
    isDown = false
    const other = new Member(app)
    await other.login(1, { remember: true })
    await other.submit('/end')
    t.same(other.names(), [], 'both cookies are cleared')
  }
})

t.test('a browser that is remembered is not logged in again after destroy()', async (t) => {
  for (const url of ['/destroy', '/null', '/outside'] as const) {
    const { app } = await createStoredKitApp()
    app.post('/destroy', async ({ session }) => session.destroy())
    app.post('/null', async (request) => {
      request.session = null as never
    })
    app.post('/outside', async (request) => {
      await request.session.destroy()
    })
    const ana = new Member(app)
    await ana.login(1, { remember: true })
    const copy = ana.jar.header()
    await ana.submit(url)
    t.equal((await ana.get('/me')).statusCode, 401, url)
    t.equal((await app.inject({ url: '/me', headers: { cookie: copy } })).statusCode, 401, 'nor a copy of its cookies')
  }
})
