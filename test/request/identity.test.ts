import t from 'tap'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createApp, MODES } from '../helpers/app.ts'
import { setVisits } from '../helpers/visited-app.ts'

for (const { mode, options } of MODES) {
  t.test(`${mode} sessions`, async (t) => {
    t.test('the id stays the same, is another for every session, and is no part of the cookie', async (t) => {
      const { app } = await createApp(options)
      app.get('/set', setVisits)
      app.get('/', async ({ session }) => session.id)
      const [one, other] = [await createClient(app), await createClient(app)]
      const { body: id } = await one.get('/set')
      t.match(id, /^[\w-]{20,}$/)
      t.notMatch(one.jar.header(), id)
      for (const turn of [1, 2]) t.equal((await one.get('/')).body, id, `request ${turn}`)
      t.not((await other.get('/set')).body, id)
      const ids = [(await app.inject('/')).body, (await app.inject('/')).body]
      t.not(ids[0], ids[1], 'also where nothing is kept')
    })

    t.test('a session is new throughout the request that begins it, and in no later one', async (t) => {
      const { app } = await createApp(options)
      app.get('/', async ({ session }) => {
        const news = [session.isNew]
        session.visits = (session.visits ?? 0) + 1
        await session.commit()
        return [...news, session.isNew]
      })
      app.get('/renew', async ({ session }) => {
        await session.renew()
        return [session.isNew]
      })
      app.get('/regenerate', async ({ session }) => {
        await session.regenerate(['visits'])
        return [session.isNew]
      })
      const visitor = await createClient(app)
      t.same((await visitor.get('/')).json(), [true, true])
      t.same((await visitor.get('/')).json(), [false, false])
      t.same((await visitor.get('/renew')).json(), [false], 'another id is no other session')
      t.same((await visitor.get('/regenerate')).json(), [true])
      t.same((await visitor.get('/')).json(), [false, false])
    })

    t.test('it tells when it began, and when it ends: at the nearer of both limits', async (t) => {
      const { app, clock } = await createApp({ ...options, idleTimeout: 100, absoluteTimeout: 150, refreshAfter: 0 })
      app.get('/set', setVisits)
      app.get('/renew', async ({ session }) => session.renew())
      app.get('/', async ({ session }) => [session.createdAt, session.expiresAt])
      const visitor = await createClient(app)
      const began = clock.now()
      await visitor.get('/set')
      const at = (...seconds: number[]): string[] =>
        seconds.map((second) => new Date(began + second * 1000).toISOString())
      t.same((await visitor.get('/')).json(), at(0, 100))
      clock.advance(30)
      t.same((await visitor.get('/')).json(), at(0, 130), 'activity moves the one')
      clock.advance(50)
      await visitor.get('/renew')
      t.same((await visitor.get('/')).json(), at(0, 150), 'and nothing the other')
    })

    t.test(
      'the same object is there on every route and in every hook, also after the session was destroyed',
      async (t) => {
        const { app } = await createApp(options)
        const seen = new Map<string, unknown>()
        app.addHook('onRequest', async (request) => {
          seen.set(request.id, request.session)
          t.same({ ...request.session }, request.url === '/set' ? {} : { visits: 1, name: 'Ana' }, request.url)
        })
        app.addHook('onResponse', async (request) => {
          t.equal(request.session, seen.get(request.id), request.url)
        })
        app.setNotFoundHandler(async (request, reply) => {
          t.equal(request.session, seen.get(request.id))
          return reply.code(404).send({ ...request.session })
        })
        app.setErrorHandler(async (_error, request, reply) => {
          t.equal(request.session, seen.get(request.id))
          return reply.code(500).send({ ...request.session })
        })
        app.get('/set', setVisits)
        app.get('/fail', async () => {
          throw new Error('as a handler may')
        })
        app.get('/logout', async (request) => {
          await request.session.destroy()
          t.equal(request.session, seen.get(request.id))
          return { ...request.session }
        })
        const visitor = await createClient(app)
        await visitor.get('/set')
        for (const [url, status] of [
          ['/nowhere', 404],
          ['/fail', 500]
        ] as const) {
          const response = await visitor.get(url)
          t.equal(response.statusCode, status)
          t.same(response.json(), { visits: 1, name: 'Ana' })
          t.same(setCookieLines(response), [])
        }
        t.same((await visitor.get('/logout')).json(), {})
        t.equal(seen.size, 4)
      }
    )

    t.test('no way to go on revives a session that was destroyed', async (t) => {
      const { app } = await createApp(options)
      app.get('/set', setVisits)
      app.get('/read', async ({ session }) => ({ ...session, owner: session.ownerId }))
      app.get('/logout', async ({ session }) => {
        await session.destroy()
        session.setOwner('ana')
        session.permanent = true
        session.touch()
        await session.regenerate()
        session.visits = 2
        await t.rejects(
          session.update((data) => {
            data.visits = 3
          }),
          { code: 'ERR_SESSION_DESTROYED' }
        )
        await session.commit()
        return ''
      })
      const visitor = await createClient(app)
      await visitor.get('/set')
      t.match(setCookieLines(await visitor.get('/logout')), [/^session=; Max-Age=0; /])
      t.equal(visitor.jar.header(), '')
      t.same((await visitor.get('/read')).json(), {})
    })
  })
}
