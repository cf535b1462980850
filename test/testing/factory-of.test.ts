import type { FastifyInstance } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import { session } from '../../lib/index.ts'
import { SessionFactory } from '../../lib/request/factory.ts'
import { factoryOf } from '../../lib/testing/factory-of.ts'
import { createApp, SECRET } from '../helpers/app.ts'

t.test('the factory of a session is found by its decorator', async (t) => {
  const { app } = await createApp()
  await app.register(session, { secret: SECRET, decorator: 'admin', cookieName: 'admin' })
  const factory = await factoryOf(app)
  t.type(factory, SessionFactory)
  t.equal(await factoryOf(app, 'session'), factory)
  t.type(await factoryOf(app, 'admin'), SessionFactory)
  t.not(await factoryOf(app, 'admin'), factory)
})

t.test('factoryOf waits for the plugins of the application, and for nothing else', async (t) => {
  const app = fastify()
  app.register(session, { secret: SECRET })
  t.type(await factoryOf(app), SessionFactory)
  const broken = fastify()
  broken.register(session, { secret: 'short' })
  await t.rejects(factoryOf(broken), { code: 'ERR_SESSION_SECRET_WEAK' })
  const early = await createApp()
  await factoryOf(early.app)
  t.doesNotThrow(() => early.app.get('/', async () => ''), 'routes can still be added')
})

t.test('a session is found in the scope in which it is registered', async (t) => {
  const app = fastify()
  let scope: FastifyInstance = app
  await app.register(async (inner) => {
    await inner.register(session, { secret: SECRET })
    scope = inner
  })
  await t.rejects(factoryOf(app), { code: 'ERR_SESSION_NOT_REGISTERED' })
  t.type(await factoryOf(scope), SessionFactory)
  const outer = await createApp()
  await outer.app.register(async (inner) => {
    scope = inner
  })
  t.equal(await factoryOf(scope), await factoryOf(outer.app))
  await outer.app.ready()
  await t.rejects(factoryOf(scope, 'admin'), { code: 'ERR_SESSION_NOT_REGISTERED' })
})

t.test('an application without the session is refused with the name of the session', async (t) => {
  const { app } = await createApp()
  await t.rejects(factoryOf(fastify()), {
    code: 'ERR_SESSION_NOT_REGISTERED',
    message: /named 'session'\..*registered\.$/
  })
  await t.rejects(factoryOf(app, 'admin'), { code: 'ERR_SESSION_NOT_REGISTERED', message: /with decorator: 'admin'/ })
  const other = fastify()
  other.decorate('sessions', new Map() as never)
  await t.rejects(factoryOf(other), { code: 'ERR_SESSION_NOT_REGISTERED' })
})
