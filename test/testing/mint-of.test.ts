import type { FastifyInstance } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import { session } from '../../lib/index.ts'
import { Mint } from '../../lib/request/factory.ts'
import { mintOf } from '../../lib/testing/mint-of.ts'
import { createApp, SECRET } from '../helpers/app.ts'

t.test('the mint of a session is found by its decorator', async (t) => {
  const { app } = await createApp()
  await app.register(session, { secret: SECRET, decorator: 'admin', cookieName: 'admin' })
  const mint = await mintOf(app)
  t.type(mint, Mint)
  t.equal(await mintOf(app, 'session'), mint)
  t.type(await mintOf(app, 'admin'), Mint)
  t.not(await mintOf(app, 'admin'), mint)
})

t.test('it waits for the plugins of the application, and only for these', async (t) => {
  const app = fastify()
  app.register(session, { secret: SECRET })
  t.type(await mintOf(app), Mint)
  const broken = fastify()
  broken.register(session, { secret: 'short' })
  await t.rejects(mintOf(broken), { code: 'ERR_SESSION_SECRET_WEAK' })
  const early = await createApp()
  await mintOf(early.app)
  t.doesNotThrow(() => early.app.get('/', async () => ''), 'routes can still be added')
})

t.test('a session belongs to the scope that it was registered in', async (t) => {
  const app = fastify()
  let scope: FastifyInstance = app
  await app.register(async (inner) => {
    await inner.register(session, { secret: SECRET })
    scope = inner
  })
  await t.rejects(mintOf(app), { code: 'ERR_SESSION_NOT_REGISTERED' })
  t.type(await mintOf(scope), Mint)
  const outer = await createApp()
  await outer.app.register(async (inner) => {
    scope = inner
  })
  t.equal(await mintOf(scope), await mintOf(outer.app))
  await outer.app.ready()
  await t.rejects(mintOf(scope, 'admin'), { code: 'ERR_SESSION_NOT_REGISTERED' })
})

t.test('an application without such a session is refused, with the name that was asked for', async (t) => {
  const { app } = await createApp()
  await t.rejects(mintOf(fastify()), {
    code: 'ERR_SESSION_NOT_REGISTERED',
    message: /named 'session'\..*registered\.$/
  })
  await t.rejects(mintOf(app, 'admin'), { code: 'ERR_SESSION_NOT_REGISTERED', message: /with decorator: 'admin'/ })
  const other = fastify()
  other.decorate('sessions', new Map() as never)
  await t.rejects(mintOf(other), { code: 'ERR_SESSION_NOT_REGISTERED' })
})
