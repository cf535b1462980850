import t from 'tap'
import { deviceRequired } from '../../lib/device-bound/device-required.ts'
import { createBoundBrowser, createDeviceApp } from '../helpers/device-app.ts'
import { DeviceBrowser } from '../helpers/device-browser.ts'

t.test('a guard lets those through who come from the device of their session', async (t) => {
  const { app, clock, browser } = await createBoundBrowser()
  t.equal((await browser.get('/key')).statusCode, 200)
  t.equal((await new DeviceBrowser(app, clock.now).get('/key')).statusCode, 401)
  const plain = new DeviceBrowser(app, clock.now)
  plain.isCapable = false
  await plain.post('/login')
  t.equal((await plain.get('/key')).statusCode, 403)
})

t.test('also where a proof is optional', async (t) => {
  const { app, clock } = await createDeviceApp()
  const options = { config: { session: { device: 'optional' } } } as const
  app.get(
    '/strict',
    options,
    deviceRequired({ status: 404 }).handle(async ({ session }) => session.device.lastProofAt.getTime())
  )
  const browser = new DeviceBrowser(app, clock.now)
  await browser.post('/login')
  t.equal((await browser.get('/strict')).body, String(clock.now()))
  clock.advance(700)
  t.equal((await browser.sendAsIs({ url: '/strict' })).statusCode, 404)
})

t.test('the session of another decorator', async (t) => {
  const { app } = await createDeviceApp()
  app.get('/admin', { preHandler: deviceRequired({ decorator: 'adminSession' }) }, async () => 'never')
  t.match((await app.inject('/admin')).json(), { code: 'ERR_SESSION_NOT_REGISTERED' })
})

t.test('wrong options are refused', async (t) => {
  t.throws(() => deviceRequired({ decorator: 7 as never }), { code: 'ERR_SESSION_OPTION_INVALID' })
  t.throws(() => deviceRequired({ maxAge: 7 } as never), { code: 'ERR_SESSION_OPTION_UNKNOWN' })
})
