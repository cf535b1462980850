import { once as onceEmitted } from 'node:events'
import { Readable } from 'node:stream'
import websocket from '@fastify/websocket'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import { WebSocket } from 'ws'
import { session } from '../../lib/index.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import type { SessionRecord } from '../../types/store.ts'
import {
  createApp,
  createStoredApp,
  decisionsOf,
  MODES,
  OTHER_SECRET,
  SECRET,
  START,
  withOneStore
} from '../helpers/app.ts'
import { once, RecordingStore } from '../helpers/recording-store.ts'

for (const { mode, options, isSelfContained } of MODES) {
  /** How many cookies a change of data sends. */
  const oneIfSelfContained = isSelfContained ? 1 : 0

  t.test(`${mode} sessions`, async (t) => {
    t.test('what is set is there at the next request, however it was changed', async (t) => {
      const { app } = await createApp(options)
      app.get('/set', async ({ session }) => {
        session.visits = 1
        session.nested = { deep: [{ value: 1 }] }
        session.names = ['Ana']
        return 'ok'
      })
      app.get('/deep', async ({ session }) => {
        session.nested?.deep.push({ value: 2 })
        return 'ok'
      })
      app.get('/drop', async ({ session }) => {
        delete session.names
        return 'ok'
      })
      app.get('/read', async ({ session }) => session)
      const visitor = await createClient(app)
      t.equal(setCookieLines(await visitor.get('/set')).length, 1)
      for (const url of ['/deep', '/drop']) {
        t.equal(setCookieLines(await visitor.get(url)).length, oneIfSelfContained, url)
      }
      const response = await visitor.get('/read')
      t.same(response.json(), { visits: 1, nested: { deep: [{ value: 1 }, { value: 2 }] } })
      t.same(setCookieLines(response), [], 'reading never writes')
    })

    t.test('no cookie is sent for a session that was not looked at, only read, or left as it was', async (t) => {
      const { app } = await createApp(options)
      app.get('/set', async ({ session }) => {
        session.cart = { b: 2, a: 1 }
        return 'ok'
      })
      app.get('/untouched', async () => 'ok')
      app.get('/read', async ({ session }) => session.cart)
      app.get('/same', async ({ session }) => {
        session.cart = { b: 2, a: 1 }
        return 'ok'
      })
      const visitor = await createClient(app)
      const anonymous = await visitor.get('/read')
      t.same(setCookieLines(anonymous), [], 'an anonymous visitor gets none')
      await visitor.get('/set')
      const decisions = await decisionsOf(async () => {
        for (const url of ['/untouched', '/read', '/same']) {
          t.same(setCookieLines(await visitor.get(url)), [], url)
        }
      })
      t.same(decisions, [
        ...(isSelfContained ? ['commit: untouched'] : ['open: opened', 'commit: untouched']),
        ...Array.from({ length: 2 }, () => ['open: opened', 'commit: unchanged']).flat()
      ])
    })

    t.test('a new session with nothing in it is not kept', async (t) => {
      const { app } = await createApp({ ...options, permanent: true })
      app.get('/', async ({ session }) => {
        session.touch()
        session.permanent = false
        await session.renew()
        return { isNew: session.isNew, size: session.size().keys }
      })
      const visitor = await createClient(app)
      let response = await visitor.get('/')
      const decisions = await decisionsOf(async () => {
        response = await visitor.get('/')
      })
      t.same(response.json(), { isNew: true, size: {} })
      t.same(decisions, ['open: no-cookie', 'commit: empty'])
      t.same(setCookieLines(response), [])
    })

    t.test('renew, assign and permanence are changes', async (t) => {
      const { app } = await createApp(options)
      app.get('/set', async ({ session }) => {
        session.visits = 1
        return session.id
      })
      app.get('/renew', async ({ session }) => {
        await session.renew()
        return session.id
      })
      app.get('/assign', async ({ session }) => {
        session.setOwner('ana{1}%')
        return session.id
      })
      app.get('/permanent', async ({ session }) => {
        session.permanent = true
        return session.id
      })
      app.get('/', async ({ session }) => ({ ...session, owner: session.ownerId, permanent: session.permanent }))
      const visitor = await createClient(app)
      const { body: firstId } = await visitor.get('/set')
      const decisions = await decisionsOf(async () => {
        const { body: secondId } = await visitor.get('/renew')
        t.not(firstId, secondId)
        const { body: thirdId } = await visitor.get('/assign')
        t.not(thirdId, secondId, 'another owner is a change of privilege')
        t.equal((await visitor.get('/assign')).body, thirdId, 'the same one is none')
        const permanent = await visitor.get('/permanent')
        t.match(setCookieLines(permanent)[0], /; Max-Age=86400;/)
      })
      t.same(
        decisions.filter((decision) => decision.startsWith('commit')),
        ['commit: renewed', 'commit: renewed', 'commit: unchanged', 'commit: changed']
      )
      t.same((await visitor.get('/')).json(), { visits: 1, owner: 'ana{1}%', permanent: true })
    })

    t.test('an owner alone is worth keeping', async (t) => {
      const { app } = await createApp(options)
      app.get('/assign', async ({ session }) => {
        session.setOwner('7')
        return ''
      })
      app.get('/', async ({ session }) => session.ownerId)
      const visitor = await createClient(app)
      await visitor.get('/assign')
      t.equal((await visitor.get('/')).body, '7')
    })

    t.test('destroy and clear send the cookie that clears, with the attributes of the one that was set', async (t) => {
      const cookie = { path: '/app', domain: 'example.com', secure: true, sameSite: 'none', partitioned: true } as const
      const { app } = await createApp({ ...options, cookie })
      app.get('/app/set', async ({ session }) => {
        session.visits = 1
        return ''
      })
      app.get('/app/destroy', async ({ session }) => {
        await session.destroy()
        return ''
      })
      app.get('/app/clear', async ({ session }) => {
        session.clear()
        return ''
      })
      app.get('/app/null', async (request) => {
        request.session = null
        return request.session.data()
      })
      for (const [url, reason] of [
        ['/app/destroy', 'destroyed'],
        ['/app/clear', 'emptied'],
        ['/app/null', 'destroyed']
      ]) {
        const visitor = await createClient(app)
        const [set = ''] = setCookieLines(await visitor.get('/app/set'))
        const attributes = (line: string): string[] =>
          line
            .split('; ')
            .slice(1)
            .filter((part) => !/^(Max-Age|Expires)=/.test(part))
        let cleared = ''
        const decisions = await decisionsOf(async () => {
          cleared = setCookieLines(await visitor.get(url as string))[0] ?? ''
        })
        t.match(cleared, /^session=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; /)
        t.same(attributes(cleared), attributes(set))
        t.equal(decisions.at(-1), `commit: ${reason}`)
        t.equal(visitor.jar.header(), '')
      }
    })

    t.test('a cookie that does not open is cleared by destroy, and nothing is sent to who has none', async (t) => {
      const { app } = await createApp(options)
      app.get('/destroy', async ({ session }) => {
        await session.destroy()
        return ''
      })
      t.same(setCookieLines(await app.inject('/destroy')), [])
      const forged = await app.inject({ url: '/destroy', headers: { cookie: 'session=forged' } })
      t.equal(setCookieLines(forged).length, 1)
    })

    t.test('nothing later in the request revives a destroyed session, and a warning says so', async (t) => {
      const { app, warnings } = await createApp(options)
      app.get('/set', async ({ session }) => {
        session.visits = 1
        return ''
      })
      app.get('/logout', async (request) => {
        await request.session.destroy()
        request.session.visits = 2
        await request.session.renew()
        await request.session.commit()
        await request.session.reload()
        request.session.set('visits', 3)
        return ''
      })
      const visitor = await createClient(app)
      await visitor.get('/set')
      const response = await visitor.get('/logout')
      t.equal(setCookieLines(response).length, 1)
      t.match(setCookieLines(response)[0], /^session=; Max-Age=0/)
      t.match(warnings()[0], { reason: 'destroyed' })
    })

    t.test('regenerate starts a new session with the keys that are named', async (t) => {
      const { app, clock } = await createApp({ ...options, permanent: true })
      app.get('/set', async ({ session }) => {
        session.visits = 1
        session.name = 'Ana'
        session.permanent = false
        session.setOwner('1')
        return ''
      })
      app.get('/regenerate', async ({ session }) => {
        await session.regenerate(['name'])
        return ''
      })
      app.get('/', async ({ session }) => ({
        ...session,
        id: session.id,
        created: session.createdAt.getTime(),
        owner: session.ownerId ?? null,
        permanent: session.permanent
      }))
      const visitor = await createClient(app)
      await visitor.get('/set')
      const before = (await visitor.get('/')).json()
      clock.advance(10)
      await visitor.get('/regenerate')
      const after = (await visitor.get('/')).json()
      t.not(after.id, before.id)
      t.equal(after.created, before.created + 10_000)
      t.match(after, { name: 'Ana', owner: null, permanent: true })
      t.equal(after.visits, undefined)
    })

    t.test('reload goes back to what came with the request', async (t) => {
      const { app } = await createApp(options)
      app.get('/set', async ({ session }) => {
        session.visits = 1
        session.setOwner('1')
        return ''
      })
      app.get('/reload', async ({ session }) => {
        session.visits = 2
        session.permanent = true
        session.setOwner('2')
        await session.renew()
        await session.reload()
        return { ...session, owner: session.ownerId, permanent: session.permanent }
      })
      app.get('/fresh', async ({ session }) => {
        session.visits = 2
        await session.reload()
        return session
      })
      t.same((await app.inject('/fresh')).json(), {})
      const visitor = await createClient(app)
      await visitor.get('/set')
      const response = await visitor.get('/reload')
      t.same(response.json(), { visits: 1, owner: '1', permanent: false })
      t.same(setCookieLines(response), [])
    })

    t.test('update is applied at once', async (t) => {
      const { app } = await createApp(options)
      app.get('/', async ({ session }) => session.update((data) => (data.visits = (data.visits ?? 0) + 1)))
      const visitor = await createClient(app)
      await visitor.get('/')
      t.equal((await visitor.get('/')).body, '2')
    })

    t.test('the first cookie that verifies wins', async (t) => {
      const { app, clock } = await createApp({ ...options, idleTimeout: 100, refreshAfter: 50 })
      app.get('/set', async ({ session }) => {
        session.visits = (session.visits ?? 0) + 1
        return ''
      })
      app.get('/', async ({ session }) => session.visits ?? 'none')
      const visitor = await createClient(app)
      await visitor.get('/set')
      const old = visitor.jar.header()
      clock.advance(101)
      await visitor.get('/set')
      await visitor.get('/set')
      const good = visitor.jar.header()
      const send = async (cookie: string): Promise<string> => (await app.inject({ url: '/', headers: { cookie } })).body
      t.equal(await send(`session=forged; ${good}`), '2')
      t.equal(await send(`${good}; session=forged`), '2')
      t.equal(await send(`${old}; ${good}`), '2', 'an expired one does not win')
      t.equal(await send(`xsession=1;session="${good.slice(8)}";  ${good}`), '2')
      t.equal(await send(`${good.replace('session', 'Session')}`), 'none')
      const decisions = await decisionsOf(() => send(`session=forged; ${old}`))
      t.same(decisions, ['open: malformed', 'commit: empty'], 'the first refusal is the one that is told')
    })

    t.test('a cookie under an old key is sent again under the new one, and nobody is logged out', async (t) => {
      const shared = withOneStore(options)
      const before = await createApp({ ...shared, secret: OTHER_SECRET })
      before.app.get('/', async ({ session }) => {
        session.userId = 7
        return session.id
      })
      const after = await createApp({ ...shared, secret: [SECRET, OTHER_SECRET] })
      after.app.get('/untouched', async () => '')
      after.app.get('/', async ({ session }) => ({ user: session.userId, id: session.id }))
      const later = await createApp({ ...shared, secret: SECRET })
      later.app.get('/', async ({ session }) => session.userId ?? 'nobody')

      const old = await createClient(before.app)
      const { body: id } = await old.get('/')
      const cookie = old.jar.header()
      let response = await after.app.inject({ url: '/untouched', headers: { cookie } })
      t.equal(setCookieLines(response).length, 1, 'on a route that does not look')
      const decisions = await decisionsOf(async () => {
        response = await after.app.inject({ url: '/', headers: { cookie } })
      })
      t.same(decisions, ['open: opened', 'commit: rekeyed'])
      t.same(response.json(), { user: 7, id })
      const renewed = (setCookieLines(response)[0] as string).split(';', 1)[0] as string
      t.equal((await later.app.inject({ url: '/', headers: { cookie: renewed } })).body, '7')
      t.equal((await later.app.inject({ url: '/', headers: { cookie } })).body, 'nobody')
    })

    t.test('idle expiry is exact with refreshAfter 0, activity prolongs, the absolute limit stays', async (t) => {
      const lifetimes = { idleTimeout: 120, absoluteTimeout: 600, refreshAfter: 0 }
      const { app, clock } = await createApp({ ...options, ...lifetimes })
      app.get('/set', async ({ session }) => {
        session.visits = 1
        return ''
      })
      app.get('/', async ({ session }) => session.visits ?? 'gone')
      const alive = async (wait: number): Promise<string> => {
        const visitor = await createClient(app)
        await visitor.get('/set')
        clock.advance(wait)
        return (await visitor.get('/')).body
      }
      t.equal(await alive(119), '1')
      t.equal(await alive(120), '1')
      t.equal(await alive(121), 'gone')

      const visitor = await createClient(app)
      await visitor.get('/set')
      for (let passed = 0; passed < 600; passed += 100) {
        clock.advance(100)
        t.equal((await visitor.get('/')).body, '1', `after ${passed + 100} s`)
      }
      clock.advance(1)
      t.equal((await visitor.get('/')).body, 'gone')
    })

    t.test('an untouched session is stamped again only when its stamp is old', async (t) => {
      const { app, clock } = await createApp({ ...options, idleTimeout: 1000, refreshAfter: 60 })
      app.get('/set', async ({ session }) => {
        session.visits = 1
        return session.id
      })
      app.get('/untouched', async () => '')
      app.get('/poll', { config: { session: { touch: false } } }, async () => '')
      app.get('/poll-write', { config: { session: { touch: false } } }, async ({ session }) => {
        session.visits = (session.visits ?? 0) + 1
        return session.expiresAt
      })
      app.get('/poll-touch', { config: { session: { touch: false } } }, async ({ session }) => {
        session.touch()
        return ''
      })
      app.get('/off', { config: { session: false } }, async () => '')
      app.get('/', async ({ session }) => ({ visits: session.visits, id: session.id, expires: session.expiresAt }))
      const visitor = await createClient(app)
      const { body: id } = await visitor.get('/set')
      clock.advance(59)
      t.same(setCookieLines(await visitor.get('/untouched')), [])
      clock.advance(1)
      t.same(setCookieLines(await visitor.get('/poll')), [], 'polling does not keep it alive')
      t.same(setCookieLines(await visitor.get('/off')), [])
      const unmoved = (await visitor.get('/poll-write')).json()
      t.equal(new Date(unmoved).getTime(), clock.now() + 940_000, 'nor does writing from a polling route')
      let decisions = await decisionsOf(async () => {
        t.equal(setCookieLines(await visitor.get('/untouched')).length, 1)
      })
      t.same(decisions, ['open: opened', 'commit: restamped'])
      const after = (await visitor.get('/')).json()
      t.same(after, { visits: 2, id, expires: new Date(clock.now() + 1_000_000).toISOString() })
      clock.advance(10)
      decisions = await decisionsOf(() => visitor.get('/poll-touch'))
      t.equal(decisions.at(-1), 'commit: restamped', 'touch() counts everywhere')
      t.same(setCookieLines(await app.inject({ url: '/untouched', headers: { cookie: 'session=forged' } })), [])
      const cookie = visitor.jar.header()
      for (const header of [`my_session=1; ${cookie}`, `a=session=1;${cookie}`, `my_session=1`, cookie]) {
        decisions = await decisionsOf(() => app.inject({ url: '/untouched', headers: { cookie: header } }))
        t.equal(decisions.at(-1), 'commit: untouched', header.slice(0, 20))
        if (isSelfContained) t.equal(decisions.length, 1, 'and nothing was opened for it')
      }
    })

    const tooLarge = 'a session that is too large fails the request with its size, and the old one stays good'
    t.test(tooLarge, { skip: !isSelfContained && 'a store has room' }, async (t) => {
      const { app, logs } = await createApp(options)
      app.get('/set', async ({ session }) => {
        session.name = 'Ana'
        return ''
      })
      app.get('/grow', async ({ session }) => {
        session.anything = 'x'.repeat(5000)
        return { bytes: session.size().bytes, limit: session.size().limit }
      })
      app.get('/', async ({ session }) => session)
      const visitor = await createClient(app)
      await visitor.get('/set')
      let status = 0
      const decisions = await decisionsOf(async () => {
        const response = await visitor.get('/grow')
        status = response.statusCode
        t.match(response.json(), { code: 'ERR_SESSION_TOO_LARGE', message: /anything \(5013 bytes\)/ })
        t.same(setCookieLines(response), [])
      })
      t.equal(status, 500)
      t.equal(decisions.at(-1), 'commit: too-large')
      t.same((await visitor.get('/')).json(), { name: 'Ana' })
      t.notMatch(JSON.stringify(logs), visitor.jar.get('session'), 'no cookie in a log')
    })

    t.test('a value that JSON cannot hold fails the request with its path', async (t) => {
      const { app } = await createApp(options)
      app.get('/', async ({ session }) => {
        session.anything = { when: new Date(0) }
        return ''
      })
      const decisions = await decisionsOf(async () => {
        const response = await app.inject('/')
        t.match(response.json(), { code: 'ERR_SESSION_VALUE', message: /session\.anything\.when/ })
      })
      t.equal(decisions.at(-1), 'commit: not-storable')
    })

    t.test('what JSON leaves out without a word fails the request, too', async (t) => {
      const { app } = await createApp(options)
      app.get('/set', async ({ session }) => {
        session.cart = { a: 1 }
        return ''
      })
      app.get('/bad/:kind', async (request) => {
        const kinds: Record<string, unknown> = {
          function: () => 1,
          symbol: Symbol('s'),
          nan: Number.NaN,
          map: new Map()
        }
        const { kind } = request.params as { kind: string }
        if (kind === 'toJSON') Object.assign(request.session, { toJSON: () => ({}) })
        else request.session.anything = kinds[kind]
        return ''
      })
      const visitor = await createClient(app)
      await visitor.get('/set')
      for (const kind of ['function', 'symbol', 'nan', 'map', 'toJSON']) {
        for (const response of [await app.inject(`/bad/${kind}`), await visitor.get(`/bad/${kind}`)]) {
          t.match(response.json(), { code: 'ERR_SESSION_VALUE' }, kind)
        }
      }
    })

    t.test('an error handler can mend or end a session that could not be sent', async (t) => {
      const [tooMuch, code] = isSelfContained
        ? ['x'.repeat(5000), 'ERR_SESSION_TOO_LARGE']
        : [new Map(), 'ERR_SESSION_VALUE']
      const { app } = await createApp(options)
      app.setErrorHandler(async (error: Error & { code: string }, request, reply) => {
        if (request.url === '/mend') delete request.session.anything
        if (request.url === '/end') await request.session.destroy()
        return reply.code(413).send(error.code)
      })
      const grow = async ({ session }: { session: { name?: unknown; anything?: unknown } }): Promise<string> => {
        session.name = 'Ana'
        session.anything = tooMuch
        return ''
      }
      for (const url of ['/leave', '/mend', '/end']) app.get(url, grow)
      app.get('/', async ({ session }) => session)
      const visitor = await createClient(app)
      const left = await visitor.get('/leave')
      t.same([left.statusCode, left.body, setCookieLines(left)], [413, code, []])
      t.equal((await visitor.get('/mend')).statusCode, 413)
      t.same((await visitor.get('/')).json(), { name: 'Ana' })
      t.equal((await visitor.get('/end')).statusCode, 413)
      t.equal(visitor.jar.header(), '')
    })

    t.test('a reply that shared caches may keep gets no cookie for the sake of a stamp or a key', async (t) => {
      const shared = withOneStore(options)
      const before = await createApp({ ...shared, secret: OTHER_SECRET })
      before.app.get('/', async ({ session }) => {
        session.visits = 1
        return ''
      })
      const { app, clock } = await createApp({ ...shared, secret: [SECRET, OTHER_SECRET] })
      app.get('/logo', async ({ query }, reply) => {
        reply.header('cache-control', (query as { cache: string }).cache)
        return ''
      })
      app.get('/logo-read', async ({ session }, reply) => {
        reply.header('cache-control', 'public, max-age=86400')
        return session.visits
      })
      const visitor = await createClient(before.app)
      await visitor.get('/')
      clock.advance(61)
      const ask = async (url: string): Promise<number> =>
        setCookieLines(await app.inject({ url, headers: { cookie: visitor.jar.header() } })).length
      t.equal(await ask('/logo?cache=public, max-age=86400'), 0)
      t.equal(await ask('/logo?cache=max-age=60'), 0)
      t.equal(await ask('/logo-read'), 0)
      t.equal(await ask('/logo?cache=private, max-age=60'), 1)
      t.equal(await ask('/logo?cache=no-store'), 1)
    })

    t.test('of many cookies of our name a few are tried', async (t) => {
      const { app } = await createApp(options)
      app.get('/', async ({ session }) => {
        session.visits = (session.visits ?? 0) + 1
        return session.visits
      })
      const visitor = await createClient(app)
      await visitor.get('/')
      const ask = async (forged: number): Promise<string> => {
        const cookie = `${'session=x; '.repeat(forged)}${visitor.jar.header()}`
        return (await app.inject({ url: '/', headers: { cookie } })).body
      }
      t.equal(await ask(7), '2')
      t.equal(await ask(8), '1')
    })

    t.test('the same data in another order of keys are no change', async (t) => {
      const { app } = await createApp(options)
      app.get('/set', async ({ session }) => {
        session.cart = { b: 2, a: 1 }
        session.visits = 12
        return ''
      })
      app.get('/reordered', async ({ session }) => {
        session.cart = { a: 1, b: 2 }
        session.visits = session.pop('visits')
        return ''
      })
      app.get('/permuted', async ({ session }) => {
        session.visits = 21
        return ''
      })
      app.get('/', async ({ session }) => session)
      const visitor = await createClient(app)
      await visitor.get('/set')
      t.same(setCookieLines(await visitor.get('/reordered')), [])
      t.equal(setCookieLines(await visitor.get('/permuted')).length, oneIfSelfContained)
      t.same((await visitor.get('/')).json(), { cart: { b: 2, a: 1 }, visits: 21 })
    })

    t.test('commit runs twice when another hook fails, and sends one cookie', async (t) => {
      const { app } = await createApp(options)
      app.addHook('onSend', async (_request, reply) => {
        if (reply.statusCode === 200) throw new Error('hook failed')
      })
      app.get('/', async ({ session }) => {
        session.visits = 1
        return 'ok'
      })
      app.get('/logout', async ({ session }) => {
        await session.destroy()
        return 'ok'
      })
      const visitor = await createClient(app)
      const response = await visitor.get('/')
      t.equal(response.statusCode, 500)
      t.equal(setCookieLines(response).length, 1)
      t.equal(setCookieLines(await visitor.get('/logout')).length, 1)
    })
  })
}

t.test('the reply tells caches what it depends on', async (t) => {
  const { app } = await createApp()
  app.get('/untouched', async () => '')
  app.get('/read', async ({ session }) => session)
  app.get('/off', { config: { session: false } }, async ({ session }) => session)
  app.get('/write', async ({ session }) => {
    session.visits = 1
    return ''
  })
  app.get('/own', async ({ session }, reply) => {
    session.visits = 2
    reply.header('cache-control', 'private, max-age=5').header('vary', 'Accept')
    return ''
  })
  const untouched = await app.inject('/untouched')
  t.equal(untouched.headers.vary, undefined)
  t.equal(untouched.headers['cache-control'], undefined)
  const read = await app.inject('/read')
  t.equal(read.headers.vary, 'Cookie')
  t.equal(read.headers['cache-control'], undefined)
  t.equal((await app.inject('/off')).headers.vary, undefined, 'what is always empty depends on no cookie')
  const write = await app.inject('/write')
  t.equal(write.headers.vary, 'Cookie')
  t.equal(write.headers['cache-control'], 'no-store')
  const own = await app.inject('/own')
  t.equal(own.headers.vary, 'Accept, Cookie')
  t.equal(own.headers['cache-control'], 'private, max-age=5')
})

t.test('options() changes the cookie of this reply', async (t) => {
  const { app } = await createApp()
  app.get('/', async ({ session }) => {
    session.visits = 1
    session.options({ path: '/x', sameSite: 'strict' })
    session.options({ priority: 'high', userInfo: 'ignored' } as object)
    return ''
  })
  app.get('/bad', async ({ session }) => {
    session.options({ sameSite: 'none' })
    return ''
  })
  t.match(
    setCookieLines(await app.inject('/'))[0],
    /; Path=\/x; Priority=High; HttpOnly; SameSite=Strict$|; Path=\/x;.*/
  )
  t.match(setCookieLines(await app.inject('/'))[0], /SameSite=Strict/)
  t.match((await app.inject('/bad')).json(), { code: 'ERR_SESSION_COOKIE_RULE' })

  const strict = await createApp({ cookie: { secure: true, sameSite: 'strict' } })
  strict.app.get('/', async ({ session }) => {
    session.visits = 1
    session.options({ secure: undefined, sameSite: undefined } as object)
    t.throws(() => session.options(null as never), { code: 'ERR_SESSION_VALUE' })
    return ''
  })
  t.match(setCookieLines(await strict.app.inject('/'))[0], /Secure; SameSite=Strict/, 'undefined takes nothing away')
})

t.test('a clock that stops making sense is an error, not a session for ever', async (t) => {
  let time = START.getTime()
  const { app } = await createApp({ clock: () => time })
  app.get('/', async ({ session }) => session)
  for (const now of [Number.NaN, -1000, Number.POSITIVE_INFINITY, 1e16]) {
    time = now
    t.match((await app.inject('/')).json(), { code: 'ERR_SESSION_OPTION_INVALID' }, String(now))
  }
})

t.test('secure follows the protocol, and a Secure cookie on plain HTTP is warned of once', async (t) => {
  const write = async ({ session }: { session: { visits?: number | undefined } }): Promise<string> => {
    session.visits = (session.visits ?? 0) + 1
    return ''
  }
  const auto = await createApp({}, { trustProxy: true })
  auto.app.get('/', write)
  t.notMatch(setCookieLines(await auto.app.inject('/'))[0], /Secure/)
  t.match(setCookieLines(await auto.app.inject({ url: '/', headers: { 'x-forwarded-proto': 'https' } }))[0], /; Secure/)
  t.same(auto.warnings(), [])

  const secure = await createApp({ cookie: { secure: true } })
  secure.app.get('/', write)
  const decisions = await decisionsOf(async () => {
    t.match(setCookieLines(await secure.app.inject('/'))[0], /; Secure/, 'it is sent all the same')
    await secure.app.inject('/')
  })
  t.equal(decisions.filter((decision) => decision === 'commit: insecure-transport').length, 2)
  t.equal(secure.warnings().length, 1)
  t.match(secure.warnings()[0], { reason: 'insecure-transport', msg: /trustProxy/ })

  const insecure = await createApp({ cookie: { secure: false } }, { trustProxy: true })
  insecure.app.get('/', write)
  t.notMatch(
    setCookieLines(await insecure.app.inject({ url: '/', headers: { 'x-forwarded-proto': 'https' } }))[0],
    /Secure/
  )
})

t.test('permanent cookies live as long as the session can, and 400 days at most', async (t) => {
  const lifetimes = { idleTimeout: 40_000_000, absoluteTimeout: 50_000_000, permanent: true }
  const { app, clock } = await createApp(lifetimes)
  app.get('/', async ({ session }) => {
    session.visits = (session.visits ?? 0) + 1
    return ''
  })
  const visitor = await createClient(app)
  t.match(setCookieLines(await visitor.get('/'))[0], /; Max-Age=34560000;/)
  clock.advance(30_000_000)
  t.match(setCookieLines(await visitor.get('/'))[0], /; Max-Age=20000000;/, 'the absolute limit is nearer')
})

t.test('on a route without sessions the object is there, keeps nothing and says so', async (t) => {
  const { app, warnings } = await createApp()
  app.get('/set', async ({ session }) => {
    session.visits = 1
    return ''
  })
  app.get('/off', { config: { session: false } }, async ({ session }) => {
    const before = { ...session }
    session.visits = 2
    await t.rejects(session.commit(), { code: 'ERR_SESSION_DISABLED' })
    return before
  })
  app.get('/off-logout', { config: { session: false } }, async ({ session }) => session.destroy())
  app.get('/off-read', { config: { session: false } }, async ({ session }) => session)
  const visitor = await createClient(app)
  await visitor.get('/set')
  const decisions = await decisionsOf(async () => {
    const response = await visitor.get('/off')
    t.same(response.json(), {})
    t.same(setCookieLines(response), [])
  })
  t.same(decisions, ['open: disabled', 'commit: disabled'])
  t.match(warnings(), [{ reason: 'disabled' }])
  await visitor.get('/off-read')
  t.equal(warnings().length, 1)
  await visitor.get('/off-logout')
  t.equal(warnings().length, 2, 'a logout that cannot work is not silent either')
  t.match(warnings()[1], { reason: 'disabled' })
})

t.test('raw and hijacked replies carry the cookie after commit()', async (t) => {
  const { app, warnings } = await createApp()
  app.get('/hijack', async ({ session }, reply) => {
    session.visits = 1
    reply.raw.setHeader('set-cookie', 'own=1')
    await session.commit()
    session.visits = 2
    await session.commit()
    await session.commit()
    reply.hijack()
    reply.raw.end('raw')
  })
  app.get('/written', async ({ session }, reply) => {
    session.visits = 1
    await session.commit()
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/plain' })
    reply.raw.end('raw')
  })
  app.get('/usual', async ({ session }, reply) => {
    session.visits = 1
    reply.header('set-cookie', 'own=1')
    await session.commit()
    return 'ok'
  })
  app.get('/nothing', async ({ session }, reply) => {
    await session.commit()
    reply.hijack()
    reply.raw.end('raw')
  })
  app.get('/', async ({ session }) => session)
  const visitor = await createClient(app)
  const hijacked = await visitor.get('/hijack')
  t.equal(setCookieLines(hijacked).length, 2)
  t.equal(setCookieLines(hijacked)[0], 'own=1')
  t.equal(hijacked.headers['cache-control'], 'no-store')
  t.equal(hijacked.headers.vary, 'Cookie')
  t.same((await visitor.get('/')).json(), { visits: 2 })
  t.equal(setCookieLines(await app.inject('/written')).length, 1)
  t.equal(setCookieLines(await app.inject('/usual')).length, 2)
  t.equal(setCookieLines(await app.inject('/nothing')).length, 0)
  t.same(warnings(), [])
})

t.test('a change that comes after the headers is warned of, never lost in silence', async (t) => {
  const { app, warnings } = await createApp()
  app.get('/hijack', async ({ session }, reply) => {
    session.visits = 1
    reply.hijack()
    reply.raw.end('raw')
  })
  app.get('/hijack-destroy', async ({ session }, reply) => {
    await session.destroy()
    reply.hijack()
    reply.raw.end('raw')
  })
  app.get('/after-send', async ({ session }, reply) => {
    session.visits = 1
    await reply.send('ok')
    session.visits = 2
  })
  app.get('/after-send-nested', async ({ session }, reply) => {
    session.cart = { a: 1 }
    const { cart } = session
    await reply.send('ok')
    cart.a = 2
  })
  app.get('/after-send-broken', async ({ session }, reply) => {
    await reply.send('ok')
    session.anything = 1n
  })
  app.get('/stream', async ({ session }, reply) => {
    session.visits = 1
    const body = new Readable({
      read() {
        session.visits = 2
        this.push(null)
      }
    })
    return reply.send(body)
  })
  app.get('/commit', async ({ session }, reply) => {
    reply.hijack()
    reply.raw.write('first')
    session.visits = 99
    await session.commit()
    await session.commit()
    reply.raw.end()
  })
  // Some turns of the event loop, after which the reply has ended and every check has run.
  const later = async (): Promise<void> => {
    for (let turn = 0; turn < 6; turn++) await new Promise(setImmediate)
  }
  app.get('/much-later', async (request, reply) => {
    request.session.visits = 500
    reply.send('ok')
    await later()
    await request.session.destroy()
    return reply
  })
  app.get('/in-on-response', async () => 'ok')
  app.addHook('onResponse', async (request) => {
    if (request.url !== '/in-on-response') return
    await new Promise(setImmediate)
    request.session.visits = 600
  })
  app.get('/harmless', async ({ session }, reply) => {
    session.visits = 1
    await session.commit()
    reply.hijack()
    reply.raw.end('raw')
  })
  app.get('/broken', async ({ session }) => {
    session.anything = 1n
    return ''
  })
  const visitor = await createClient(app)
  const urls = [
    '/hijack',
    '/hijack-destroy',
    '/after-send',
    '/after-send-nested',
    '/after-send-broken',
    '/stream',
    '/commit'
  ]
  for (const url of urls) {
    const before = warnings().length
    const decisions = await decisionsOf(async () => {
      await visitor.get(url)
      await new Promise(setImmediate)
    })
    t.equal(warnings().length, before + 1, url)
    t.match(warnings().at(-1), { reason: 'headers-sent' }, url)
    t.ok(decisions.includes('commit: headers-sent'), url)
  }
  for (const url of ['/much-later', '/in-on-response']) {
    const before = warnings().length
    await visitor.get(url)
    await later()
    await later()
    t.equal(warnings().length, before + 1, url)
  }
  const before = warnings().length
  for (const url of ['/harmless', '/broken']) await visitor.get(url)
  await new Promise(setImmediate)
  t.equal(warnings().length, before)
})

t.test('an upgrade takes the cookie along, and what comes when it is over is warned of once', async (t) => {
  const { app, warnings } = await createApp()
  await app.register(websocket)
  let request: FastifyRequest | undefined
  let raw: FastifyReply['raw'] | undefined
  app.get('/', { websocket: true }, (_socket, upgraded) => {
    request = upgraded
  })
  app.addHook('preHandler', async (request, reply) => {
    raw = reply.raw
    if (request.query && 'visit' in (request.query as object)) request.session.visits = 1
  })
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  /** Opens a socket, closes it, and gives the cookies that came with the 101. */
  const connect = async (path: string): Promise<string[] | undefined> => {
    const socket = new WebSocket(address.replace('http', 'ws') + path)
    const [[{ headers }]] = await Promise.all([onceEmitted(socket, 'upgrade'), onceEmitted(socket, 'open')])
    const closed = onceEmitted(raw as FastifyReply['raw'], 'close')
    socket.terminate()
    await closed
    return headers['set-cookie']
  }
  t.match(await connect('/?visit'), [/^session=s1/])
  t.same(warnings(), [])

  t.equal(await connect('/'), undefined)
  const { session } = request as FastifyRequest
  session.visits = 2
  await new Promise(setImmediate)
  t.match(warnings(), [{ reason: 'headers-sent' }], 'nobody looked before the socket was closed')
  const listeners = raw?.listenerCount('close')
  for (let look = 0; look < 20; look++) (request as FastifyRequest).session.visits = look
  await new Promise(setImmediate)
  t.equal(raw?.listenerCount('close'), listeners)
  t.equal(warnings().length, 1)
})

t.test('a client that goes away before the reply is no mistake of the application', async (t) => {
  const { app, warnings } = await createApp()
  let arrived = (): void => {}
  const arrival = new Promise<void>((resolve) => {
    arrived = resolve
  })
  let gone = (): void => {}
  const departure = new Promise<void>((resolve) => {
    gone = resolve
  })
  app.get('/', async ({ session }, reply) => {
    session.visits = 1
    reply.raw.on('close', gone)
    arrived()
    await departure
    return ''
  })
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  const abort = new AbortController()
  const response = fetch(address, { signal: abort.signal }).catch((error: Error) => error.name)
  await arrival
  abort.abort()
  t.equal(await response, 'AbortError')
  await departure
  t.same(warnings(), [])
})

t.test('an earlier hook than ours can use the session, but not commit it', async (t) => {
  const clock = new FakeClock(START)
  const app = fastify()
  app.addHook('onRequest', async (request) => {
    request.session.visits = 1
    await t.rejects(request.session.commit(), { code: 'ERR_SESSION_DISABLED' })
  })
  await app.register(session, { secret: SECRET, clock: clock.now })
  app.get('/', async ({ session }) => session)
  const response = await app.inject('/')
  t.same(response.json(), { visits: 1 })
  t.equal(setCookieLines(response).length, 1)
})

/** The usual routes, and a visitor with a session of `{ visits: 1, name: 'Ana' }`. More routes can be added. */
async function createVisited(options: Parameters<typeof createStoredApp>[0] = {}) {
  const made = await createStoredApp(options)
  const { app, store, clock } = made
  app.get('/set', setVisits)
  app.get('/untouched', async () => 'ok')
  app.get('/read', async ({ session }) => ({ ...session }))
  app.get('/count', async ({ session }) => {
    session.visits = (session.visits ?? 0) + 1
    return session.visits
  })
  app.get('/update', async ({ session }) =>
    session.update((data) => {
      data.visits = (data.visits ?? 0) + 1
      return data.visits
    })
  )
  app.get('/renew', async ({ session }) => {
    session.userId = 7
    await session.renew()
    return session.id
  })
  app.get('/logout', async ({ session }) => session.destroy())
  // Another process has let the visitor in: this one has not started yet.
  const other = await createApp({ ...options, store, clock: clock.now })
  other.app.get('/set', setVisits)
  const response = await other.app.inject('/set')
  const visitor = await createClient(app)
  visitor.jar.take(response)
  const recordOf = async (handle: string): Promise<unknown> => {
    const record = await store.inner.load(handle)
    return record && JSON.parse(record.json)
  }
  store.takeCalls()
  return { ...made, visitor, key: response.body, recordOf }
}

async function setVisits({ session }: FastifyRequest): Promise<string> {
  session.visits = 1
  session.name = 'Ana'
  return session.id
}

t.test('the store is asked nothing for a cookie that cannot be one of ours', async (t) => {
  const { app, store, visitor } = await createVisited()
  const good = visitor.jar.header()
  const byValue = await createApp()
  const encrypted = await createApp({ encrypt: true })
  const foreign: string[] = []
  for (const { app: other } of [byValue, encrypted]) {
    other.get('/', async ({ session }) => {
      session.visits = 1
      return ''
    })
    const stranger = await createClient(other)
    await stranger.get('/')
    foreign.push(stranger.jar.header())
  }
  const headers = [
    undefined,
    '',
    'other=1',
    `xsession=${good.slice(8)}`,
    ...foreign,
    `${good.slice(0, -1)}${good.endsWith('A') ? 'B' : 'A'}`,
    good.slice(0, -1),
    `${good}x`,
    good.replace('=r1', '=r2'),
    'session=../../../../etc/passwd',
    'session=\0',
    'session=a\r\nSet-Cookie: x=1',
    `session=${'x'.repeat(10_000)}`,
    `session=r1${'x'.repeat(10_000)}`,
    'session='
  ]
  for (const cookie of headers) {
    for (const url of ['/untouched', '/read']) {
      const response = await app.inject({ url, headers: cookie === undefined ? {} : { cookie } })
      t.equal(response.statusCode, 200)
      t.same(setCookieLines(response), [])
    }
  }
  t.same(store.takeCalls(), [])
})

t.test('nor for a route without sessions', async (t) => {
  const { app, store, visitor } = await createVisited()
  app.get('/off', { config: { session: false } }, async ({ session }) => ({ ...session }))
  t.same((await visitor.get('/off')).json(), {})
  t.same(store.takeCalls(), [])
})

t.test('what is new and empty is never stored, and what is new and not empty once', async (t) => {
  const { app, store } = await createVisited()
  await app.inject('/read')
  t.same(store.takeCalls(), [])
  await app.inject('/set')
  t.same(store.takeMethods(), ['create'])
})

t.test('an id that the store does not know is never taken over', async (t) => {
  const { app, store, visitor, key, recordOf } = await createVisited()
  const stale = visitor.jar.header()
  await store.inner.destroy(key)
  let response = await app.inject({ url: '/read', headers: { cookie: stale } })
  t.same(response.json(), {})
  const decisions = await decisionsOf(async () => {
    response = await app.inject({ url: '/set', headers: { cookie: stale } })
  })
  t.same(decisions, ['open: not-found', 'commit: created'])
  t.not(response.body, key)
  t.equal(setCookieLines(response).length, 1)
  t.not(setCookieLines(response)[0]?.split(';')[0], stale)
  t.equal(await recordOf(key), undefined)
})

t.test('who only reads costs one load, and so does who does not look', async (t) => {
  const { store, visitor, key } = await createVisited()
  for (const url of ['/read', '/untouched']) {
    const response = await visitor.get(url)
    t.same(store.takeCalls(), [['load', key]], url)
    t.same(setCookieLines(response), [])
    t.equal(response.headers['cache-control'], undefined)
    t.equal(response.headers.vary, url === '/read' ? 'Cookie' : undefined)
  }
})

t.test('activity is noted when the note is old, not before', async (t) => {
  const { store, visitor, clock, key } = await createVisited({ idleTimeout: 1000, refreshAfter: 60 })
  const created = clock.now() / 1000
  clock.advance(59)
  t.same(setCookieLines(await visitor.get('/read')), [])
  t.same(store.takeMethods(), ['load'])
  clock.advance(1)
  let response = await visitor.get('/untouched')
  t.same(store.takeCalls(), [
    ['load', key],
    ['touch', key, created + 1060, created + 60]
  ])
  t.equal(setCookieLines(response).length, 1, 'with a new stamp in the cookie')
  response = await visitor.get('/read')
  t.same(store.takeMethods(), ['load'], 'and then not again')
  t.same(setCookieLines(response), [])
})

t.test('a change is one commit of what changed and nothing else, and sends no cookie', async (t) => {
  const { app, store, visitor, key, clock, recordOf } = await createVisited()
  const now = clock.now() / 1000
  app.get('/change', async ({ session }, reply) => {
    session.visits = 2
    delete session.name
    session.cart = { a: 1 }
    reply.header('cache-control', 'public, max-age=60')
    return ''
  })
  app.get('/nested', async ({ session }) => {
    if (session.cart !== undefined) session.cart.b = 2
    return ''
  })
  let response = await visitor.get('/change')
  const unchanged = { permanent: undefined, lastSeenAt: undefined }
  t.same(store.takeCalls(), [
    ['load', key],
    ['commit', key, { set: { visits: '2', cart: '{"a":1}' }, unset: ['name'], ...unchanged }, now + 86_400, undefined]
  ])
  t.same(setCookieLines(response), [])
  t.equal(response.headers['cache-control'], 'public, max-age=60')
  clock.advance(5)
  response = await visitor.get('/nested')
  t.same(store.takeCalls()[1], [
    'commit',
    key,
    { set: { cart: '{"a":1,"b":2}' }, unset: [], permanent: undefined, lastSeenAt: now + 5 },
    now + 86_405,
    undefined
  ])
  t.equal(response.headers['cache-control'], undefined)
  t.same(setCookieLines(response), [])
  t.same(await recordOf(key), { visits: 2, cart: { a: 1, b: 2 } })
})

t.test('two requests that change different keys at the same time both win', async (t) => {
  const { app, visitor, store, key, recordOf } = await createVisited()
  app.get('/role', async ({ session }) => {
    session.role = 'guest'
    return ''
  })
  let others = Promise.resolve()
  store.before = once('commit', () => {
    others = visitor.get('/role').then(() => {})
    return others
  })
  await visitor.get('/count')
  await others
  t.same(await recordOf(key), { visits: 2, name: 'Ana', role: 'guest' })
})

t.test('a session is as large as its JSON, and has no limit', async (t) => {
  const { app, visitor } = await createVisited()
  app.get('/grow', async ({ session }) => {
    session.anything = 'ä'.repeat(50_000)
    const { bytes, limit, keys } = session.size()
    return { bytes, isBounded: Number.isFinite(limit), keys }
  })
  t.same((await visitor.get('/grow')).json(), {
    bytes: JSON.stringify({ visits: 1, name: 'Ana', anything: '' }).length + 100_000,
    isBounded: false,
    keys: { visits: 10, name: 12, anything: 100_013 }
  })
  t.equal((await visitor.get('/read')).json().anything.length, 50_000)
})

t.test('permanence is kept in the store and said in the cookie, again whenever it is sent', async (t) => {
  const { app, store, visitor, clock, key } = await createVisited({ idleTimeout: 1000, refreshAfter: 60 })
  app.get('/permanent/:value', async ({ session, params }) => {
    session.permanent = (params as { value: string }).value === 'true'
    return ''
  })
  t.match(setCookieLines(await visitor.get('/permanent/true')), [/; Max-Age=1000;/])
  t.match(store.takeCalls()[1], ['commit', key, { set: {}, unset: [], permanent: true }])
  t.same(setCookieLines(await visitor.get('/count')), [])
  clock.advance(60)
  t.match(setCookieLines(await visitor.get('/untouched')), [/; Max-Age=1000;/])
  t.equal((await store.inner.load(key))?.permanent, true)
  const [line = ''] = setCookieLines(await visitor.get('/permanent/false'))
  t.match(line, /^session=r1/)
  t.notMatch(line, /Max-Age/)
})

t.test('another secret asks for another cookie and changes nothing of the session', async (t) => {
  const { store, visitor, key, clock } = await createVisited({ secret: OTHER_SECRET })
  const after = await createApp({ secret: [SECRET, OTHER_SECRET], store, clock: clock.now })
  after.app.get('/', async ({ session }) => session.id)
  const response = await after.app.inject({ url: '/', headers: { cookie: visitor.jar.header() } })
  t.equal(response.body, key)
  t.equal(setCookieLines(response).length, 1)
  t.same(store.takeMethods(), ['load', 'touch'])
})

t.test('a new id is created before the old one is ended', async (t) => {
  const { store, visitor, key, recordOf, clock } = await createVisited()
  const old = visitor.jar.header()
  const response = await visitor.get('/renew')
  const newKey = response.body
  const calls = store.takeCalls()
  t.same(
    calls.map(([method, called]) => [method, called]),
    [
      ['load', key],
      ['load', key],
      ['create', newKey],
      ['commit', key],
      ['destroy', key]
    ]
  )
  t.match(calls[2], ['create', newKey, { createdAt: clock.now() / 1000 }])
  t.same(calls[3]?.slice(2), [{ set: {}, unset: [] }, 0, 0], 'only in the version that was copied, and for good')
  t.equal(setCookieLines(response).length, 1)
  t.not(visitor.jar.header(), old)
  t.same(await recordOf(newKey), { visits: 1, name: 'Ana', userId: 7 })
  t.equal(await recordOf(key), undefined)
})

t.test('what others write to the old id meanwhile moves along', async (t) => {
  const { store, visitor, key, recordOf } = await createVisited()
  const cookie = visitor.jar.header()
  let writes = 0
  store.before = (method, [called, , expiresAt]) => {
    // Twice, each time after it was copied and before it is ended.
    if (method !== 'commit' || called !== key || expiresAt !== 0 || writes === 2) return undefined
    writes++
    const set = writes === 1 ? { visits: '50' } : { role: '"guest"' }
    return store.inner.commit(key, { set, unset: writes === 1 ? [] : ['name'] }, 2_000_000_000)
  }
  const { body: newKey } = await visitor.get('/renew')
  t.equal(writes, 2)
  t.same(await recordOf(newKey), { visits: 50, userId: 7, role: 'guest' })
  t.equal(await recordOf(key), undefined)
  t.not(visitor.jar.header(), cookie)
})

t.test('a logout while a session gets a new id wins', async (t) => {
  for (const moment of ['load', 'create', 'commit'] as const) {
    const { store, visitor, key, recordOf, warnings } = await createVisited()
    let loads = 0
    let created = ''
    store.before = (method, [called]) => {
      if (method === 'create') created = called as string
      // The first load is that of the request itself.
      if (method === 'load') loads++
      const isNow = method === moment && (method !== 'load' || loads === 2)
      return isNow ? store.inner.destroy(key) : undefined
    }
    const response = await visitor.get('/renew')
    t.equal(response.statusCode, 200)
    t.same(setCookieLines(response), [], moment)
    t.match(warnings(), [{ reason: 'gone' }], moment)
    t.equal(await recordOf(key), undefined)
    t.equal(created === '' ? undefined : await recordOf(created), undefined, moment)
  }
})

t.test('gone is gone: what comes late keeps nothing, revives nothing and says so once', async (t) => {
  const { app, store, visitor, key, recordOf, warnings } = await createVisited()
  app.addHook('onSend', async (_request, reply) => {
    if (reply.getHeader('x-fail') !== undefined && reply.statusCode === 200) throw new Error('hook failed')
  })
  app.get('/late', async ({ session }, reply) => {
    session.visits = 99
    reply.header('x-fail', 'yes')
    return 'done'
  })
  store.before = once('commit', () => store.inner.destroy(key))
  let response = await visitor.get('/untouched')
  const decisions = await decisionsOf(async () => {
    response = await visitor.get('/late')
  })
  t.equal(response.statusCode, 500, 'the hook failed, the session did not')
  t.equal(decisions.at(-1), 'commit: gone')
  t.same(setCookieLines(response), [])
  t.equal(await recordOf(key), undefined)
  t.match(warnings(), [{ reason: 'gone' }])
  t.equal(warnings().length, 1)
})

t.test('a session that ended just when activity was to be noted is nothing to warn of', async (t) => {
  const { store, visitor, key, clock, warnings } = await createVisited()
  clock.advance(61)
  store.before = once('touch', () => store.inner.destroy(key))
  const decisions = await decisionsOf(async () => {
    t.same(setCookieLines(await visitor.get('/untouched')), [])
  })
  t.same(decisions, ['open: opened', 'commit: gone'])
  t.same(warnings(), [])
})

t.test('who asks for a result is told that the session is gone', async (t) => {
  const { app, store, visitor, key, recordOf } = await createVisited()
  const cookie = visitor.jar.header()
  app.get('/late/:method', async ({ session, params }) => {
    const { method } = params as { method: 'commit' | 'update' | 'reload' }
    session.visits = 99
    await store.inner.destroy(key)
    return method === 'update' ? session.update((data) => void delete data.name) : session[method]()
  })
  for (const method of ['commit', 'update', 'reload']) {
    await store.inner.create(key, recordFor('{"visits":1}'), 2_000_000_000)
    const response = await app.inject({ url: `/late/${method}`, headers: { cookie } })
    t.match(response.json(), { code: 'ERR_SESSION_GONE', statusCode: 409 }, method)
    t.same(setCookieLines(response), [], method)
    t.equal(await recordOf(key), undefined, method)
  }
})

t.test('a session that is gone can begin anew', async (t) => {
  const { app, store, visitor, key, recordOf } = await createVisited()
  app.get('/anew', async ({ session }) => {
    session.visits = 2
    await store.inner.destroy(key)
    await t.rejects(session.commit(), { code: 'ERR_SESSION_GONE' })
    await session.regenerate(['visits'])
    return session.id
  })
  const { body: newKey } = await visitor.get('/anew')
  t.not(newKey, key)
  t.same(await recordOf(newKey), { visits: 2 })
  t.equal((await visitor.get('/count')).body, '3')
})

t.test('a failure after that is a failure', async (t) => {
  const { app, store, visitor, key } = await createVisited()
  app.get('/anew', async ({ session }) => {
    session.visits = 2
    await store.inner.destroy(key)
    await t.rejects(session.commit(), { code: 'ERR_SESSION_GONE' })
    await session.regenerate()
    session.anything = new Map()
    return ''
  })
  t.match((await visitor.get('/anew')).json(), { code: 'ERR_SESSION_VALUE', statusCode: 500 })
})

t.test('a hundred updates at a time make a hundred, and each gives its own result', async (t) => {
  const { visitor, key, recordOf } = await createVisited()
  const responses = await Promise.all(Array.from({ length: 100 }, () => visitor.get('/update')))
  const results = responses.map(({ body }) => Number(body)).sort((a, b) => a - b)
  t.same(
    results,
    Array.from({ length: 100 }, (_, index) => index + 2)
  )
  t.same(await recordOf(key), { visits: 101, name: 'Ana' })
})

t.test('an update is made again on what others have made of the data', async (t) => {
  const { store, visitor, key, recordOf } = await createVisited()
  let others = 0
  store.before = async (method) => {
    if (method !== 'commit' || others === 3) return
    others++
    await store.inner.commit(key, { set: { visits: String(others * 10) }, unset: ['name'] }, 2_000_000_000)
  }
  const response = await visitor.get('/update')
  t.equal(response.body, '31')
  t.same(await recordOf(key), { visits: 31 })
  t.equal(store.takeMethods().filter((method) => method === 'commit').length, 4)
})

t.test('when others are always faster an update gives up, and nothing of it is kept', async (t) => {
  const { store, visitor, key, recordOf } = await createVisited()
  store.before = async (method) => {
    if (method === 'commit') await store.inner.commit(key, { set: { role: '"guest"' }, unset: [] }, 2_000_000_000)
  }
  const response = await visitor.get('/update')
  t.match(response.json(), { code: 'ERR_SESSION_CONFLICT', statusCode: 409 })
  t.same(await recordOf(key), { visits: 1, name: 'Ana', role: 'guest' })
})

t.test('and so does a new id, which leaves the session under the old one', async (t) => {
  const { store, visitor, key, recordOf } = await createVisited()
  const keys = new Set<string>()
  store.before = async (method, [called, , expiresAt]) => {
    keys.add(called as string)
    if (method !== 'commit' || called !== key || expiresAt !== 0) return
    await store.inner.commit(key, { set: { role: '"guest"' }, unset: [] }, 2_000_000_000)
  }
  const response = await visitor.get('/renew')
  t.match(response.json(), { code: 'ERR_SESSION_CONFLICT', statusCode: 409 })
  t.same(setCookieLines(response), [])
  t.same(await recordOf(key), { visits: 1, name: 'Ana', role: 'guest' })
  t.equal(keys.size, 2)
  for (const other of keys) if (other !== key) t.equal(await recordOf(other), undefined)
})

t.test('an update takes along what was changed before it, and leaves what is changed after it', async (t) => {
  const { app, store, visitor, key, recordOf } = await createVisited()
  app.get('/mixed', async ({ session }) => {
    session.role = 'guest'
    delete session.name
    await store.inner.commit(key, { set: { userId: '7' }, unset: [] }, 2_000_000_000)
    await session.update((data) => {
      t.same(data, { visits: 1, role: 'guest', userId: 7 })
      data.visits = 2
    })
    t.same({ ...session }, { visits: 2, role: 'guest', userId: 7 })
    t.same(await recordOf(key), { visits: 2, role: 'guest', userId: 7 }, 'it is kept already')
    session.names = ['after']
    return ''
  })
  await visitor.get('/mixed')
  t.same(await recordOf(key), { visits: 2, role: 'guest', userId: 7, names: ['after'] })
  const commits = store.takeCalls().filter(([method]) => method === 'commit')
  t.match(commits[1], ['commit', key, { set: { names: '["after"]' }, unset: [] }])
})

t.test('an update that changes nothing writes nothing', async (t) => {
  const { app, store, visitor } = await createVisited()
  app.get('/nothing', async ({ session }) => session.update((data) => data.visits))
  t.equal((await visitor.get('/nothing')).body, '1')
  t.same(store.takeMethods(), ['load', 'load'])
})

t.test('an update of a session that has a new id to come is made under the new one', async (t) => {
  const { app, visitor, key, recordOf } = await createVisited()
  app.get('/renew-update', async ({ session }) => {
    await session.renew()
    await session.update((data) => {
      data.visits = 2
    })
    t.same(await recordOf(session.id), { visits: 2, name: 'Ana' }, 'it is there when the update is')
    t.equal(await recordOf(key), undefined)
    return session.id
  })
  app.get('/regenerate-update', async ({ session }) => {
    await session.regenerate(['name'])
    await session.update((data) => {
      data.visits = 3
    })
    return session.id
  })
  app.get('/nothing-left', async ({ session }) => {
    await session.regenerate()
    await session.update((data) => {
      data.visits = 4
    })
    return session.id
  })
  app.get('/new', async ({ session }) => {
    await session.update((data) => {
      data.visits = 5
    })
    return session.id
  })
  let before = key
  for (const [url, data] of [
    ['/renew-update', { visits: 2, name: 'Ana' }],
    ['/regenerate-update', { visits: 3, name: 'Ana' }],
    ['/nothing-left', { visits: 4 }]
  ] as const) {
    const response = await visitor.get(url)
    t.equal(response.statusCode, 200, url)
    t.not(response.body, before)
    t.same(await recordOf(response.body), data, url)
    t.equal(await recordOf(before), undefined)
    t.same((await visitor.get('/read')).json(), data)
    before = response.body
  }
  const { body: created } = await app.inject('/new')
  t.same(await recordOf(created), { visits: 5 })
})

t.test('regenerate ends the old session after the new one is there', async (t) => {
  const { app, store, visitor, key, recordOf } = await createVisited()
  app.get('/regenerate', async ({ session }) => {
    await session.regenerate(['name'])
    return session.id
  })
  const { body: newKey } = await visitor.get('/regenerate')
  t.same(
    store.takeCalls().map(([method, called]) => [method, called]),
    [
      ['load', key],
      ['create', newKey],
      ['destroy', key]
    ]
  )
  t.same(await recordOf(newKey), { name: 'Ana' })
  t.equal(await recordOf(key), undefined)
})

t.test('destroy ends the record and clears the cookie; a copy of it opens nothing', async (t) => {
  const { app, store, visitor, key, recordOf } = await createVisited()
  const copy = visitor.jar.header()
  const response = await visitor.get('/logout')
  t.match(setCookieLines(response), [/^session=; Max-Age=0/])
  t.same(store.takeCalls(), [
    ['load', key],
    ['destroy', key]
  ])
  t.equal(await recordOf(key), undefined)
  t.same((await app.inject({ url: '/read', headers: { cookie: copy } })).json(), {})
})

t.test('a session that loses its last data, or its owner with them, is ended', async (t) => {
  const { app, store, visitor, key } = await createVisited()
  app.get('/clear', async ({ session }) => {
    session.clear()
    return ''
  })
  app.get('/assign', async ({ session }) => {
    session.setOwner('ana')
    return session.id
  })
  const { body: owned } = await visitor.get('/assign')
  t.not(owned, key)
  t.match(setCookieLines(await visitor.get('/clear')), [/^session=; Max-Age=0/])
  t.same(store.takeMethods().slice(-2), ['load', 'destroy'])
  t.equal(await store.inner.load(owned), undefined)
})

t.test('a session that was emptied goes on where others have put something into it meanwhile', async (t) => {
  const { app, store, visitor, key, recordOf } = await createVisited()
  app.get('/clear', async ({ session }) => {
    session.clear()
    return ''
  })
  store.before = once('commit', () => store.inner.commit(key, { set: { role: '"guest"' }, unset: [] }, 2_000_000_000))
  let response = await visitor.get('/clear')
  t.same(setCookieLines(response), [])
  t.same(await recordOf(key), { role: 'guest' })
  store.before = once('commit', () => store.inner.destroy(key))
  const decisions = await decisionsOf(async () => {
    response = await visitor.get('/clear')
  })
  t.equal(decisions.at(-1), 'commit: gone')
  t.same(setCookieLines(response), [])
})

t.test('what is still in the store may have expired all the same', async (t) => {
  const clock = new FakeClock(START)
  // A store that forgets nothing.
  const store = new RecordingStore(new MemoryStore({ clock: () => 0, pruneInterval: 0 }))
  const { app } = await createApp({ store, clock: clock.now, idleTimeout: 100, absoluteTimeout: 150, refreshAfter: 0 })
  app.get('/set', async ({ session }) => {
    session.visits = 1
    return ''
  })
  app.get('/', async ({ session }) => session.visits ?? 'gone')
  const visitor = await createClient(app)
  await visitor.get('/set')
  clock.advance(100)
  t.equal((await visitor.get('/')).body, '1')
  clock.advance(51)
  t.same(await decisionsOf(() => visitor.get('/')), ['open: expired-absolute', 'commit: empty'])
  const other = await createClient(app)
  await other.get('/set')
  clock.advance(101)
  t.same(await decisionsOf(() => other.get('/')), ['open: expired-idle', 'commit: empty'])
})

t.test('of several cookies the first that the store knows wins', async (t) => {
  const { app, store, visitor, key } = await createVisited()
  const other = await createClient(app)
  const { body: unknown } = await other.get('/set')
  await store.inner.destroy(unknown)
  store.takeCalls()
  const cookie = `session=forged; ${other.jar.header()}; ${visitor.jar.header()}`
  const response = await app.inject({ url: '/read', headers: { cookie } })
  t.same(response.json(), { visits: 1, name: 'Ana' })
  t.same(store.takeCalls(), [
    ['load', unknown],
    ['load', key]
  ])
})

t.test('an onRequest hook before ours comes too early for a session that has to be loaded', async (t) => {
  for (const headers of [{}, { cookie: 'session=x' }]) {
    const app = fastify()
    app.addHook('onRequest', async (request) => {
      t.throws(() => request.session, { code: 'ERR_SESSION_NOT_LOADED', message: /request\.session is loaded/ })
    })
    await app.register(session, { secret: SECRET, store: new MemoryStore({ pruneInterval: 0 }) })
    app.get('/', async ({ session }) => ({ ...session }))
    app.get('/off', { config: { session: false } }, async () => '')
    t.equal((await app.inject({ url: '/', headers })).statusCode, 200)
  }
})

t.test('a store that is down when a session is loaded answers 503, and logs nobody out', async (t) => {
  const { app, store, visitor } = await createVisited()
  const cookie = visitor.jar.header()
  store.before = () => Promise.reject(new Error('ECONNREFUSED 10.0.0.1'))
  let response = await visitor.get('/read')
  t.equal(response.statusCode, 503)
  t.equal(response.headers['retry-after'], '5')
  t.match(response.json(), { code: 'ERR_SESSION_STORE_UNAVAILABLE', message: /^The session store is not available/ })
  t.notMatch(response.body, /ECONN/)
  t.same(setCookieLines(response), [])
  t.equal((await app.inject('/read')).statusCode, 200, 'who has no cookie needs no store')
  const decisions = await decisionsOf(async () => {
    response = await visitor.get('/count')
  })
  t.same(decisions, ['open: store-unavailable', 'commit: store-unavailable'])
  store.before = () => undefined
  t.equal(visitor.jar.header(), cookie)
  t.equal((await visitor.get('/count')).body, '2')
})

t.test('a store that throws at once is as far away as one that rejects', async (t) => {
  const store = new MemoryStore({ pruneInterval: 0 })
  const { app, clock } = await createApp({ store: () => store })
  app.get('/set', setVisits)
  app.get('/read', async ({ session }) => ({ ...session }))
  app.get('/news', { config: { session: { onStoreError: 'anonymous' } } }, async ({ session }) => ({ ...session }))
  app.get('/logout', async ({ session }) => session.destroy())
  clock.set(new Date())
  const visitor = await createClient(app)
  await visitor.get('/set')
  const down = (): never => {
    throw new Error('down')
  }
  store.destroy = down
  t.equal((await visitor.get('/logout')).statusCode, 503)
  store.load = down
  const response = await visitor.get('/read')
  t.equal(response.statusCode, 503)
  t.match(response.json(), { code: 'ERR_SESSION_STORE_UNAVAILABLE' })
  t.same(setCookieLines(response), [])
  const news = await visitor.get('/news')
  t.same([news.statusCode, news.json(), setCookieLines(news)], [200, {}, []])
  store.create = down
  t.equal((await app.inject('/set')).statusCode, 503)
})

t.test('an error handler may look at the session that could not be loaded, which keeps nothing', async (t) => {
  const { app, store, visitor, warnings } = await createVisited()
  app.setErrorHandler(async (error: Error & { code: string }, request, reply) => {
    t.same({ ...request.session }, {})
    t.equal(request.session.isNew, true)
    request.session.visits = 99
    return reply.code(503).send(error.code)
  })
  store.before = () => Promise.reject(new Error('down'))
  const response = await visitor.get('/read')
  t.same([response.statusCode, response.body], [503, 'ERR_SESSION_STORE_UNAVAILABLE'])
  t.same(setCookieLines(response), [])
  t.match(warnings(), [{ reason: 'store-unavailable' }])
  store.before = () => undefined
  t.same((await visitor.get('/read')).json(), { visits: 1, name: 'Ana' })
})

t.test('a route may be served without its session while the store is down', async (t) => {
  const { app, store, visitor, logs, warnings } = await createVisited()
  const config = { session: { onStoreError: 'anonymous' } } as const
  app.get('/news', { config }, async ({ session }) => ({ ...session }))
  app.get('/news-count', { config }, async ({ session }) => {
    session.visits = (session.visits ?? 0) + 1
    return session.visits
  })
  app.get('/news-logout', { config }, async ({ session }) => session.destroy())
  app.get('/news-commit', { config }, async ({ session }) => session.commit())
  const cookie = visitor.jar.header()
  t.same((await visitor.get('/news')).json(), { visits: 1, name: 'Ana' }, 'as usual while it is up')
  store.takeCalls()
  store.before = () => Promise.reject(new Error('down'))
  let response = await visitor.get('/news')
  t.same([response.statusCode, response.json(), setCookieLines(response)], [200, {}, []])
  t.match(
    logs.filter(({ level }) => level === 50),
    [{ msg: /onStoreError: 'anonymous'/ }]
  )
  t.same(warnings(), [])
  const decisions = await decisionsOf(async () => {
    response = await visitor.get('/news-count')
  })
  t.same(decisions, ['open: store-unavailable', 'commit: store-unavailable'])
  t.same([response.statusCode, response.body, setCookieLines(response)], [200, '1', []])
  t.match(warnings(), [{ reason: 'store-unavailable' }])
  t.same(store.takeMethods(), ['load', 'load'])
  await visitor.get('/news-logout')
  t.equal(visitor.jar.header(), cookie, 'nobody is told to be logged out who is not')
  t.equal(warnings().length, 2)
  const committing = await visitor.get('/news-commit')
  t.match(committing.json(), { code: 'ERR_SESSION_STORE_UNAVAILABLE', statusCode: 503 }, 'who insists is told')
})

t.test('a store that goes down before the session is kept answers 503 without a cookie', async (t) => {
  const { app, store, visitor, key, recordOf } = await createVisited()
  const config = { session: { onStoreError: 'anonymous' } } as const
  app.get('/news', { config }, async ({ session }) => {
    session.visits = 50
    return 'news'
  })
  for (const [url, method] of [
    ['/count', 'commit'],
    ['/renew', 'create'],
    ['/renew', 'commit'],
    ['/renew', 'destroy'],
    ['/logout', 'destroy']
  ] as const) {
    store.before = (called) => (called === method ? Promise.reject(new Error('down')) : undefined)
    let response = await visitor.get('/untouched')
    const decisions = await decisionsOf(async () => {
      response = await visitor.get(url)
    })
    t.equal(response.statusCode, 503, url)
    t.equal(response.headers['retry-after'], '5')
    t.same(setCookieLines(response), [], `${url} ${method}`)
    t.equal(decisions.at(-1), 'commit: store-unavailable')
    if (url !== '/renew') t.same(await recordOf(key), { visits: 1, name: 'Ana' }, url)
    await store.inner.destroy(key)
    await store.inner.create(key, recordFor('{"visits":1,"name":"Ana"}'), 2_000_000_000)
  }
  store.before = (called) => (called === 'commit' ? Promise.reject(new Error('down')) : undefined)
  const response = await visitor.get('/news')
  t.same([response.statusCode, response.body, setCookieLines(response)], [200, 'news', []])
  store.before = () => Promise.reject(new Error('down'))
  t.equal((await app.inject('/set')).statusCode, 503, 'nor is a new session promised')
  t.same(setCookieLines(await app.inject('/set')), [])
})

t.test('a store that does not answer is down, and what it answers later changes nothing', async (t) => {
  const { store, visitor, warnings } = await createVisited({ storeTimeout: 0.02 })
  const answers: (() => void)[] = []
  const wait = (): Promise<void> => new Promise((resolve) => void answers.push(resolve))
  // The timer of a deadline keeps no process alive.
  const alive = setInterval(() => {}, 1000)
  store.before = wait
  const loading = await visitor.get('/read')
  store.before = (method) => (method === 'commit' ? wait() : undefined)
  const committing = await visitor.get('/count')
  clearInterval(alive)
  for (const response of [loading, committing]) {
    t.equal(response.statusCode, 503)
    t.match(response.json(), { code: 'ERR_SESSION_STORE_UNAVAILABLE' })
    t.same(setCookieLines(response), [])
  }
  t.equal(answers.length, 2)
  for (const answer of answers) answer()
  await new Promise(setImmediate)
  t.same(warnings(), [])
})

t.test('commit() keeps the session before a reply that bypasses Fastify', async (t) => {
  const { app, store, visitor, key, recordOf, warnings } = await createVisited()
  app.get('/hijack', async ({ session }, reply) => {
    session.visits = 10
    await session.commit()
    reply.hijack()
    reply.raw.write('raw')
    session.visits = 11
    await session.commit()
    reply.raw.end()
  })
  app.get('/hijack-new', async ({ session }, reply) => {
    session.visits = 20
    await session.commit()
    reply.hijack()
    reply.raw.end('raw')
  })
  app.get('/too-late', async ({ session }, reply) => {
    reply.hijack()
    reply.raw.write('raw')
    await session.renew()
    await session.commit()
    reply.raw.end()
  })
  const response = await visitor.get('/hijack')
  t.same(setCookieLines(response), [])
  t.same(await recordOf(key), { visits: 11, name: 'Ana' }, 'data can be kept after the headers are gone')
  t.same(warnings(), [])
  const created = await app.inject('/hijack-new')
  t.equal(setCookieLines(created).length, 1)
  store.takeCalls()
  await visitor.get('/too-late')
  await new Promise(setImmediate)
  t.same(store.takeMethods(), ['load'], 'a new id that nobody would learn of is not made')
  t.match(warnings(), [{ reason: 'headers-sent' }])
})

t.test('a session that ends after the headers needs no cookie: its id opens nothing any more', async (t) => {
  const { app, store, visitor, warnings } = await createVisited()
  let end = async (_request: FastifyRequest): Promise<void> => {}
  app.get('/end', async (request, reply) => {
    reply.hijack()
    reply.raw.write('raw')
    await end(request)
    reply.raw.end()
  })
  for (const run of [
    ({ session }) => session.destroy(),
    async ({ session }) => {
      await session.destroy()
      await session.commit()
    },
    async ({ session }) => {
      session.clear()
      await session.commit()
    }
  ] satisfies (typeof end)[]) {
    end = run
    const { body: key } = await visitor.get('/set')
    await visitor.get('/end')
    await new Promise(setImmediate)
    t.equal(await store.inner.load(key), undefined)
    t.same(warnings(), [])
  }
  await visitor.get('/set')
  end = async (request) => {
    store.before = once('destroy', () => {
      throw new Error('down')
    })
    request.session = null
  }
  await visitor.get('/end')
  await new Promise(setImmediate)
  t.match(warnings(), [{ reason: 'headers-sent' }], 'unless the store could not be told')
})

t.test('a commit and an update that overlap take nothing from anybody', async (t) => {
  const { app, store, visitor, key, recordOf } = await createVisited()
  app.get('/overlap', async ({ session }) => {
    let open = (): void => {}
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    store.before = once('commit', () => gate)
    session.userId = 7
    const committed = session.commit()
    await session.update((data) => {
      data.visits = 2
    })
    open()
    await committed
    await store.inner.commit(key, { set: { visits: '50' }, unset: [] }, 2_000_000_000)
    session.names = ['after']
    return ''
  })
  await visitor.get('/overlap')
  t.same(await recordOf(key), { visits: 50, name: 'Ana', userId: 7, names: ['after'] })
})

t.test('what commit() has written is told as what it was', async (t) => {
  const { app, visitor, recordOf } = await createVisited()
  app.get('/twice', async ({ session }) => {
    await session.commit()
    session.visits = 2
    return ''
  })
  app.get('/new-twice', async ({ session }) => {
    session.visits = 1
    await session.commit()
    session.visits = 2
    return session.id
  })
  const decisions = await decisionsOf(() => visitor.get('/twice'))
  t.same(decisions, ['open: opened', 'commit: unchanged', 'commit: changed'])
  const response = await app.inject('/new-twice')
  t.equal(setCookieLines(response).length, 1, 'the cookie is there whatever comes after it')
  t.same(await recordOf(response.body), { visits: 2 })
})

t.test('reload gets what others have made of the data', async (t) => {
  const { app, store, visitor, key } = await createVisited()
  app.get('/reload', async ({ session }) => {
    session.visits = 99
    await store.inner.commit(key, { set: { visits: '2', role: '"guest"' }, unset: ['name'] }, 2_000_000_000)
    await session.reload()
    return { ...session }
  })
  const response = await visitor.get('/reload')
  t.same(response.json(), { visits: 2, role: 'guest' })
  t.same(store.takeMethods(), ['load', 'load'])
})

t.test('an owner has no more sessions than are allowed: the oldest makes room', async (t) => {
  const { app, store, clock } = await createStoredApp({ maxPerOwner: 2 })
  addLogin(app)
  const visitors = [await createClient(app), await createClient(app), await createClient(app)]
  for (const visitor of visitors) {
    await visitor.get('/login')
    clock.advance(1)
  }
  const owners = await Promise.all(visitors.map(async (visitor) => (await visitor.get('/')).body))
  t.same(owners, ['nobody', 'ana', 'ana'])
  t.equal((await store.inner.list('ana')).length, 2)
  await visitors[2]?.get('/renew')
  const after = await Promise.all(visitors.map(async (visitor) => (await visitor.get('/')).body))
  t.same(after, ['nobody', 'ana', 'ana'], 'a new id takes the place of the old one and ends no other session')
})

t.test('or one more is refused, without a cookie, and nothing else ends', async (t) => {
  const { app, store } = await createStoredApp({ maxPerOwner: 1, maxPerOwnerPolicy: 'refuse' })
  addLogin(app)
  const [first, second] = [await createClient(app), await createClient(app)]
  await first.get('/login')
  let response = await second.get('/')
  const decisions = await decisionsOf(async () => {
    response = await second.get('/login')
  })
  t.match(response.json(), { code: 'ERR_SESSION_LIMIT', statusCode: 409 })
  t.same(setCookieLines(response), [])
  t.equal(decisions.at(-1), 'commit: over-limit')
  t.equal((await first.get('/')).body, 'ana')
  t.equal((await store.inner.list('ana')).length, 1)
  t.equal((await first.get('/renew')).statusCode, 200, 'its own place is not taken')
  t.equal((await first.get('/')).body, 'ana')
  await first.get('/logout')
  t.equal((await second.get('/login')).statusCode, 200)
})

t.test('a login that begins anew takes the place of the session that it ends', async (t) => {
  const evicting = await createStoredApp({ maxPerOwner: 2 })
  const refusing = await createStoredApp({ maxPerOwner: 1, maxPerOwnerPolicy: 'refuse' })
  for (const { app, clock } of [evicting, refusing]) {
    addLogin(app)
    const [other, visitor] = [await createClient(app), await createClient(app)]
    if (app === evicting.app) await other.get('/login')
    clock.advance(1)
    await visitor.get('/login')
    t.equal((await visitor.get('/login-again')).statusCode, 200)
    t.equal((await visitor.get('/')).body, 'ana')
    if (app === evicting.app) t.equal((await other.get('/')).body, 'ana', 'the other device stays logged in')
  }
})

function addLogin(app: FastifyInstance): void {
  app.get('/login', async ({ session }) => {
    session.setOwner('ana')
    return ''
  })
  app.get('/login-again', async ({ session }) => {
    await session.regenerate()
    session.setOwner('ana')
    return ''
  })
  app.get('/renew', async ({ session }) => session.renew())
  app.get('/logout', async ({ session }) => session.destroy())
  app.get('/', async ({ session }) => session.ownerId ?? 'nobody')
}

function recordFor(json: string): SessionRecord {
  const now = START.getTime() / 1000
  return { json, createdAt: now, lastSeenAt: now, permanent: false, ownerId: undefined, description: undefined }
}

t.test('a cookie that somebody puts into the request after the session was looked for is not looked up', async (t) => {
  const { app } = await createStoredApp()
  let cookie: string | undefined
  app.addHook('onRequest', async (request) => {
    if (cookie === undefined) return
    request.raw.headers.cookie = cookie
    t.throws(() => request.session, { code: 'ERR_SESSION_NOT_LOADED' })
  })
  app.get('/', setVisits)
  const visitor = await createClient(app)
  await visitor.get('/')
  cookie = visitor.jar.header()
  t.equal((await app.inject('/')).statusCode, 500)
})

t.test('a commit that nobody waits for and the reply come one after the other', async (t) => {
  const { app, store } = await createStoredApp()
  app.get('/', async ({ session }) => {
    session.visits = 1
    void session.commit()
    session.name = 'Ada'
    return ''
  })
  app.get('/read', async ({ session }) => ({ ...session }))
  app.get('/off', { config: { session: false } }, async ({ session }) => session.destroy())
  const visitor = await createClient(app)
  await visitor.get('/')
  t.same(store.takeMethods(), ['create', 'commit'])
  t.equal((await visitor.get('/off')).statusCode, 200)
  t.same((await visitor.get('/read')).json(), { visits: 1, name: 'Ada' })
})

t.test('while the store is down nothing can be updated, reloaded or committed, on any route', async (t) => {
  const { app, store } = await createStoredApp()
  app.get('/', setVisits)
  app.get('/news', { config: { session: { onStoreError: 'anonymous' } } }, async ({ session }) => {
    const refused = { code: 'ERR_SESSION_STORE_UNAVAILABLE', statusCode: 503, headers: { 'retry-after': '5' } }
    await t.rejects(
      session.update(() => 1),
      refused
    )
    await t.rejects(session.reload(), refused)
    await t.rejects(session.commit(), refused)
    return 'news'
  })
  const visitor = await createClient(app)
  await visitor.get('/')
  store.before = () => Promise.reject(new Error('down'))
  t.equal((await visitor.get('/news')).body, 'news')
})
