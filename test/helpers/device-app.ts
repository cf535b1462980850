import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyRequest } from 'fastify'
import type { DeviceBoundOptions, DeviceEvent } from '../../lib/device-bound/index.ts'
import { deviceBound, deviceRequired } from '../../lib/device-bound/index.ts'
import type { LooseOptions, TestApp } from './app.ts'
import { createApp } from './app.ts'
import { DeviceBrowser } from './device-browser.ts'

/** Creates an application with device-bound sessions and the routes that their stories need, behind a proxy that ends TLS. */
export async function createDeviceApp(
  options: LooseOptions = {},
  deviceOptions: DeviceBoundOptions = {}
): Promise<TestApp> {
  const made = await createApp(options, { trustProxy: true })
  const { app } = made
  await app.register(deviceBound, deviceOptions)
  app.post('/login', async ({ session }) => {
    session.setOwner('7')
    session.userId = 7
    return 'logged in'
  })
  app.post('/logout', async ({ session }) => {
    await session.destroy()
    return 'logged out'
  })
  app.post('/renew', async ({ session }) => {
    await session.renew()
    return session.device === undefined ? 'not bound' : 'bound'
  })
  app.post<{ Body: { keep?: string[]; keepOwner?: boolean } }>('/regenerate', async ({ session, body }) => {
    const { keep = [], ...how } = body
    await session.regenerate(keep as never[], how)
    return session.device === undefined ? 'not bound' : 'bound'
  })
  app.post('/bind', async ({ session }) => session.bindToDevice())
  app.get('/me', async ({ session }) => tell(session))
  app.get('/open', { config: { session: { device: 'optional' } } }, async ({ session }) => tell(session))
  app.post('/open/renew', { config: { session: { device: 'optional' } } }, async ({ session }) => {
    await session.renew()
    return session.device === undefined ? 'not bound' : 'bound'
  })
  app.post<{ Body: { keepOwner?: boolean } }>(
    '/open/regenerate',
    { config: { session: { device: 'optional' } } },
    async ({ session, body }) => {
      await session.regenerate(['userId'], body)
      return session.device === undefined ? 'not bound' : 'bound'
    }
  )
  app.post('/visit', async ({ session }) => {
    session.visits = (session.visits ?? 0) + 1
    return session.visits
  })
  app.get(
    '/key',
    deviceRequired().handle(async ({ session }) => session.device.lastProofAt)
  )
  return made
}

function tell({ userId, visits, device }: FastifyRequest['session']): object {
  return { userId, visits, isBound: device !== undefined, isProved: device?.lastProofAt !== undefined }
}

/** Creates the application, and a browser that has logged in and bound its session. */
export async function createBoundBrowser(
  options: LooseOptions = {},
  deviceOptions: DeviceBoundOptions = {},
  algorithm: 'ES256' | 'RS256' = 'ES256'
): Promise<TestApp & { browser: DeviceBrowser }> {
  const made = await createDeviceApp(options, deviceOptions)
  const browser = new DeviceBrowser(made.app, made.clock.now, algorithm)
  await browser.post('/login')
  return { ...made, browser }
}

/** Returns the events of device-bound sessions while `run` runs, as `type` or `type: reason`. */
export async function deviceEventsOf(run: () => Promise<unknown>): Promise<string[]> {
  const events: string[] = []
  const note = (message: unknown): void => {
    const { type, reason } = message as DeviceEvent
    events.push(reason === undefined ? type : `${type}: ${reason}`)
  }
  subscribe('fastify-typed-session/device', note)
  try {
    await run()
  } finally {
    unsubscribe('fastify-typed-session/device', note)
  }
  return events
}
