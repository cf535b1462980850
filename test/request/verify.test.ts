import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { z } from 'zod'
import { requestSession } from '../../lib/request/get-session.ts'
import { RequestSession } from '../../lib/request/session.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createApp, decisionsOf, MODES } from '../helpers/app.ts'
import { createVisited } from '../helpers/visited-app.ts'

const DAY = 86_400

for (const { mode, options } of MODES) {
  t.test(`${mode}: a session that expires during a request is over for whoever asks again`, async (t) => {
    const { app, clock } = await createApp(options)
    app.get('/set', async ({ session }) => {
      session.visits = 1
      session.setOwner('ada')
      return session.id
    })
    app.get('/slow', async (request) => {
      const { session } = request
      const { id } = session
      clock.advance(Number((request.query as { seconds: string }).seconds))
      await RequestSession.verify(requestSession(request, 'session'))
      return { ...session, isNew: session.isNew, hasId: session.id === id, owner: session.ownerId ?? null }
    })
    const set = await app.inject('/set')
    const cookie = setCookieLines(set)[0]?.split(';', 1)[0] ?? ''
    const ask = (seconds: number) => app.inject({ url: `/slow?seconds=${seconds}`, headers: { cookie } })
    for (const seconds of [0, DAY]) {
      t.same((await ask(seconds)).json(), { visits: 1, isNew: false, hasId: true, owner: 'ada' })
    }
    const decisions = await decisionsOf(async () => {
      const late = await ask(1 + DAY)
      t.same(late.json(), { isNew: true, hasId: false, owner: null })
      t.same(setCookieLines(late), [])
    })
    t.match(decisions.at(-1), /^commit: (empty|unchanged|untouched)$/)
  })
}

t.test('in a store the record is looked at again after a while, and what the request has changed stays', async (t) => {
  const { app, store, visitor, key, clock, recordOf } = await createVisited()
  let meanwhile: () => unknown = () => undefined
  app.get('/verify', async (request) => {
    const { session } = request
    session.role = 'guest'
    await meanwhile()
    clock.advance(1)
    await RequestSession.verify(requestSession(request, 'session'))
    return { ...session }
  })
  t.same((await visitor.get('/verify')).json(), { visits: 1, name: 'Ana', role: 'guest' })
  store.takeCalls()
  meanwhile = () => store.inner.commit(key, { set: { visits: '5' }, unset: ['name'] }, 2_000_000_000)
  t.same((await visitor.get('/verify')).json(), { visits: 5, role: 'guest' })
  t.same(await recordOf(key), { visits: 5, role: 'guest' })
  meanwhile = () => store.inner.destroy(key)
  t.same((await visitor.get('/verify')).json(), {}, 'it has ended')
  t.same((await visitor.get('/verify')).json(), { role: 'guest' }, 'there is nothing to look at again')
})

t.test('what another server has written meanwhile counts in the present version of the schema', async (t) => {
  const { app, store, visitor, key, clock } = await createVisited({
    schema: z.looseObject({ visits: z.number().optional() })
  })
  let meanwhile: () => unknown = () => undefined
  app.get('/verify', async (request) => {
    const { session } = request
    session.role = 'guest'
    await meanwhile()
    clock.advance(1)
    await RequestSession.verify(requestSession(request, 'session'))
    return { ...session, isNew: session.isNew }
  })
  const write = (visits: string, extensions: string) => () =>
    store.inner.commit(key, { set: { visits }, unset: [], extensions }, 2_000_000_000)
  meanwhile = write('5', ':v2')
  t.same((await visitor.get('/verify')).json(), { visits: 5, name: 'Ana', role: 'guest', isNew: false })
  meanwhile = write('"many"', ':v2')
  const decisions = await decisionsOf(async () => {
    t.same((await visitor.get('/verify')).json(), { isNew: true })
  })
  t.match(decisions, ['open: opened', 'open: invalid-data'])
})

t.test('a session that other requests keep alive goes on in the one that is slow', async (t) => {
  const { app, visitor, clock } = await createVisited({ idleTimeout: 900 })
  const cookie = visitor.jar.header()
  const wait = async (): Promise<void> => {
    for (let part = 0; part < 3; part++) {
      clock.advance(400)
      await app.inject({ url: '/read', headers: { cookie } })
    }
  }
  app.get('/slow', async (request) => {
    const { session } = request
    await wait()
    await RequestSession.verify(requestSession(request, 'session'))
    return { ...session, expiresAt: session.expiresAt.getTime() - clock.now() }
  })
  app.get('/silent', { config: { session: { touch: false } } }, async ({ session }) => {
    await wait()
    session.visits = 2
    return ''
  })
  t.same((await visitor.get('/slow')).json(), { visits: 1, name: 'Ana', expiresAt: 900_000 })
  await visitor.get('/silent')
  t.same((await visitor.get('/read')).json(), { visits: 2, name: 'Ana' })
})

t.test('a session that makes room for nobody is over, too', async (t) => {
  const { app, store, visitor, warnings, clock } = await createVisited()
  app.get('/own', async ({ session }) => session.setOwner('ada'))
  app.get('/gone', async (request) => {
    const { session } = request
    await store.inner.destroyAll('ada')
    await session.regenerate()
    session.visits = 7
    if ((request.query as { again?: string }).again !== undefined) {
      await RequestSession.verify(requestSession(request, 'session'))
      session.visits = 8
    }
    return session.visits
  })
  await visitor.get('/own')
  const cookie = visitor.jar.header()
  const gone = await app.inject({ url: '/gone', headers: { cookie } })
  t.same(setCookieLines(gone), [])
  t.match(warnings(), [{ reason: 'gone' }])
  clock.advance(61)
  await visitor.get('/set')
  await visitor.get('/own')
  const again = await app.inject({ url: '/gone?again=1', headers: { cookie: visitor.jar.header() } })
  t.equal(setCookieLines(again).length, 1, 'what follows is another session')
})

t.test('a destroyed session is not looked at', async (t) => {
  const { app, store, visitor } = await createVisited()
  app.get('/destroyed', async (request) => {
    await request.session.destroy()
    store.takeCalls()
    await RequestSession.verify(requestSession(request, 'session'), 0)
    return store.takeMethods()
  })
  t.same((await visitor.get('/destroyed')).json(), [])
})

t.test('a request with an old id saves nothing, and says so to whoever waits', async (t) => {
  const { app, visitor, warnings, store } = await createVisited()
  app.get('/commit', async ({ session }) => {
    await session.commit()
    session.visits = 9
    await t.rejects(session.commit(), { code: 'ERR_SESSION_GONE' })
    await t.rejects(
      session.update(() => undefined),
      { code: 'ERR_SESSION_GONE' }
    )
    return ''
  })
  app.get('/own', async ({ session }) => session.setOwner('ada'))
  app.get('/end', async (request) => {
    await RequestSession.end(requestSession(request, 'session'), 'destroyed')
    return ''
  })
  await visitor.get('/own')
  const cookie = visitor.jar.header()
  await visitor.get('/renew')
  const other = await app.inject({ url: '/set', headers: { cookie: '' } })
  const shadowed = `session=x; ${cookie}`
  for (const header of [cookie, shadowed]) {
    const late = await app.inject({ url: '/commit', headers: { cookie: header } })
    t.same(setCookieLines(late), [])
  }
  t.match(warnings(), [{ reason: 'renamed' }, { reason: 'renamed' }])
  const present = visitor.jar.header()
  for (const header of [`${present}; ${cookie}`, `${cookie}; ${present}`]) {
    const both = await app.inject({ url: '/read', headers: { cookie: header } })
    t.match(both.json(), { visits: 1 }, 'one that opens counts')
  }
  t.equal(setCookieLines(other).length, 1)
  const ended = await app.inject({ url: '/end', headers: { cookie } })
  t.match(setCookieLines(ended), [/^session=; Max-Age=0/])
  t.same(await store.inner.list('ada'), [], 'the session under its new id has ended, too')
})

t.test('an end in the request leaves room for another session', async (t) => {
  for (const { options } of MODES) {
    const { app } = await createApp(options)
    app.get('/set', async ({ session }) => {
      session.visits = 1
      return ''
    })
    app.get('/end', async (request) => {
      await RequestSession.end(requestSession(request, 'session'), 'destroyed')
      if ((request.query as { flash?: string }).flash !== undefined) request.session.name = 'bye'
      return ''
    })
    const cookie = setCookieLines(await app.inject('/set'))[0]?.split(';', 1)[0] ?? ''
    t.match(setCookieLines(await app.inject({ url: '/end', headers: { cookie } })), [/^session=; Max-Age=0/])
    const flashed = await app.inject({ url: '/end?flash=1', headers: { cookie } })
    t.match(setCookieLines(flashed), [/^session=[^;]/])
  }
})

t.test('a request with an old id that asks for a new one begins a session', async (t) => {
  const { app, visitor } = await createVisited()
  const logins = {
    async renew({ session }) {
      await session.renew()
      session.userId = 8
    },
    own({ session }) {
      session.userId = 8
      session.setOwner('8')
    }
  } satisfies Record<string, (request: FastifyRequest) => unknown>
  for (const [name, act] of Object.entries(logins)) {
    app.get(`/${name}-again`, async (request) => {
      await act(request)
      return ''
    })
  }
  const cookie = visitor.jar.header()
  await visitor.get('/renew')
  for (const name of Object.keys(logins)) {
    const again = await app.inject({ url: `/${name}-again`, headers: { cookie } })
    const [line = ''] = setCookieLines(again)
    const read = await app.inject({ url: '/read', headers: { cookie: line.split(';', 1)[0] ?? '' } })
    t.same(read.json(), { userId: 8 }, name)
  }
})
