import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { z } from 'zod'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import { ActingMac } from '../../lib/login/acting-mac.ts'
import { Impersonation } from '../../lib/login/impersonation.ts'
import { LoginSession } from '../../lib/login/login-session.ts'
import { resolveLoginOptions } from '../../lib/login/options.ts'
import { RequestSession } from '../../lib/request/session.ts'
import type { LooseOptions } from '../helpers/app.ts'
import { SECRET } from '../helpers/app.ts'
import { ANA, createKitApp, Member } from '../helpers/login-app.ts'

type Act = (impersonation: Impersonation, request: FastifyRequest) => unknown

/** Creates an application in which code runs with the impersonation of a request. */
async function createActing(options: LooseOptions = {}) {
  const kit = await createKitApp(options)
  const { app, clock } = kit
  const settings = resolveLoginOptions({ loadUser: () => ANA, impersonationIdleTimeout: 100 }, clock.now)
  const macs = new ActingMac(deriveKeys([Buffer.from(SECRET)], 'acting'), 'session')
  let run: Act
  const handler = async (request: FastifyRequest): Promise<unknown> => {
    const session = new LoginSession(settings, request)
    return { result: (await run(new Impersonation(settings, request, session, macs), request)) ?? null }
  }
  app.post('/act', handler)
  app.post('/poll', { config: { session: { touch: false } } }, handler)
  const ana = new Member(app)
  const act = async (what: Act, url = '/act'): Promise<unknown> => {
    run = what
    const reply = (await ana.submit(url)).json()
    return 'result' in reply ? reply.result : reply.code
  }
  return { ...kit, ana, act }
}

t.test('the session is that of the impersonator all the time, under three ids, and the data wait', async (t) => {
  const { ana, act, clock } = await createActing()
  t.equal(await act(({ acting }) => acting), null)
  await ana.login(1)
  await ana.get('/cart')
  const at = Math.floor(clock.now() / 1000)
  const tell: Act = (_impersonation, { session }) => [
    session.id,
    session.ownerId,
    session.createdAt,
    Object.keys(session).sort()
  ]
  const first = (await act(tell)) as unknown[]
  await act(async (impersonation, { session }) => {
    Object.assign(session, { _csrf: 'x', _sent: { page: '/', since: 1, times: 1 }, next: '/' })
    await impersonation.begin('1', '2', 'digest')
  })
  t.match(await act(({ acting }) => acting), {
    mac: /^[\w-]{43}$/,
    id: '2',
    by: '1',
    hash: 'digest',
    seenAt: at,
    kept: { cart: { book: 1 } }
  })
  const second = (await act(tell)) as unknown[]
  t.same(second.slice(1), [first[1], first[2], ['_acting', '_login']])
  await act(async (impersonation, { session }) => {
    session.visits = 7
    await impersonation.end()
  })
  const third = (await act(tell)) as unknown[]
  t.same(third.slice(1), first.slice(1))
  t.equal(new Set([first[0], second[0], third[0]]).size, 3)
})

t.test('without a hash there is none, and to end what has not begun restores nothing', async (t) => {
  const { ana, act } = await createActing()
  await ana.login(1)
  await act((impersonation) => impersonation.begin('1', '2', undefined))
  t.equal(await act(({ acting }) => Object.hasOwn(Object(acting), 'hash')), false)
  await act((impersonation) => impersonation.end())
  await act((impersonation) => impersonation.end())
  t.same(Object.keys((await ana.get('/data')).json()), ['_login'])
})

t.test('its use is noted where requests are activity', async (t) => {
  const { ana, act, clock } = await createActing()
  await ana.login(1)
  await act((impersonation) => impersonation.begin('1', '2', undefined))
  const note: Act = (impersonation) => impersonation.acting && impersonation.note(impersonation.acting)
  const since: Act = ({ acting }) => acting && clock.now() / 1000 - acting.seenAt
  const isOver: Act = (impersonation) => impersonation.acting && impersonation.isOver(impersonation.acting)
  clock.advance(9)
  await act(note)
  t.equal(await act(since), 9)
  clock.advance(1)
  await act(note, '/poll')
  t.equal(await act(since), 10)
  await act(note)
  t.equal(await act(since), 0)
  clock.advance(100)
  t.equal(await act(isOver), false)
  clock.advance(1)
  t.equal(await act(isOver), true)
})

t.test('data that the schema refuses by now are left out, and other errors are not hidden', async (t) => {
  const cart = z.record(z.string(), z.number()).optional()
  const { ana, act } = await createActing({ schema: z.object({ cart, visits: z.number().optional() }) } as LooseOptions)
  await ana.login(1)
  await ana.get('/cart')
  await act((impersonation) => impersonation.begin('1', '2', undefined))
  const refuse =
    (error: Error): Act =>
    async (impersonation, { session }) => {
      const { schema } = RequestSession.actionsOf(session as unknown as RequestSession)
      t.intercept(schema as object as { assert: unknown }, 'assert', {
        value: () => {
          throw error
        }
      })
      try {
        await impersonation.end()
      } finally {
        Reflect.deleteProperty(schema as object, 'assert')
      }
      return Object.keys(session)
    }
  const { SchemaError } = await import('../../lib/errors.ts')
  t.equal(await act(refuse(new Error('broken'))), undefined)
  t.same(await act(refuse(new SchemaError('no'))), ['_login'])
})
