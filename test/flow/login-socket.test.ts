import websocket from '@fastify/websocket'
import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { MODES } from '../helpers/app.ts'
import type { KitApp } from '../helpers/login-app.ts'
import { ANA, createKitApp, createStoredKitApp, Member } from '../helpers/login-app.ts'
import { close, listen, RemoteHandler, shakeHands } from '../helpers/sockets.ts'

/** Opens sockets of a member to an application with the login kit. */
async function createSockets(kit: KitApp) {
  const { app } = kit
  const remote = new RemoteHandler()
  await app.register(websocket)
  app.get('/socket', { websocket: true, preHandler: app.loginRequired() }, remote.handle)
  app.get('/open', { websocket: true }, remote.handle)
  const url = await listen(app)
  const ana = new Member(app)
  const open = async (path: string) => {
    const { status, socket } = await shakeHands(url + path, { cookie: ana.jar.header() })
    const request = remote.request as FastifyRequest
    const names = async () => {
      const fresh = await request.loadUser({ fresh: true })
      return [fresh?.name ?? 'nobody', request.user?.name ?? 'nobody', (await request.loadUser())?.name ?? 'nobody']
    }
    return { status, socket, request, names }
  }
  return { ana, open, remote }
}

t.test('an open socket learns what its user may do, and that the user is gone', async (t) => {
  for (const { mode, options } of MODES) {
    const kit = await createKitApp(options)
    t.teardown(() => kit.app.close())
    const { ana, open } = await createSockets(kit)
    await ana.login(1)
    const { socket, request, names } = await open('/socket')
    t.same((await request.loadUser({ fresh: true }))?.roles, ['admin'], mode)
    kit.users.set('1', { ...ANA, roles: [] })
    t.same(request.user?.roles, ['admin'], 'it is not asked for without need')
    t.same((await request.loadUser({ fresh: true }))?.roles, [])
    kit.users.delete('1')
    t.same(await names(), ['nobody', 'nobody', 'nobody'])
    kit.users.set('1', ANA)
    t.same(await names(), ['nobody', 'nobody', 'nobody'], 'the session has ended')
    await close(socket)
  }
})

t.test('an open socket learns that its session has ended', async (t) => {
  const kit = await createStoredKitApp({})
  t.teardown(() => kit.app.close())
  const { ana, open, remote } = await createSockets(kit)
  for (const find of ['update', 'reload', 'fresh'] as const) {
    await ana.login(1)
    const { socket, request, names } = await open('/socket')
    t.equal(request.user?.name, 'Ana')
    await ana.submit('/logout')
    t.equal(request.user?.name, 'Ana', 'nothing has asked')
    if (find === 'update') {
      t.equal(await remote.run(socket, (session) => session.update(() => undefined)), 'ERR_SESSION_GONE')
    }
    if (find === 'reload') t.equal(await remote.run(socket, (session) => session.reload()), 'ERR_SESSION_GONE')
    if (find !== 'fresh') t.equal(request.user, null, find)
    t.same(await names(), ['nobody', 'nobody', 'nobody'])
    await close(socket)
  }
})

t.test('an open socket takes no remember token, so that none is taken for a stolen one', async (t) => {
  const kit = await createStoredKitApp()
  t.teardown(() => kit.app.close())
  const { ana, open } = await createSockets(kit)
  await ana.login(1, { remember: true })
  const idle = await open('/socket')
  kit.clock.advance(86_401)
  t.equal(await ana.read('/who'), 'Ana', 'the page goes on in a new session')
  kit.clock.advance(61)
  t.same(await idle.names(), ['nobody', 'nobody', 'nobody'], 'the session of the socket has expired')
  await close(idle.socket)

  ana.restart()
  const without = await open('/open')
  t.same(await without.names(), ['nobody', 'nobody', 'nobody'])
  await close(without.socket)
  kit.clock.advance(61)
  t.equal(await ana.read('/who'), 'Ana', 'and the browser is remembered as before')
})
