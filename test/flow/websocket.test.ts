import { once } from 'node:events'
import websocket from '@fastify/websocket'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fastify from 'fastify'
import type * as Tap from 'tap'
import t from 'tap'
import type { WebSocket } from 'ws'
import type { Session } from '../../lib/index.ts'
import { getSession, MemoryStore, session } from '../../lib/index.ts'
import { Client } from '../../lib/testing/create-client.ts'
import type { TestApp } from '../helpers/app.ts'
import { createApp, createStoredApp, decisionsOf, MODES, SECRET } from '../helpers/app.ts'
import { once as onceCalled, RecordingStore } from '../helpers/recording-store.ts'
import { close, listen, RemoteHandler, shakeHands } from '../helpers/sockets.ts'

/** A browser at an application that is served. */
class Browser extends Client {
  readonly address: string
  /** What came with the last 101. */
  setCookies: string[] = []
  readonly #sockets: Set<WebSocket>

  constructor(app: FastifyInstance, address: string) {
    super(app)
    this.address = address
    this.#sockets = app.websocketServer.clients
  }

  async open(path = '/socket'): Promise<WebSocket> {
    const { status, setCookies, socket } = await shakeHands(this.address + path, { cookie: this.jar.header() })
    if (status !== 101) throw new Error(`${status} instead of 101`)
    this.setCookies = setCookies
    this.jar.take({ headers: { 'set-cookie': setCookies } })
    return socket
  }

  /** Closes a socket and waits until the server knows. */
  async close(socket: WebSocket): Promise<void> {
    const closed = Promise.race([...this.#sockets].map((other) => once(other, 'close')))
    socket.close()
    await closed
  }

  /** What another request finds in the session. */
  async read(): Promise<unknown> {
    return (await this.get('/read')).json()
  }
}

/** Serves an application whose `/socket` is remotely controlled; `/socket?visit` counts a visit before the upgrade. */
async function serve<Made extends Pick<TestApp, 'app'>>(
  t: Tap.Test,
  made: Made,
  addRoutes: (app: FastifyInstance, remote: RemoteHandler) => void = () => {}
): Promise<Made & { browser: Browser; remote: RemoteHandler }> {
  const { app } = made
  const remote = new RemoteHandler()
  if (!app.hasDecorator('websocketServer')) await app.register(websocket)
  app.get<{ Querystring: { visit?: string } }>(
    '/socket',
    {
      websocket: true,
      preHandler: async ({ session, query }) => {
        if (query.visit !== undefined) session.visits = (session.visits ?? 0) + 1
      }
    },
    remote.handle
  )
  app.get('/read', async ({ session }) => session)
  addRoutes(app, remote)
  const address = await listen(app)
  t.teardown(() => app.close())
  return { ...made, remote, browser: new Browser(app, address) }
}

for (const { mode, options, isSelfContained } of MODES) {
  /** How many cookies a change of data sends. */
  const oneIfSelfContained = isSelfContained ? 1 : 0

  t.test(`a WebSocket with ${mode} sessions`, async (t) => {
    t.test('from the login to the cookie of the 101, and on with that', async (t) => {
      const { browser, remote, warnings } = await serve(t, await createApp(options), (app, remote) => {
        app.post('/login', async ({ session }) => {
          await session.renew()
          session.userId = 7
          return ''
        })
        app.get(
          '/inbox',
          {
            websocket: true,
            preHandler: async ({ session }, reply) => {
              if (session.userId === undefined) return reply.code(401).send('Who are you?')
              await session.renew()
              session.visits = 1
            }
          },
          remote.handle
        )
      })
      const { address, jar } = browser
      t.equal((await shakeHands(`${address}/inbox`)).status, 401)
      const login = await fetch(`${address}/login`, { method: 'POST' })
      jar.take(login)
      const atLogin = jar.header()
      const socket = await browser.open('/inbox')
      t.match(browser.setCookies, [/^session=[\w.-]+; Path=\/; HttpOnly; SameSite=Lax$/])
      t.not(jar.header(), atLogin)
      t.same(await remote.run(socket, (session) => session), { userId: 7, visits: 1 })
      const response = await fetch(`${address}/read`, { headers: { cookie: jar.header() } })
      t.same(await response.json(), { userId: 7, visits: 1 })
      await browser.close(socket)
      t.same(warnings(), [])
    })

    t.test(
      'what hooks have changed is kept before the 101, which has the cookie if there is one to send',
      async (t) => {
        const { app, browser, remote, warnings } = await serve(t, await createApp(options), (app, remote) => {
          app.get(
            '/hooks',
            {
              websocket: true,
              onRequest: async ({ session }) => void session.setDefault('names', []),
              preValidation: async ({ session }) => void session.names?.push('preValidation'),
              preHandler: [async ({ session }) => void session.names?.push('preHandler')]
            },
            remote.handle
          )
          app.get('/logout', { websocket: true, preHandler: ({ session }) => session.destroy() }, remote.handle)
        })
        for (const [path, cookies, data] of [
          ['/socket', 0, {}],
          ['/hooks', 1, { names: ['preValidation', 'preHandler'] }],
          ['/socket', 0, { names: ['preValidation', 'preHandler'] }],
          ['/socket?visit', oneIfSelfContained, { names: ['preValidation', 'preHandler'], visits: 1 }],
          ['/logout', 1, {}]
        ] as const) {
          const socket = await browser.open(path)
          t.equal(browser.setCookies.length, cookies, path)
          t.same(await remote.run(socket, (session) => session), data)
          t.same(await browser.read(), data)
          await browser.close(socket)
        }
        t.equal(browser.jar.header(), '', 'the logout has cleared the cookie')
        t.same(warnings(), [])
        const injected = await app.injectWS('/socket?visit')
        t.same(await remote.run(injected, (session) => session), { visits: 1 }, 'injectWS does the same')
        for (const client of app.websocketServer.clients) client.terminate()
      }
    )

    t.test('activity is noted by the 101', async (t) => {
      const { browser, clock } = await serve(t, await createApp({ ...options, idleTimeout: 600 }))
      await browser.close(await browser.open('/socket?visit'))
      for (let minute = 0; minute < 15; minute++) {
        clock.advance(60)
        await browser.close(await browser.open())
        t.equal(browser.setCookies.length, 1)
      }
      t.same(await browser.read(), { visits: 1 })
    })

    t.test('what cannot be kept refuses the upgrade; a refusal has the cookie that any reply has', async (t) => {
      const { browser } = await serve(t, await createApp(options), (app) => {
        const handler = (): void => void t.fail('there is no socket')
        app.get(
          '/not-storable',
          {
            websocket: true,
            preHandler: async ({ session }) => {
              session.anything = 1n
            }
          },
          handler
        )
        app.get(
          '/hook-failed',
          {
            websocket: true,
            preHandler: async ({ session }) => {
              session.visits = 1
              throw new Error('hook failed')
            }
          },
          handler
        )
        app.get(
          '/guarded',
          {
            websocket: true,
            preHandler: async ({ session }, reply) => {
              session.visits = 1
              return reply.code(401).send()
            }
          },
          handler
        )
      })
      t.match(await shakeHands(`${browser.address}/not-storable`), { status: 500, setCookies: [] })
      t.match(await shakeHands(`${browser.address}/hook-failed`), { status: 500, setCookies: [/^session=/] })
      t.match(await shakeHands(`${browser.address}/guarded`), { status: 401, setCookies: [/^session=/] })
    })

    t.test('one route for both: HTTP gets its cookie with its reply', async (t) => {
      const { browser } = await serve(t, await createApp(options), (app, remote) => {
        app.route({
          method: 'GET',
          url: '/both',
          preHandler: async ({ session }) => void session.setDefault('visits', 1),
          handler: async ({ session }) => session,
          wsHandler: remote.handle
        })
      })
      const response = await fetch(`${browser.address}/both`)
      t.same(await response.json(), { visits: 1 })
      t.equal(response.headers.getSetCookie().length, 1)
      await browser.close(await browser.open('/both'))
      t.equal(browser.setCookies.length, 1)
    })

    t.test('a socket is open for hours: what can be kept is kept, what cannot is said once', async (t) => {
      const { browser, remote, clock, warnings } = await serve(t, await createApp({ ...options, idleTimeout: 600 }))
      const socket = await browser.open('/socket?visit')
      const { raw } = remote.request as FastifyRequest
      const listeners = raw.socket.eventNames().map((name) => raw.socket.listenerCount(name))
      const decisions = await decisionsOf(async () => {
        for (let minute = 5; minute <= 240; minute += 5) {
          clock.advance(300)
          await remote.run(socket, async (session) => {
            session.visits = minute
            await session.commit()
          })
        }
      })
      t.same(await browser.read(), isSelfContained ? {} : { visits: 240 })
      const lost = decisions.filter((decision) => decision === 'commit: headers-sent')
      t.equal(lost.length, isSelfContained ? 1 : 0)
      t.same(
        raw.socket.eventNames().map((name) => raw.socket.listenerCount(name)),
        listeners
      )
      await browser.close(socket)
      t.match(warnings(), isSelfContained ? [{ reason: 'headers-sent' }] : [])
      t.equal(warnings().length, oneIfSelfContained)
    })

    t.test('a change that is not committed is lost with the socket, and said', async (t) => {
      const { browser, remote, warnings } = await serve(t, await createApp(options))
      const socket = await browser.open('/socket?visit')
      await remote.run(socket, (session) => {
        session.visits = 2
      })
      t.same(warnings(), [])
      await browser.close(socket)
      t.match(warnings(), [{ reason: 'headers-sent' }])
      t.equal(warnings().length, 1)
      t.same(await browser.read(), { visits: 1 })
    })

    t.test('no session can begin on an open socket', async (t) => {
      const { browser, remote, warnings } = await serve(t, await createApp(options))
      const socket = await browser.open()
      await remote.run(socket, async (session) => {
        session.visits = 1
        await session.commit()
      })
      t.match(warnings(), [{ reason: 'headers-sent' }])
      t.same(await browser.read(), {})
      await browser.close(socket)
      t.equal(warnings().length, 1)
    })
  })
}

t.test('on an open socket a store keeps what is committed, and tells what others have kept', async (t) => {
  const { browser, remote, warnings } = await serve(t, await createStoredApp())
  const socket = await browser.open('/socket?visit')
  const others = await browser.open('/socket')
  const id = await remote.run(socket, (session) => session.id)
  t.equal(await remote.run(others, (session) => session.id), id)

  await remote.run(socket, async (session) => {
    session.name = 'Ada'
    await session.commit()
  })
  t.same(await browser.read(), { visits: 1, name: 'Ada' })
  const count = (session: Session): Promise<number> =>
    session.update((data) => {
      data.visits = (data.visits ?? 0) + 1
      return data.visits
    })
  t.equal(await remote.run(socket, count), 2)
  t.equal(await remote.run(others, count), 3)
  t.equal(await remote.run(socket, count), 4)
  t.same(await remote.run(others, (session) => session), { visits: 3, name: 'Ada' })
  await remote.run(others, (session) => session.reload())
  t.same(await remote.run(others, (session) => session), { visits: 4, name: 'Ada' })
  t.same(await remote.run(others, (session) => session.id), id)

  await remote.run(others, (session) => session.destroy())
  for (const act of [count, (session: Session) => session.reload()]) {
    t.equal(await remote.run(socket, act), 'ERR_SESSION_GONE')
  }
  t.equal(
    await remote.run(socket, (session) => {
      session.name = 'Grace'
      return session.commit()
    }),
    'ERR_SESSION_GONE'
  )
  t.same(await browser.read(), {})
  t.same(
    warnings().map(({ reason }) => reason),
    ['gone']
  )
  await browser.close(others)
  await browser.close(socket)
  t.equal(warnings().length, 1)
})

t.test('an open socket is no activity; touch() and commit() are', async (t) => {
  const { browser, remote, clock, warnings } = await serve(t, await createStoredApp({ idleTimeout: 600 }))
  const socket = await browser.open('/socket?visit')
  const noteActivity = async (session: Session): Promise<Date> => {
    session.touch()
    await session.commit()
    return session.expiresAt
  }
  for (let minute = 0; minute < 30; minute += 5) {
    clock.advance(300)
    t.equal(await remote.run(socket, noteActivity), new Date(clock.now() + 600_000).toISOString())
  }
  clock.advance(600)
  await remote.run(socket, (session) => session.reload())
  t.same(await remote.run(socket, (session) => session), { visits: 1 })
  clock.advance(1)
  t.equal(await remote.run(socket, (session) => session.reload()), 'ERR_SESSION_GONE')
  t.equal(await remote.run(socket, noteActivity), 'ERR_SESSION_GONE')
  await browser.close(socket)
  t.same(warnings(), [])
})

t.test('a store that is slow delays the 101, one that is down refuses it', async (t) => {
  const store = new RecordingStore(new MemoryStore())
  const app = fastify()
  // First, so that it knows of the sockets of requests that the session refuses, and closes them.
  await app.register(websocket)
  await app.register(session, { secret: SECRET, store })
  const { browser, remote } = await serve(t, { app }, (app, remote) => {
    app.get(
      '/anyway',
      {
        websocket: true,
        config: { session: { onStoreError: 'anonymous' } },
        preHandler: async ({ session }) => {
          session.visits = 1
        }
      },
      remote.handle
    )
  })
  let release = (): void => {}
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  let isOpen = false
  const asked = new Promise<void>((resolve) => {
    store.before = onceCalled('create', () => {
      resolve()
      return gate
    })
  })
  const opening = browser.open('/socket?visit').then((socket) => {
    isOpen = true
    return socket
  })
  await asked
  await app.inject('/read')
  t.equal(isOpen, false)
  release()
  await browser.close(await opening)
  t.same(await browser.read(), { visits: 1 })

  store.before = () => {
    throw new Error('down')
  }
  t.match(await shakeHands(`${browser.address}/socket?visit`), { status: 503, setCookies: [] })
  t.match(await shakeHands(`${browser.address}/socket`, { cookie: browser.jar.header() }), { status: 503 })
  const socket = await browser.open('/anyway')
  t.same(browser.setCookies, [])
  store.before = () => undefined
  t.equal(await remote.run(socket, (session) => session.commit()), 'ERR_SESSION_STORE_UNAVAILABLE')
  t.same(await browser.read(), { visits: 1 }, 'nobody is logged out')
  await browser.close(socket)
})

t.test('it makes no difference in which order and in which scopes the plugins are registered', async (t) => {
  const sockets = (app: FastifyInstance): Promise<void> => Promise.resolve(app.register(websocket)).then(() => {})
  const sessions = (app: FastifyInstance): Promise<void> =>
    Promise.resolve(app.register(session, { secret: SECRET })).then(() => {})
  type Add = (app: FastifyInstance) => Promise<void>
  const ways: Record<string, (app: FastifyInstance, routes: Add) => Promise<void>> = {
    'sockets, sessions': async (app, routes) => {
      await sockets(app)
      await sessions(app)
      await routes(app)
    },
    'sessions, sockets': async (app, routes) => {
      await sessions(app)
      await sockets(app)
      await routes(app)
    },
    'sessions in a scope': async (app, routes) => {
      await sockets(app)
      app.register(async (scope) => {
        await sessions(scope)
        await routes(scope)
      })
    },
    'sockets in a scope': async (app, routes) => {
      await sessions(app)
      app.register(async (scope) => {
        await sockets(scope)
        await routes(scope)
      })
    },
    'without waiting, routes in a scope': async (app, routes) => {
      app.register(websocket)
      app.register(session, { secret: SECRET })
      app.register(routes)
    }
  }
  for (const [name, register] of Object.entries(ways)) {
    const app = fastify()
    t.teardown(() => app.close())
    const remote = new RemoteHandler()
    await register(app, async (scope) => {
      const preHandler = async (request: FastifyRequest): Promise<void> => {
        request.session.visits = 1
      }
      scope.get('/socket', { websocket: true, preHandler }, remote.handle)
    })
    const { setCookies, socket } = await shakeHands(`${await listen(app)}/socket`)
    t.match(setCookies, [/^session=/], name)
    t.same(await remote.run(socket, (session) => session), { visits: 1 })
    await close(socket)
  }
})

t.test('a WebSocket route that is older than the session has to commit, or is warned of', async (t) => {
  const logs: string[] = []
  const app = fastify({ logger: { level: 'warn', stream: { write: (line) => void logs.push(line) } } })
  await app.register(websocket)
  app.register(session, { secret: SECRET })
  const { browser } = await serve(t, { app }, (app, remote) => {
    app.get(
      '/commit',
      {
        websocket: true,
        preHandler: async ({ session }) => {
          session.visits = 1
          await session.commit()
        }
      },
      remote.handle
    )
  })
  await browser.close(await browser.open('/socket?visit'))
  t.same(browser.setCookies, [])
  t.match(logs, [/headers-sent/])
  await browser.close(await browser.open('/commit'))
  t.match(browser.setCookies, [/^session=/])
  t.same(await browser.read(), { visits: 1 })
  t.equal(logs.length, 1)
})

t.test('each session sends its own cookie, with the attributes that it asks for', async (t) => {
  const made = await createApp({}, { trustProxy: true })
  const { app } = made
  await app.register(session, { secret: SECRET, decorator: 'admin', cookieName: '__Host-admin' })
  const { browser } = await serve(t, made, (app, remote) => {
    app.get(
      '/two',
      {
        websocket: true,
        preHandler: async (request) => {
          request.session.visits = 1
          request.session.options({ sameSite: 'strict' })
          getSession(request, 'admin').visits = 1
        }
      },
      remote.handle
    )
  })
  const { setCookies, socket } = await shakeHands(`${browser.address}/two`, { 'x-forwarded-proto': 'https' })
  t.equal(setCookies.length, 2)
  t.match(setCookies[0], /^session=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Strict$/)
  t.match(setCookies[1], /^__Host-admin=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
  await browser.close(socket)
})

t.test('a route without sessions has none on its socket either', async (t) => {
  const { browser, remote, warnings } = await serve(t, await createApp(), (app, remote) => {
    app.get('/off', { websocket: true, config: { session: false } }, remote.handle)
  })
  await browser.close(await browser.open('/socket?visit'))
  const socket = await browser.open('/off')
  t.same(browser.setCookies, [])
  t.same(await remote.run(socket, (session) => session), {})
  t.equal(await remote.run(socket, (session) => session.commit()), 'ERR_SESSION_DISABLED')
  await browser.close(socket)
  t.same(warnings(), [])
})

t.test('a client that asks a route for a socket that has none is cut off, and a change is saved', async (t) => {
  let closed: Promise<unknown> | undefined
  const { browser, warnings } = await serve(t, await createApp(), (app) => {
    app.get('/plain', async () => 'ok')
    app.addHook('preHandler', async ({ session }, reply) => {
      session.visits = 1
      closed = once(reply.raw, 'close')
    })
  })
  await browser.open('/plain')
  await closed
  t.equal(browser.setCookies.length, 1)
  t.same(warnings(), [])
})
