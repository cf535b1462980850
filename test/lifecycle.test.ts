import { Readable } from 'node:stream'
import fastify from 'fastify'
import t from 'tap'
import type { Envelope, OpenEnvelope } from '../lib/codec/envelope.ts'
import { session } from '../lib/index.ts'
import { Lifecycle } from '../lib/lifecycle.ts'
import { resolveOptions } from '../lib/options.ts'
import { RandomPool } from '../lib/random.ts'
import { Trace } from '../lib/trace.ts'
import type { Transport } from '../lib/transport/transport.ts'
import { Clock, createApp, decisionsOf, MODES, OTHER_SECRET, SECRET } from './helpers/app.ts'
import { setCookies, Visitor } from './helpers/jar.ts'

for (const { mode, options } of MODES) {
  t.test(`with ${mode} cookies`, async (t) => {
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
      const visitor = new Visitor(app)
      for (const url of ['/set', '/deep', '/drop']) t.equal(setCookies(await visitor.get(url)).length, 1, url)
      const response = await visitor.get('/read')
      t.same(response.json(), { visits: 1, nested: { deep: [{ value: 1 }, { value: 2 }] } })
      t.same(setCookies(response), [], 'reading never writes')
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
      const visitor = new Visitor(app)
      const anonymous = await visitor.get('/read')
      t.same(setCookies(anonymous), [], 'an anonymous visitor gets none')
      await visitor.get('/set')
      const decisions = await decisionsOf(async () => {
        for (const url of ['/untouched', '/read', '/same']) {
          t.same(setCookies(await visitor.get(url)), [], url)
        }
      })
      t.same(decisions, [
        'commit: untouched',
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
      const visitor = new Visitor(app)
      let response = await visitor.get('/')
      const decisions = await decisionsOf(async () => {
        response = await visitor.get('/')
      })
      t.same(response.json(), { isNew: true, size: {} })
      t.same(decisions, ['open: no-cookie', 'commit: empty'])
      t.same(setCookies(response), [])
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
        session.assign('ana{1}%')
        return session.id
      })
      app.get('/permanent', async ({ session }) => {
        session.permanent = true
        return session.id
      })
      app.get('/', async ({ session }) => ({ ...session, owner: session.ownerId, permanent: session.permanent }))
      const visitor = new Visitor(app)
      const { body: firstId } = await visitor.get('/set')
      const decisions = await decisionsOf(async () => {
        const { body: secondId } = await visitor.get('/renew')
        t.not(firstId, secondId)
        t.equal((await visitor.get('/assign')).body, secondId)
        const permanent = await visitor.get('/permanent')
        t.match(setCookies(permanent)[0], /; Max-Age=86400;/)
      })
      t.same(
        decisions.filter((decision) => decision.startsWith('commit')),
        ['commit: renewed', 'commit: changed', 'commit: changed']
      )
      t.same((await visitor.get('/')).json(), { visits: 1, owner: 'ana{1}%', permanent: true })
    })

    t.test('an owner alone is worth keeping', async (t) => {
      const { app } = await createApp(options)
      app.get('/assign', async ({ session }) => {
        session.assign('7')
        return ''
      })
      app.get('/', async ({ session }) => session.ownerId)
      const visitor = new Visitor(app)
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
        const visitor = new Visitor(app)
        const [set = ''] = setCookies(await visitor.get('/app/set'))
        const attributes = (line: string): string[] =>
          line
            .split('; ')
            .slice(1)
            .filter((part) => !/^(Max-Age|Expires)=/.test(part))
        let cleared = ''
        const decisions = await decisionsOf(async () => {
          cleared = setCookies(await visitor.get(url as string))[0] ?? ''
        })
        t.match(cleared, /^session=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; /)
        t.same(attributes(cleared), attributes(set))
        t.equal(decisions.at(-1), `commit: ${reason}`)
        t.equal(visitor.jar.header, '')
      }
    })

    t.test('a cookie that does not open is cleared by destroy, and nothing is sent to who has none', async (t) => {
      const { app } = await createApp(options)
      app.get('/destroy', async ({ session }) => {
        await session.destroy()
        return ''
      })
      t.same(setCookies(await app.inject('/destroy')), [])
      const forged = await app.inject({ url: '/destroy', headers: { cookie: 'session=forged' } })
      t.equal(setCookies(forged).length, 1)
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
      const visitor = new Visitor(app)
      await visitor.get('/set')
      const response = await visitor.get('/logout')
      t.equal(setCookies(response).length, 1)
      t.match(setCookies(response)[0], /^session=; Max-Age=0/)
      t.match(warnings()[0], { reason: 'destroyed' })
    })

    t.test('regenerate starts a new session with the keys that are named', async (t) => {
      const { app, clock } = await createApp({ ...options, permanent: true })
      app.get('/set', async ({ session }) => {
        session.visits = 1
        session.name = 'Ana'
        session.permanent = false
        session.assign('1')
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
      const visitor = new Visitor(app)
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
        session.assign('1')
        return ''
      })
      app.get('/reload', async ({ session }) => {
        session.visits = 2
        session.permanent = true
        session.assign('2')
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
      const visitor = new Visitor(app)
      await visitor.get('/set')
      const response = await visitor.get('/reload')
      t.same(response.json(), { visits: 1, owner: '1', permanent: false })
      t.same(setCookies(response), [])
    })

    t.test('update is applied at once', async (t) => {
      const { app } = await createApp(options)
      app.get('/', async ({ session }) => session.update((data) => (data.visits = (data.visits ?? 0) + 1)))
      const visitor = new Visitor(app)
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
      const visitor = new Visitor(app)
      await visitor.get('/set')
      const old = visitor.jar.header
      clock.advance(101)
      await visitor.get('/set')
      await visitor.get('/set')
      const good = visitor.jar.header
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
      const before = await createApp({ ...options, secret: OTHER_SECRET })
      before.app.get('/', async ({ session }) => {
        session.userId = 7
        return session.id
      })
      const after = await createApp({ ...options, secret: [SECRET, OTHER_SECRET] })
      after.app.get('/untouched', async () => '')
      after.app.get('/', async ({ session }) => ({ user: session.userId, id: session.id }))
      const later = await createApp({ ...options, secret: SECRET })
      later.app.get('/', async ({ session }) => session.userId ?? 'nobody')

      const old = new Visitor(before.app)
      const { body: id } = await old.get('/')
      const cookie = old.jar.header
      let response = await after.app.inject({ url: '/untouched', headers: { cookie } })
      t.equal(setCookies(response).length, 1, 'on a route that does not look')
      const decisions = await decisionsOf(async () => {
        response = await after.app.inject({ url: '/', headers: { cookie } })
      })
      t.same(decisions, ['open: opened', 'commit: rekeyed'])
      t.same(response.json(), { user: 7, id })
      const renewed = (setCookies(response)[0] as string).split(';', 1)[0] as string
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
        const visitor = new Visitor(app)
        await visitor.get('/set')
        clock.advance(wait)
        return (await visitor.get('/')).body
      }
      t.equal(await alive(119), '1')
      t.equal(await alive(120), '1')
      t.equal(await alive(121), 'gone')

      const visitor = new Visitor(app)
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
      const visitor = new Visitor(app)
      const { body: id } = await visitor.get('/set')
      clock.advance(59)
      t.same(setCookies(await visitor.get('/untouched')), [])
      clock.advance(1)
      t.same(setCookies(await visitor.get('/poll')), [], 'polling does not keep it alive')
      t.same(setCookies(await visitor.get('/off')), [])
      const unmoved = (await visitor.get('/poll-write')).json()
      t.equal(new Date(unmoved).getTime(), clock.now + 940_000, 'nor does writing from a polling route')
      let decisions = await decisionsOf(async () => {
        t.equal(setCookies(await visitor.get('/untouched')).length, 1)
      })
      t.same(decisions, ['open: opened', 'commit: restamped'])
      const after = (await visitor.get('/')).json()
      t.same(after, { visits: 2, id, expires: new Date(clock.now + 1_000_000).toISOString() })
      clock.advance(10)
      decisions = await decisionsOf(() => visitor.get('/poll-touch'))
      t.equal(decisions.at(-1), 'commit: restamped', 'touch() counts everywhere')
      t.same(setCookies(await app.inject({ url: '/untouched', headers: { cookie: 'session=forged' } })), [])
      const cookie = visitor.jar.header
      for (const header of [`my_session=1; ${cookie}`, `a=session=1;${cookie}`, `my_session=1`, cookie]) {
        decisions = await decisionsOf(() => app.inject({ url: '/untouched', headers: { cookie: header } }))
        t.same(decisions, ['commit: untouched'], header.slice(0, 20))
      }
    })

    t.test('a cookie that is too large fails the request with its size, and the old one stays good', async (t) => {
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
      const visitor = new Visitor(app)
      await visitor.get('/set')
      let status = 0
      const decisions = await decisionsOf(async () => {
        const response = await visitor.get('/grow')
        status = response.statusCode
        t.match(response.json(), { code: 'ERR_SESSION_TOO_LARGE', message: /anything \(5013 bytes\)/ })
        t.same(setCookies(response), [])
      })
      t.equal(status, 500)
      t.equal(decisions.at(-1), 'commit: too-large')
      t.same((await visitor.get('/')).json(), { name: 'Ana' })
      t.notMatch(JSON.stringify(logs), visitor.jar.cookies.get('session'), 'no cookie in a log')
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
      const visitor = new Visitor(app)
      await visitor.get('/set')
      for (const kind of ['function', 'symbol', 'nan', 'map', 'toJSON']) {
        for (const response of [await app.inject(`/bad/${kind}`), await visitor.get(`/bad/${kind}`)]) {
          t.match(response.json(), { code: 'ERR_SESSION_VALUE' }, kind)
        }
      }
    })

    t.test('an error handler can mend or end a session that could not be sent', async (t) => {
      const { app } = await createApp(options)
      app.setErrorHandler(async (error: Error & { code: string }, request, reply) => {
        if (request.url === '/mend') delete request.session.anything
        if (request.url === '/end') await request.session.destroy()
        return reply.code(413).send(error.code)
      })
      const grow = async ({ session }: { session: { name?: unknown; anything?: unknown } }): Promise<string> => {
        session.name = 'Ana'
        session.anything = 'x'.repeat(5000)
        return ''
      }
      for (const url of ['/leave', '/mend', '/end']) app.get(url, grow)
      app.get('/', async ({ session }) => session)
      const visitor = new Visitor(app)
      const left = await visitor.get('/leave')
      t.same([left.statusCode, left.body, setCookies(left)], [413, 'ERR_SESSION_TOO_LARGE', []])
      t.equal((await visitor.get('/mend')).statusCode, 413)
      t.same((await visitor.get('/')).json(), { name: 'Ana' })
      t.equal((await visitor.get('/end')).statusCode, 413)
      t.equal(visitor.jar.header, '')
    })

    t.test('a reply that shared caches may keep gets no cookie for the sake of a stamp or a key', async (t) => {
      const before = await createApp({ ...options, secret: OTHER_SECRET })
      before.app.get('/', async ({ session }) => {
        session.visits = 1
        return ''
      })
      const { app, clock } = await createApp({ ...options, secret: [SECRET, OTHER_SECRET] })
      app.get('/logo', async ({ query }, reply) => {
        reply.header('cache-control', (query as { cache: string }).cache)
        return ''
      })
      app.get('/logo-read', async ({ session }, reply) => {
        reply.header('cache-control', 'public, max-age=86400')
        return session.visits
      })
      const visitor = new Visitor(before.app)
      await visitor.get('/')
      clock.advance(61)
      const ask = async (url: string): Promise<number> =>
        setCookies(await app.inject({ url, headers: { cookie: visitor.jar.header } })).length
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
      const visitor = new Visitor(app)
      await visitor.get('/')
      const ask = async (forged: number): Promise<string> => {
        const cookie = `${'session=x; '.repeat(forged)}${visitor.jar.header}`
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
      const visitor = new Visitor(app)
      await visitor.get('/set')
      t.same(setCookies(await visitor.get('/reordered')), [])
      t.equal(setCookies(await visitor.get('/permuted')).length, 1)
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
      const visitor = new Visitor(app)
      const response = await visitor.get('/')
      t.equal(response.statusCode, 500)
      t.equal(setCookies(response).length, 1)
      t.equal(setCookies(await visitor.get('/logout')).length, 1)
    })
  })
}

t.test('the reply tells caches what it depends on', async (t) => {
  const { app } = await createApp()
  app.get('/untouched', async () => '')
  app.get('/read', async ({ session }) => session)
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
  t.match(setCookies(await app.inject('/'))[0], /; Path=\/x; Priority=High; HttpOnly; SameSite=Strict$|; Path=\/x;.*/)
  t.match(setCookies(await app.inject('/'))[0], /SameSite=Strict/)
  t.match((await app.inject('/bad')).json(), { code: 'ERR_SESSION_COOKIE_RULE' })

  const strict = await createApp({ cookie: { secure: true, sameSite: 'strict' } })
  strict.app.get('/', async ({ session }) => {
    session.visits = 1
    session.options({ secure: undefined, sameSite: undefined } as object)
    t.throws(() => session.options(null as never), { code: 'ERR_SESSION_VALUE' })
    return ''
  })
  t.match(setCookies(await strict.app.inject('/'))[0], /Secure; SameSite=Strict/, 'undefined takes nothing away')
})

t.test('a clock that stops making sense is an error, not a session for ever', async (t) => {
  const { app, clock } = await createApp()
  app.get('/', async ({ session }) => session)
  for (const now of [Number.NaN, -1000, Number.POSITIVE_INFINITY, 1e16]) {
    clock.now = now
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
  t.notMatch(setCookies(await auto.app.inject('/'))[0], /Secure/)
  t.match(setCookies(await auto.app.inject({ url: '/', headers: { 'x-forwarded-proto': 'https' } }))[0], /; Secure/)
  t.same(auto.warnings(), [])

  const secure = await createApp({ cookie: { secure: true } })
  secure.app.get('/', write)
  const decisions = await decisionsOf(async () => {
    t.match(setCookies(await secure.app.inject('/'))[0], /; Secure/, 'it is sent all the same')
    await secure.app.inject('/')
  })
  t.equal(decisions.filter((decision) => decision === 'commit: insecure-transport').length, 2)
  t.equal(secure.warnings().length, 1)
  t.match(secure.warnings()[0], { reason: 'insecure-transport', msg: /trustProxy/ })

  const insecure = await createApp({ cookie: { secure: false } }, { trustProxy: true })
  insecure.app.get('/', write)
  t.notMatch(
    setCookies(await insecure.app.inject({ url: '/', headers: { 'x-forwarded-proto': 'https' } }))[0],
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
  const visitor = new Visitor(app)
  t.match(setCookies(await visitor.get('/'))[0], /; Max-Age=34560000;/)
  clock.advance(30_000_000)
  t.match(setCookies(await visitor.get('/'))[0], /; Max-Age=20000000;/, 'the absolute limit is nearer')
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
  const visitor = new Visitor(app)
  await visitor.get('/set')
  const decisions = await decisionsOf(async () => {
    const response = await visitor.get('/off')
    t.same(response.json(), {})
    t.same(setCookies(response), [])
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
  const visitor = new Visitor(app)
  const hijacked = await visitor.get('/hijack')
  t.equal(setCookies(hijacked).length, 2)
  t.equal(setCookies(hijacked)[0], 'own=1')
  t.equal(hijacked.headers['cache-control'], 'no-store')
  t.equal(hijacked.headers.vary, 'Cookie')
  t.same((await visitor.get('/')).json(), { visits: 2 })
  t.equal(setCookies(await app.inject('/written')).length, 1)
  t.equal(setCookies(await app.inject('/usual')).length, 2)
  t.equal(setCookies(await app.inject('/nothing')).length, 0)
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
  const visitor = new Visitor(app)
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
  const clock = new Clock()
  const app = fastify()
  app.addHook('onRequest', async (request) => {
    request.session.visits = 1
    await t.rejects(request.session.commit(), { code: 'ERR_SESSION_DISABLED' })
  })
  await app.register(session, { secret: SECRET, clock: clock.read })
  app.get('/', async ({ session }) => session)
  const response = await app.inject('/')
  t.same(response.json(), { visits: 1 })
  t.equal(setCookies(response).length, 1)
})

t.test('a transport that waits for a store needs nothing else of the lifecycle', async (t) => {
  const clock = new Clock()
  const records = new Map<string, OpenEnvelope>()
  const settings = resolveOptions({ secret: SECRET, clock: clock.read })
  const slots = { visit: Symbol('visit'), reply: Symbol('reply') }
  const transport: Transport = {
    current: '',
    open: (text) => records.get(text) ?? 'malformed',
    seal: async (envelope: Envelope) => {
      records.set(envelope.id, { ...envelope, data: JSON.parse(envelope.json) })
      return envelope.id
    },
    drop: async ({ id }) => void records.delete(id),
    measure: () => 22
  }
  const serialize = (name: string, value: string): string => `${name}=${value}`
  const lifecycle = new Lifecycle(
    settings,
    slots,
    transport,
    serialize,
    new RandomPool(),
    new Trace(settings, fastify().log)
  )
  const app = fastify()
  app.decorateRequest(slots.visit, null)
  app.decorateRequest(slots.reply, null)
  app.addHook('onSend', async (request, reply) => lifecycle.finish(request, reply))
  app.get('/', async (request) => {
    const session = lifecycle.look(request)
    session.set('visits', Number(session.get('visits', 0)) + 1)
    return String(session.get('visits'))
  })
  app.get('/out', async (request) => lifecycle.look(request).destroy())
  const visitor = new Visitor(app)
  await visitor.get('/')
  t.equal((await visitor.get('/')).body, '2')
  t.equal(records.size, 1)
  await visitor.get('/out')
  t.equal(records.size, 0)
})
