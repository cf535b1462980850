import { createAccounts } from '../accounts.ts'
import { Browser } from '../browser.ts'
import { prove } from '../prove.ts'
import type { RouteName, Setting, SystemName } from '../setting.ts'
import { ROUTES } from '../setting.ts'
import type { Start } from './fastify.ts'

/** Imported on demand, so that a process holds one system. */
const FILES: Readonly<Record<SystemName, () => Promise<{ readonly start: Start }>>> = {
  bare: () => import('./bare.ts'),
  'bare-headers': () => import('./bare-headers.ts'),
  sketch: () => import('./sketch-signed.ts'),
  signed: () => import('./signed.ts'),
  'signed-schema': () => import('./signed-schema.ts'),
  'signed-named': () => import('./signed-named.ts'),
  'signed-revocations': () => import('./signed-revocations.ts'),
  'signed-bound': () => import('./signed-bound.ts'),
  'signed-unbound': () => import('./signed-unbound.ts'),
  encrypted: () => import('./encrypted.ts'),
  memory: () => import('./memory.ts'),
  'memory-encrypted': () => import('./memory-encrypted.ts'),
  redis: () => import('./redis.ts'),
  'redis-encrypted': () => import('./redis-encrypted.ts'),
  ioredis: () => import('./ioredis.ts'),
  'secure-session': () => import('./secure-session.ts'),
  'fastify-session': () => import('./fastify-session.ts'),
  'fastify-session-redis': () => import('./fastify-session-redis.ts'),
  'fastify-session-ioredis': () => import('./fastify-session-ioredis.ts')
}

/** For each route, in turns: a system is warm when all of its routes are. */
const WARM_UP_TURNS = 3
const WARM_UP_REQUESTS = 2000

/** A system that has proved that it works, and is warm. */
export interface Running {
  readonly app: Awaited<ReturnType<Start>>
  readonly browser: Browser
  /** Sends requests to a route and keeps the cookies. */
  send(route: RouteName, requests: number): Promise<void>
}

/** `inFlight`: the requests at the same time. */
export async function startSystem(name: SystemName, setting: Setting, inFlight = 1): Promise<Running> {
  const { start } = await FILES[name]()
  const app = await start({ accounts: createAccounts(setting.payload), logger: setting.logger })
  const browser = new Browser(app, setting)
  if (!name.startsWith('bare')) {
    await prove(name, browser)
    await browser.logIn()
  }
  const send = async (route: RouteName, requests: number): Promise<void> => {
    await browser.send(browser.prepare(route, requests), inFlight)
    browser.adoptCookies()
  }
  for (let turn = 0; turn < WARM_UP_TURNS; turn++) for (const route of ROUTES) await send(route, WARM_UP_REQUESTS)
  return { app, browser, send }
}
