import type { FastifyRequest } from 'fastify'
import t from 'tap'
import type { User } from '../../lib/login/index.ts'
import { createActing, createStoredActing, restarted } from '../helpers/acting-app.ts'
import { ANA, tellEventsOf } from '../helpers/login-app.ts'
import { once } from '../helpers/recording-store.ts'
import { bearer, createTokens, OF_PROXY } from '../helpers/tokens.ts'

t.test('another client makes a login stale or ends it, as the option protection says', async (t) => {
  for (const protection of ['basic', 'strong', false] as const) {
    const { act, ana, clock } = await createActing({ protection })
    const from = (agent: string) =>
      ana.get('/at', { headers: { 'user-agent': agent } }).then((response) => response.json().at)
    await ana.submit('/login', { id: 1 }, { 'user-agent': 'one' })
    const at = new Date(clock.now()).toISOString()
    t.equal(await from('one'), at)
    const told = await tellEventsOf(async () => t.equal(await from('two'), protection === false ? at : null))
    t.same(told, protection === false ? [] : ['protected 1'])
    t.same(await tellEventsOf(() => from('two')), [])
    t.equal(await from('one'), protection === false ? at : null)
    t.equal(await act(ana, async (request) => (await request.loadUser())?.name), protection === 'strong' ? null : 'Ana')
    if (protection === false) t.notOk('client' in (await ana.get('/data')).json()._login)
  }
})

t.test('with protection strong, both spellings of an IPv4 address are one client', async (t) => {
  const { app, ana } = await createActing({ protection: 'strong' })
  await ana.inject({ method: 'POST', url: '/login', payload: { id: 1 }, remoteAddress: '::ffff:10.0.0.1' })
  const cookie = ana.jar.header()
  const from = async (remoteAddress: string) =>
    (await app.inject({ url: '/who', headers: { cookie }, remoteAddress })).body
  t.equal(await from('10.0.0.1'), 'Ana')
  t.equal(await from('::ffff:10.0.0.2'), 'nobody')
})

t.test('a login ends if its user is gone or has a new password', async (t) => {
  const change: Readonly<Record<string, (users: Map<string, User>) => void>> = {
    gone: (users) => void users.delete('1'),
    'another password': (users) => void users.set('1', { ...ANA, password: 'new' })
  }
  for (const [name, apply] of Object.entries(change)) {
    const kit = await createStoredActing({ authHash: ({ password }) => password })
    const [open, closed] = [kit.ana, await restarted(kit)]
    await open.login(1)
    await closed.read('/cart')
    apply(kit.users)
    for (const member of [open, closed]) {
      t.same(await tellEventsOf(async () => t.equal(await member.read('/who'), 'nobody')), ['ended 1'], name)
    }
    t.equal(open.jar.header(), '')
    t.same(closed.names(), ['session'], 'a visitor who was remembered stays a visitor')
    await kit.app.close()
  }
})

t.test('a remembered login starts one session, and its token is replaced last', async (t) => {
  const kit = await createStoredActing()
  const ana = await restarted(kit)
  const before = ana.cookie('remember')
  kit.store.takeCalls()
  t.same(await tellEventsOf(async () => t.equal(await ana.read('/who'), 'Ana')), ['remembered 1'])
  t.same(kit.store.takeMethods(), ['load', 'load', 'create', 'commit', 'load'])
  t.not(ana.cookie('remember'), before)
  t.equal((await ana.get('/data')).json()._login.at, undefined)
})

t.test('parallel requests begin one session, and one of them says so', async (t) => {
  const kit = await createStoredActing()
  const ana = await restarted(kit)
  const cookie = ana.jar.header()
  const ask = () => kit.app.inject({ url: '/who', headers: { cookie } })
  const told = await tellEventsOf(async () => {
    const replies = await Promise.all(Array.from({ length: 6 }, ask))
    for (const reply of replies) t.equal(reply.body, 'Ana')
    t.equal(new Set(replies.map((reply) => String(reply.headers['set-cookie']))).size, 1, 'with the same two cookies')
  })
  t.same(told, ['remembered 1'])
  t.equal((await kit.app.sessions.list('1')).length, 2, 'and the one from before the restart')
})

t.test('a late request whose session has ended begins no second one', async (t) => {
  const kit = await createStoredActing()
  const ana = await restarted(kit)
  const cookie = ana.jar.header()
  await ana.get('/who')
  await kit.store.inner.destroy(await ana.read('/id'))
  const late = await kit.app.inject({ url: '/who', headers: { cookie } })
  t.equal(late.body, 'Ana', 'it is answered')
  t.match(late.headers['set-cookie'], /^remember=/, 'and the browser gets the next token alone')
  t.equal((await kit.app.sessions.list('1')).length, 1)
  t.equal(await ana.read('/who'), 'Ana', 'with which it begins a session')
})

t.test('a revocation between the token and its session logs nobody in', async (t) => {
  const kit = await createStoredActing()
  const ana = await restarted(kit)
  let calls = 0
  kit.store.before = (method) => {
    const isLast = method === 'load' && ++calls === 3
    return isLast ? kit.app.sessions.revokeAll('1') : undefined
  }
  t.equal(await ana.read('/who'), 'nobody')
  t.equal(ana.jar.header(), '')
})

t.test('with protection strong, another client is not remembered, and the series ends', async (t) => {
  for (const protection of ['basic', 'strong'] as const) {
    const kit = await createStoredActing({ protection })
    const { app, ana } = kit
    await ana.submit('/login', { id: 1, remember: true }, { 'user-agent': 'one' })
    const cookie = `remember=${ana.cookie('remember')}`
    const from = async (agent: string) =>
      (await app.inject({ url: '/who', headers: { cookie, 'user-agent': agent } })).body
    const isStrong = protection === 'strong'
    const told = await tellEventsOf(async () => t.equal(await from('two'), isStrong ? 'nobody' : 'Ana'))
    t.same(told, [isStrong ? 'protected 1' : 'remembered 1'])
    t.equal(await from('one'), isStrong ? 'nobody' : 'Ana')
    const { body } = await ana.get('/who', { headers: { 'user-agent': 'one' } })
    t.equal(body, isStrong ? 'nobody' : 'Ana', 'nor goes its session on')
  }
})

t.test('a login ends when it was remembered for absoluteMaxAge', async (t) => {
  const DAY = 86_400
  const kit = await createStoredActing({ remember: { absoluteMaxAge: DAY / 2 } })
  const { ana, clock } = kit
  await ana.login(1, { remember: true })
  const other = await restarted(kit)
  t.equal(await other.read('/who'), 'Ana')
  clock.advance(DAY / 2)
  for (const member of [ana, other]) t.equal(await member.read('/who'), 'Ana', 'up to T')
  clock.advance(1)
  for (const member of [ana, other]) {
    t.same(await tellEventsOf(async () => t.equal(await member.read('/who'), 'nobody')), ['ended 1'], 'not at T+1')
    t.equal(member.jar.header(), '')
  }
})

t.test('a series that ends during the load starts no session', async (t) => {
  const kit = await createStoredActing()
  const { store, app } = kit
  const ana = await restarted(kit)
  store.before = once('create', () => app.sessions.revokeAll('1'))
  t.same(await tellEventsOf(async () => t.equal(await ana.read('/who'), 'nobody')), [])
  t.equal(ana.jar.header(), '')
  t.same(await app.sessions.list('1'), [])
})

t.test('a theft is published, and both browsers are logged out', async (t) => {
  const kit = await createStoredActing()
  const ana = await restarted(kit)
  const cookie = `remember=${ana.cookie('remember')}`
  await ana.get('/who')
  kit.clock.advance(61)
  t.same(await tellEventsOf(() => kit.app.inject({ url: '/who', headers: { cookie } })), ['theft 1'])
  t.equal(await ana.read('/who'), 'nobody')
})

t.test('a browser that has its reply is not remembered, and keeps what remembers it', async (t) => {
  const kit = await createStoredActing()
  const names: unknown[] = []
  kit.app.get('/late', async (request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200)
    names.push(await request.loadUser())
    reply.raw.end()
  })
  const ana = await restarted(kit)
  const token = ana.cookie('remember')
  t.same(await tellEventsOf(() => ana.get('/late')), [])
  t.same(names, [null])
  t.equal(ana.cookie('remember'), token)
  kit.clock.advance(61)
  t.equal(await ana.read('/who'), 'Ana')
})

t.test(
  'what the Authorization header says goes before the session and what the browser is remembered by',
  async (t) => {
    const kit = await createStoredActing({ authenticate: createTokens().authenticate })
    const { ana } = kit
    await ana.login(1)
    for (const member of [ana, await restarted(kit)]) {
      for (const [headers, name] of [
        [bearer('ben'), 'Ben'],
        [bearer('stolen'), 'nobody'],
        [OF_PROXY, 'Ana']
      ] as const) {
        t.equal((await member.get('/who', { headers })).body, name)
      }
    }
  }
)

t.test('an impersonator is found with the user, until it ends', async (t) => {
  const end: Readonly<
    Record<string, (kit: { users: Map<string, User>; clock: { advance(seconds: number): void } }) => void>
  > = {
    'the user is gone': ({ users }) => void users.delete('2'),
    'left alone': ({ clock }) => clock.advance(901)
  }
  for (const [name, apply] of Object.entries(end)) {
    const kit = await createActing()
    const { act, ana, users } = kit
    await ana.login(1)
    await act(ana, (request) => request.impersonate(users.get('2') as User))
    const names = async (request: FastifyRequest): Promise<unknown[]> => {
      await request.loadUser()
      return [request.user?.name ?? null, request.impersonator?.name ?? null]
    }
    t.same(await act(ana, names), ['Ben', 'Ana'])
    apply(kit)
    t.same(
      await tellEventsOf(async () => {
        t.same(
          await act(ana, async (request) => [await request.loadUser(), await request.loadUser({ fresh: true })]),
          [null, null],
          name
        )
      }),
      ['impersonation-ended 2']
    )
    t.same(await act(ana, names), ['Ana', null])
  }
})

t.test('the request that ends an impersonation is that of an impersonator', async (t) => {
  const { app, act, ana, users } = await createActing()
  app.get('/private', { preHandler: app.notImpersonating() }, async () => 'in')
  await ana.login(1)
  await act(ana, (request) => request.impersonate(users.get('2') as User))
  users.delete('2')
  t.equal((await ana.get('/private')).statusCode, 403)
  t.equal(await ana.read('/private'), 'in')
})
