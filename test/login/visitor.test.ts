import type { FastifyReply, FastifyRequest } from 'fastify'
import t from 'tap'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import { ActingMac } from '../../lib/login/acting-mac.ts'
import type { Kit } from '../../lib/login/kit.ts'
import { resolveLoginOptions } from '../../lib/login/options.ts'
import { Visitor } from '../../lib/login/visitor.ts'
import type { OwnerSessions } from '../../lib/owners/sessions.ts'
import type { SessionEndedEvent } from '../../types/endings.ts'
import { SECRET } from '../helpers/app.ts'
import type { KitApp } from '../helpers/login-app.ts'
import { ANA, createKitApp, createStoredKitApp, Member, tellEventsOf } from '../helpers/login-app.ts'

const OBSERVED: Pick<Kit, 'macs' | 'setAside' | 'isHandling' | 'warnOfHaste'> = {
  macs: new ActingMac(deriveKeys([Buffer.from(SECRET)], 'acting'), 'session'),
  setAside: () => {},
  isHandling: () => true,
  warnOfHaste: () => {}
}

/** Adds a route that creates the visitor of its request. */
function addVisit({ app, clock }: KitApp, run: (visitor: Visitor) => unknown, remember?: Kit['remember']): void {
  const settings = resolveLoginOptions({ loadUser: () => ANA }, clock.now)
  const kit = { ...OBSERVED, settings, sessions: app.sessions as OwnerSessions, freshness: 1, remember }
  app.get('/visit', async (request: FastifyRequest, reply: FastifyReply) => {
    return { result: (await run(new Visitor(kit, request, reply))) ?? null }
  })
}

/** Stands for what remembers logins: every token is a stolen one. */
const STOLEN = {
  tokens: { find: async () => ({ isStolen: true, userId: '1' }) },
  cookie: { read: () => ['token'], write: () => '' }
} as unknown as NonNullable<Kit['remember']>

t.test('a visitor may be logged in by the session, or by what the browser is remembered by', async (t) => {
  const kit = await createKitApp()
  addVisit(kit, (visitor) => [visitor.mayBeLoggedIn, visitor.browser === undefined])
  const ana = new Member(kit.app)
  t.same((await ana.get('/visit')).json().result, [false, true])
  await ana.login(1)
  t.same((await ana.get('/visit')).json().result, [true, true])
  const remembering = await createKitApp()
  addVisit(remembering, (visitor) => [visitor.mayBeLoggedIn, visitor.browser === undefined], STOLEN)
  t.same((await new Member(remembering.app).get('/visit')).json().result, [true, false])
})

t.test('a route without sessions remembers nobody', async (t) => {
  const { app, clock } = await createKitApp()
  const settings = resolveLoginOptions({ loadUser: () => ANA }, clock.now)
  const kit = { ...OBSERVED, settings, sessions: app.sessions as OwnerSessions, freshness: 1, remember: STOLEN }
  app.get('/off', { config: { session: false } }, async (request, reply) => {
    const visitor = new Visitor(kit, request, reply)
    return [visitor.browser ?? 'none', visitor.mayBeLoggedIn]
  })
  t.same((await app.inject('/off')).json(), ['none', false])
})

t.test('who leaves is logged out, with a reason or without', async (t) => {
  const kit = await createStoredKitApp({})
  const ana = new Member(kit.app)
  let run: (visitor: Visitor) => unknown = (visitor) => visitor.leave()
  addVisit(kit, (visitor) => run(visitor))
  await ana.login(1)
  t.same(await tellEventsOf(() => ana.get('/visit')), [])
  t.equal(await ana.read('/who'), 'nobody')
  const events: SessionEndedEvent[] = []
  kit.app.sessions.onEnded((event) => events.push(event))
  run = (visitor) => visitor.end('logout', '1')
  await ana.login(1)
  await ana.get('/visit')
  t.match(events.at(-1), { reason: 'destroyed', ownerId: '1' })
  run = (visitor) => visitor.end('ended', '7')
  await ana.login(1)
  t.same(await tellEventsOf(() => ana.get('/visit')), ['ended 7'])
  t.equal(await ana.read('/who'), 'nobody')
})

t.test('the browser of who leaves is not remembered', async (t) => {
  const kit = await createKitApp()
  const sent: unknown[] = []
  const cookie = { read: () => ['token'], write: (...[, , token]: unknown[]) => void sent.push(token) }
  addVisit(kit, (visitor) => visitor.leave(), { ...STOLEN, cookie } as unknown as typeof STOLEN)
  await kit.app.inject('/visit')
  t.same(sent, [undefined], 'its cookie is cleared')
})

t.test('a theft is published', async (t) => {
  const kit = await createKitApp()
  addVisit(kit, (visitor) => visitor.browser?.find(), STOLEN)
  t.same(await tellEventsOf(() => kit.app.inject('/visit')), ['theft 1'])
})

t.test('an impersonation ends with the session of a visitor', async (t) => {
  const kit = await createKitApp()
  kit.app.get('/act', async (request) => request.impersonate(kit.users.get('2') as never))
  addVisit(kit, (visitor) => visitor.end('logout', '1'))
  const ana = new Member(kit.app)
  await ana.login(1)
  await ana.get('/act')
  t.same(await tellEventsOf(() => ana.get('/visit')), ['impersonation-ended 2', 'logout 1'])
})
