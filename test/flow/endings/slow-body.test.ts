import type { AddressInfo, Socket } from 'node:net'
import { connect } from 'node:net'
import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { loginRequired, requireSession } from '../../../lib/index.ts'
import { setCookieLines } from '../../../lib/testing/set-cookie.ts'
import { MODES, REVOCABLE } from '../../helpers/app.ts'
import { ANA, createKitApp, Member } from '../../helpers/login-app.ts'

const HOUR = 3600

/** Sends a request whose body stays open, and returns what finishes it. */
async function sendSlowly(port: number, path: string, cookie: string): Promise<() => Promise<string>> {
  const socket: Socket = connect(port, '127.0.0.1')
  const head = [
    'Host: x',
    `Cookie: ${cookie}`,
    'Content-Type: application/json',
    'Content-Length: 10',
    'Connection: close'
  ]
  socket.write(`POST ${path} HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n{"a":`)
  return async () => {
    socket.write('1234}')
    const chunks: Buffer[] = []
    for await (const chunk of socket) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks).toString().split('\r\n', 1)[0] ?? ''
  }
}

for (const { mode, options, isSelfContained } of [...MODES, ...REVOCABLE]) {
  t.test(`${mode} sessions: a slow body passes no guard after the end of its session`, async (t) => {
    const made = await createKitApp({ ...options, idleTimeout: HOUR, absoluteTimeout: 24 * HOUR })
    const { app, clock, users } = made
    let started = (): void => {}
    app.addHook('onRequest', async ({ method }) => {
      if (method === 'POST') started()
    })
    app.get('/shop', async ({ session }) => {
      session.userId = 7
      return ''
    })
    app.post(
      '/kit',
      app.loginRequired().handle(async () => 'done')
    )
    app.post('/key', { preHandler: loginRequired({ key: 'userId' }) }, async () => 'done')
    app.post('/predicate', { preHandler: requireSession(({ userId }) => userId === 7) }, async () => 'done')
    await app.listen({ port: 0, host: '127.0.0.1' })
    t.teardown(() => app.close())
    const { port } = app.server.address() as AddressInfo

    const run = async (path: string, meanwhile: (ana: Member) => unknown): Promise<string> => {
      const ana = new Member(app)
      await ana.login(1)
      await ana.get('/shop')
      const begun = new Promise<void>((resolve) => {
        started = resolve
      })
      const finish = await sendSlowly(port, path, ana.jar.header())
      await begun
      await meanwhile(ana)
      return finish()
    }

    for (const path of ['/kit', '/key', '/predicate']) {
      t.match(await run(path, () => undefined), / 200 /, `${path}: a session that goes on`)
      t.match(await run(path, () => clock.advance(HOUR)), / 200 /, `${path}: in its last second`)
      t.match(await run(path, () => clock.advance(HOUR + 1)), / 40[13] /, `${path}: idle timeout`)
      if (isSelfContained) continue
      const ended = [
        (ana: Member) => ana.submit('/logout'),
        () => app.sessions.revokeAll(String(ANA.id)),
        (ana: Member) => ana.submit('/confirm')
      ]
      for (const end of ended) {
        const line = await run(path, async (ana) => {
          await end(ana)
          clock.advance(1)
        })
        t.match(line, / 40[13] /, `${path}: ended by another request`)
      }
    }
    const gone = await run('/kit', () => {
      users.delete('1')
      clock.advance(1)
    })
    t.match(gone, / 401 /, 'a user who is gone')
  })
}

/** What a handler does to a session that has expired since the request came. */
const ACTS: Readonly<Record<string, (request: FastifyRequest) => unknown>> = {
  'writes data': ({ session }) => {
    session.visits = 1
  },
  'touches it': ({ session }) => session.touch(),
  'makes it permanent': ({ session }) => {
    session.permanent = true
  },
  'calls renew()': ({ session }) => session.renew(),
  'keeps data with regenerate()': ({ session }) => session.regenerate(['userId']),
  'calls setOwner()': ({ session }) => session.setOwner('2'),
  'calls update()': ({ session }) =>
    session.update((data) => {
      data.visits = 1
    }),
  'calls commit()': ({ session }) => {
    session.visits = 1
    return session.commit()
  },
  'calls confirmLogin()': (request) => request.confirmLogin()
}

for (const { mode, options } of [...MODES, ...REVOCABLE]) {
  t.test(`${mode} sessions: what expires during a request stays ended, guarded or not`, async (t) => {
    const made = await createKitApp({ ...options, idleTimeout: HOUR, absoluteTimeout: 24 * HOUR })
    const { app, clock } = made
    let seconds = 0
    for (const [index, act] of Object.values(ACTS).entries()) {
      app.post(`/act/${index}`, async (request) => {
        await request.loadUser()
        clock.advance(seconds)
        await act(request)
        return ''
      })
    }
    app.post('/anew', async ({ session }) => {
      session.visits = 1
      clock.advance(seconds)
      await session.regenerate()
      session.userId = 8
      return ''
    })
    app.post('/shop', async ({ session }) => {
      session.userId = 7
      return ''
    })
    for (const [index, act] of Object.keys(ACTS).entries()) {
      for (seconds of [HOUR, HOUR + 1]) {
        const ana = new Member(app)
        await ana.login(1)
        await ana.submit('/shop')
        const reply = await ana.submit(`/act/${index}`)
        const isOver = seconds > HOUR
        if (isOver) {
          t.equal(setCookieLines(reply).length, 0, `${act}: no cookie`)
          t.ok([200, 409].includes(reply.statusCode), `${act}: ${reply.statusCode}`)
        }
        t.equal((await ana.get('/data')).body === '{}', isOver, `${act} after ${seconds} s`)
      }
    }
    const stranger = new Member(app)
    await stranger.submit('/shop')
    await stranger.submit('/anew')
    t.same((await stranger.get('/data')).json(), { userId: 8 }, 'a session in which nothing goes on begins')
  })
}

t.test('a guard judges the latest data, with what the request itself has changed', async (t) => {
  for (const { options, isSelfContained } of MODES) {
    if (isSelfContained) continue
    const { app, clock } = await createKitApp(options)
    app.get('/role/:role', async ({ session, params }) => {
      session.role = (params as { role: 'admin' | 'guest' }).role
      return ''
    })
    let change = async (): Promise<unknown> => undefined
    const preValidation = async ({ session }: { session: { visits?: number | undefined } }): Promise<void> => {
      session.visits = 5
      await change()
      clock.advance(1)
    }
    const preHandler = requireSession((session) => session.role === 'admin')
    app.get('/admin', { preValidation, preHandler }, async ({ session }) => ({ ...session }))
    const ana = new Member(app)
    await ana.get('/role/admin')
    const cookie = ana.jar.header()
    t.same((await ana.get('/admin')).json(), { role: 'admin', visits: 5 })
    change = () => app.inject({ url: '/role/guest', headers: { cookie } })
    t.equal((await ana.get('/admin')).statusCode, 403)
    t.same((await ana.get('/data')).json(), { role: 'guest', visits: 5 })
  }
})

t.test('how old a loaded session may be is an option', async (t) => {
  for (const [freshness, status] of [
    [0, 401],
    [1, 200],
    [60, 200]
  ] as const) {
    const { app } = await createKitApp({ store: MODES[2]?.options.store as never, freshness })
    let cookie = ''
    const preValidation = async ({ session }: { session: object }): Promise<void> => {
      t.ok('_login' in session, 'it is loaded now')
      await app.inject({ method: 'POST', url: '/logout', headers: { cookie } })
    }
    app.get('/late', { preValidation, preHandler: requireSession('_login' as never) }, async () => 'done')
    const ana = new Member(app)
    await ana.login(1)
    cookie = ana.jar.header()
    t.equal((await ana.get('/late')).statusCode, status, `${freshness} s`)
  }
})
