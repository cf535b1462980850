import type { FastifyInstance, FastifyRequest } from 'fastify'
import t from 'tap'
import type { Mode } from '../../helpers/app.ts'
import { MODES, REVOCABLE } from '../../helpers/app.ts'
import type { KitApp } from '../../helpers/login-app.ts'
import { ANA, BEN, createKitApp, Member } from '../../helpers/login-app.ts'

/** What a request does after somebody else has ended its session. */
const ACTS: Readonly<Record<string, (request: FastifyRequest) => unknown>> = {
  'writes data': ({ session }) => {
    session.visits = 1
  },
  'touches the session': ({ session }) => session.touch(),
  'makes it permanent': ({ session }) => {
    session.permanent = true
  },
  'calls renew()': ({ session }) => session.renew(),
  'calls regenerate()': async ({ session }) => {
    const data = session.data()
    await session.regenerate()
    Object.assign(session, data)
  },
  'keeps data with regenerate()': ({ session }) => session.regenerate(Object.keys(session) as never),
  'keeps data and owner with regenerate()': ({ session }) =>
    session.regenerate(Object.keys(session) as never, { keepOwner: true }),
  'calls setOwner()': ({ session }) => session.setOwner('somebody else'),
  'calls commit()': ({ session }) => {
    session.visits = 1
    return session.commit()
  },
  'calls update()': ({ session }) =>
    session.update((data) => {
      data.visits = 1
    }),
  'calls reload()': ({ session }) => session.reload(),
  'calls confirmLogin()': (request) => request.confirmLogin()
}

/** Ways in which somebody else ends it. */
const ENDINGS: Readonly<Record<string, (kit: KitApp, cookie: string, handle: string) => unknown>> = {
  logout: ({ app }, cookie) => app.inject({ method: 'POST', url: '/logout', headers: { cookie } }),
  destroy: ({ app }, cookie) => app.inject({ method: 'POST', url: '/destroy', headers: { cookie } }),
  revoke: ({ app }, _cookie, handle) => app.sessions.revoke(handle),
  revokeAll: ({ app }) => app.sessions.revokeAll(String(ANA.id)),
  'the limit of the owner': ({ app }) => new Member(app).login(1),
  'another login in its place': ({ app }, cookie) =>
    app.inject({ method: 'POST', url: '/login', headers: { cookie }, payload: { id: BEN.id } }),
  'a new id': ({ app }, cookie) => app.inject({ method: 'POST', url: '/renew', headers: { cookie } }),
  'the idle timeout': ({ clock }) => clock.advance(86_401)
}

const REFUSALS: readonly unknown[] = ['ERR_SESSION_GONE', 'ERR_SESSION_LOGIN_REQUIRED']

async function create({ options }: Mode) {
  const kit = await createKitApp({ ...options, ...(options.store !== undefined && { maxPerOwner: 1 }) })
  const { app } = kit
  app.post('/destroy', async ({ session }) => session.destroy())
  app.post('/renew', async ({ session }) => session.renew())
  let arrive = (): void => {}
  let go = (): void => {}
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve
  })
  const gate = new Promise<void>((resolve) => {
    go = resolve
  })
  for (const [index, act] of Object.values(ACTS).entries()) {
    app.post(`/act/${index}`, async (request) => {
      await request.loadUser()
      arrive()
      await gate
      await act(request)
      return 'done'
    })
  }
  return { ...kit, arrived, go }
}

/** How many sessions of an owner there are; 0 where nobody can count them. */
async function countOf(app: FastifyInstance, { options }: Mode, ownerId: string): Promise<number> {
  return options.store === undefined ? 0 : (await app.sessions.list(ownerId)).length
}

for (const mode of [...MODES, ...REVOCABLE].filter(({ isSelfContained }) => !isSelfContained)) {
  for (const [ending, end] of Object.entries(ENDINGS)) {
    if (ending === 'the limit of the owner' && mode.options.store === undefined) continue
    t.test(`${mode.mode} sessions: nothing brings back what ${ending} has ended`, async (t) => {
      for (const [index, act] of Object.keys(ACTS).entries()) {
        const kit = await create(mode)
        const { app } = kit
        const ana = new Member(app)
        await ana.login(1)
        const cookie = ana.jar.header()
        const handle = await ana.read('/id')
        const slow = app.inject({ method: 'POST', url: `/act/${index}`, headers: { cookie } })
        await kit.arrived
        await end(kit, cookie, handle)
        const others = await countOf(app, mode, String(ANA.id))
        kit.go()
        const reply = await slow
        if (reply.statusCode !== 200) t.ok(REFUSALS.includes(reply.json().code), `${act}: ${reply.json().code}`)
        t.equal(reply.headers['set-cookie'], undefined, `${act}: no cookie`)
        t.equal((await app.inject({ url: '/me', headers: { cookie } })).statusCode, 401, `${act}: the old cookie`)
        // It ends the session under its new id as well.
        const expected = act === 'calls regenerate()' && ending === 'a new id' ? 0 : others
        t.equal(await countOf(app, mode, String(ANA.id)), expected, `${act}: no session more`)
        t.equal(await countOf(app, mode, 'somebody else'), 0, `${act}: and none of another owner`)
      }
    })
  }
}
