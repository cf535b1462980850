import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import type { SessionOptions } from '../../lib/index.ts'
import { getSession, loginRequired, MemoryStore, session, sessionOf } from '../../lib/index.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import type { Session } from '../../types/index.ts'
import type { LooseOptions, Mode } from '../helpers/app.ts'
import { decisionsOf, MODES, SECRET, START } from '../helpers/app.ts'
import { RecordingStore } from '../helpers/recording-store.ts'

interface Line {
  readonly level: number
  readonly msg: string
  readonly reason?: string
  readonly req?: { readonly user?: unknown }
}

interface Observed {
  readonly app: FastifyInstance
  readonly lines: Line[]
  warnings(): (string | undefined)[]
}

/** Creates an application whose `early` is called before the session plugin is registered. */
async function create(
  options: LooseOptions,
  early: (app: FastifyInstance) => void = () => {},
  read: (request: FastifyRequest) => unknown = () => undefined
): Promise<Observed> {
  const lines: Line[] = []
  const stream = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const serializers = { req: (request: FastifyRequest) => ({ user: read(request) }) }
  const logger: FastifyServerOptions['logger'] = { stream, serializers }
  const app: FastifyInstance = fastify({ logger })
  const clock = new FakeClock(START)
  const store = typeof options.store === 'function' ? options.store(clock.now) : options.store
  early(app)
  await app.register(session, { secret: SECRET, clock: clock.now, ...options, store } as unknown as SessionOptions)
  app.get('/in', async (request) => {
    request.session.visits = 7
    request.session.setOwner('ada')
    return ''
  })
  app.get('/', async (request) => ({ ...request.session }))
  return { app, lines, warnings: () => lines.filter(({ level }) => level === 40).map(({ reason }) => reason) }
}

/** A hook that fails those requests whose URL says so. */
async function failIfAsked(request: FastifyRequest): Promise<void> {
  if (request.url.includes('fail')) throw Object.assign(new Error('the real cause'), { statusCode: 503 })
}

/** Where a session is not loaded before the onRequest hook of the plugin. */
const waits = (modes: readonly Mode[]): readonly Mode[] => modes.filter(({ isRemote }) => isRemote)

for (const { mode, options, isRemote } of MODES) {
  const isAtHand = !isRemote
  t.test(`${mode} sessions`, async (t) => {
    t.test('a serializer of the log looks at the session of every request', async (t) => {
      const { app, lines, warnings } = await create(options, undefined, ({ session }) => [
        session.visits ?? 'none',
        session.ownerId ?? 'nobody',
        session.get('visits', 0),
        session.has('visits'),
        Object.keys(session.data()).length,
        session.isNew,
        typeof session.id,
        session.createdAt instanceof Date && session.expiresAt instanceof Date,
        session.permanent,
        session.size().keys
      ])
      const visitor = await createClient(app)
      for (const url of ['/in', '/', '/unknown'])
        t.equal((await visitor.get(url)).statusCode, url === '/unknown' ? 404 : 200)
      t.same((await visitor.get('/')).json(), { visits: 7 })
      const seen = lines.flatMap(({ req }) => (req === undefined ? [] : [(req.user as unknown[])[0]]))
      t.same(seen, isAtHand ? ['none', 7, 7, 7] : ['none', 'none', 'none', 'none'])
      t.same(warnings(), isAtHand ? [] : ['not-loaded'], 'once for all requests')
    })

    t.test('an error handler looks at the session of a request that failed before it was loaded', async (t) => {
      const { app, warnings } = await create(options, (app) => {
        app.addHook('onRequest', failIfAsked)
        app.addHook('onError', async ({ session }) => void session.visits)
        app.setErrorHandler((error: FastifyError, { session }, reply) =>
          reply.code(error.statusCode ?? 500).send(`${error.message}, ${session.visits ?? 'stranger'}`)
        )
      })
      const visitor = await createClient(app)
      for (const _ of ['without a cookie', 'with one']) {
        const { statusCode, body } = await visitor.get('/fail')
        t.equal(statusCode, 503)
        t.equal(body, `the real cause, ${isAtHand && visitor.jar.get('session') ? 7 : 'stranger'}`)
        await visitor.get('/in')
      }
      t.same(warnings(), [])
    })

    t.test('sessionOf() is the session where it is loaded, and never an error', async (t) => {
      const seen: unknown[] = []
      const look = (request: FastifyRequest): void => void seen.push(sessionOf(request)?.ownerId ?? 'nobody')
      const { app, warnings } = await create(
        options,
        (app) => {
          app.addHook('onRequest', async (request) => look(request))
          app.addHook('onRequest', failIfAsked)
          app.setErrorHandler((_error, request, reply) => {
            look(request)
            reply.send('')
          })
        },
        look
      )
      app.addHook('onRequest', async (request) => {
        t.equal(sessionOf(request), request.session)
        look(request)
      })
      app.get('/off', { config: { session: false } }, async (request) => sessionOf(request) === undefined)
      const visitor = await createClient(app)
      await visitor.get('/in')
      seen.length = 0
      await visitor.get('/')
      t.same(seen, isAtHand ? ['ada', 'ada', 'ada'] : ['nobody', 'nobody', 'ada'])
      seen.length = 0
      await visitor.get('/fail')
      t.same(seen, Array(3).fill(isAtHand ? 'ada' : 'nobody'))
      t.equal(sessionOf(undefined), undefined)
      t.equal(sessionOf({} as FastifyRequest), undefined)
      t.equal((await createdWithout()).body, 'true')
      t.same(warnings(), [], 'it says itself that there is none')
    })
  })
}

t.test(
  'sessionOf() is no error for a request with a malformed address, which has the members of no plugin',
  async (t) => {
    for (const { options } of MODES) {
      const lines: Line[] = []
      const read = (request: FastifyRequest): unknown => sessionOf(request)?.ownerId ?? 'nobody'
      const app: FastifyInstance = fastify({
        logger: {
          stream: { write: (line: string) => void lines.push(JSON.parse(line)) },
          serializers: { req: (request: FastifyRequest) => ({ user: read(request) }) }
        },
        frameworkErrors: (error, request, reply) => {
          t.equal(request.session, undefined)
          const untyped = reply as unknown as FastifyReply
          untyped.code(400).send(`${error.code} ${read(request)}`)
        }
      })
      const clock = new FakeClock(START)
      const store = typeof options.store === 'function' ? options.store(clock.now) : options.store
      await app.register(session, { secret: SECRET, clock: clock.now, ...options, store } as unknown as SessionOptions)
      app.get('/in', async (request) => request.session.setOwner('ada'))
      const visitor = await createClient(app)
      await visitor.get('/in')
      const { statusCode, body } = await visitor.get('/%E0%A4%A')
      t.equal(statusCode, 400)
      t.match(body, /^FST_ERR_BAD_URL (ada|nobody)$/)
      t.match(lines.at(-1), { req: { user: /^(ada|nobody)$/ } })
    }
  }
)

async function createdWithout(): Promise<{ body: string }> {
  const app = fastify()
  app.get('/', async (request) => sessionOf(request, 'adminSession') === undefined)
  return app.inject('/')
}

for (const { mode, options } of waits(MODES)) {
  t.test(`before a session is loaded, with ${mode} sessions`, async (t) => {
    let act: (session: Session, request: FastifyRequest) => unknown = () => undefined
    const early = (app: FastifyInstance): void => {
      app.addHook('onRequest', async (request) => {
        if (request.url === '/') await act(request.session, request)
      })
    }

    t.test('it cannot be changed, and what is in the store stays', async (t) => {
      const { app } = await create(options, early)
      const visitor = await createClient(app)
      await visitor.get('/in')
      const changes: ((session: Session, request: FastifyRequest) => unknown)[] = [
        (session) => (session.visits = 1),
        (session) => Object.assign(session, { name: 'Eve' }),
        (session) => (session.permanent = true),
        (session) => session.set('visits', 1),
        (session) => session.setDefault('visits', 1),
        (session) => session.pop('visits'),
        (session) => session.delete('visits'),
        (session) => session.clear(),
        (session) => session.setOwner('eve'),
        (session) => session.touch(),
        (session) => session.options({ sameSite: 'strict' }),
        (session) => session.renew(),
        (session) => session.regenerate(),
        (session) => session.destroy(),
        (session) => session.reload(),
        (session) => session.commit(),
        (session) => session.update((data) => (data.visits = 1)),
        (session, request) => (getSession(request) === session ? session.touch() : undefined),
        (_session, request) => (request.session = null),
        (_session, request) => {
          const guard = loginRequired({ key: 'visits' })
          return new Promise((resolve, reject) => {
            guard.call(app, request, {} as never, (error) => (error ? reject(error) : resolve(undefined)))
          })
        }
      ]
      for (const change of changes) {
        act = change
        const response = await visitor.get('/')
        t.match(response.json(), { statusCode: 500, code: 'ERR_SESSION_NOT_LOADED' }, String(change))
        t.same(setCookieLines(response), [])
      }
      act = () => undefined
      t.same((await visitor.get('/')).json(), { visits: 7 })
    })

    t.test('a request without our cookie has an empty one, of which nothing is kept', async (t) => {
      const { app, warnings } = await create(options, early)
      act = (session) => (session.visits = 1)
      const response = await app.inject('/')
      t.same(response.json(), {})
      t.same(setCookieLines(response), [])
      t.same(warnings(), ['not-loaded', 'not-loaded'], 'that it was too early, and that something is lost')
    })

    t.test('a reply of an earlier hook has an empty one, of which nothing is kept', async (t) => {
      const { app, warnings } = await create(options, (app) => {
        app.addHook('onRequest', async (request, reply) => {
          if (request.url === '/early') return reply.send('early')
        })
      })
      app.addHook('onSend', async ({ url, session }) => {
        if (url === '/early') session.visits = (session.visits ?? 0) + 1
      })
      app.addHook('onResponse', async ({ session }) => void session.visits)
      const visitor = await createClient(app)
      await visitor.get('/in')
      const response = await visitor.get('/early')
      t.equal(response.statusCode, 200)
      t.same(setCookieLines(response), [])
      t.equal(response.headers.vary, undefined, 'no reply depends on a cookie that nobody looked at')
      t.same((await visitor.get('/')).json(), { visits: 7 })
      t.ok(warnings().every((reason) => reason === 'not-loaded'))
    })

    t.test('what an error handler writes to one that was not loaded is not kept, and said', async (t) => {
      const { app, warnings } = await create(options, (app) => {
        app.addHook('onRequest', failIfAsked)
        app.addHook('onError', async ({ session }) => void session.visits)
        app.setErrorHandler(async (error: FastifyError, { session }, reply) => {
          session.visits = 1
          return reply.code(error.statusCode ?? 500).send(error.message)
        })
      })
      const visitor = await createClient(app)
      await visitor.get('/in')
      const decisions = await decisionsOf(async () => {
        const response = await visitor.get('/fail')
        t.equal(response.statusCode, 503)
        t.same(setCookieLines(response), [])
      })
      t.equal(decisions.at(-1), 'commit: not-loaded')
      t.same(warnings(), ['not-loaded'])
      t.same((await visitor.get('/')).json(), { visits: 7 })
    })
  })
}

t.test('a session that the store has not returned yet reads as empty, and cannot be changed', async (t) => {
  const store = new RecordingStore(new MemoryStore({ clock: () => START.getTime() }))
  let request: FastifyRequest | undefined
  const { app } = await create({ store }, (app) => {
    app.addHook('onRequest', async (one) => {
      request = one
    })
  })
  const visitor = await createClient(app)
  await visitor.get('/in')
  store.before = () => {
    const { session } = request as FastifyRequest
    t.equal(session.visits, undefined)
    t.throws(() => (session.visits = 1), { code: 'ERR_SESSION_NOT_LOADED' })
    t.equal(sessionOf(request), undefined)
  }
  t.same((await visitor.get('/')).json(), { visits: 7 })
})
