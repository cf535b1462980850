import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import type { Account } from './accounts.ts'
import { createAccounts } from './accounts.ts'
import type { PayloadName, Sample, ServerRequest, SystemName } from './protocol.ts'

/** Starts a server on a free port of the loopback interface and returns the port. */
export type Start = (accounts: readonly Account[]) => Promise<number>

/** Imported on demand: the bench also measures memory. */
const SYSTEMS: Readonly<Record<SystemName, () => Promise<{ readonly start: Start }>>> = {
  bare: () => import('./systems/bare.ts'),
  'bare-again': () => import('./systems/bare.ts'),
  signed: () => import('./systems/signed.ts'),
  encrypted: () => import('./systems/encrypted.ts'),
  memory: () => import('./systems/memory.ts'),
  redis: () => import('./systems/redis.ts'),
  'by-hand': () => import('./systems/by-hand.ts'),
  'sealed-by-hand': () => import('./systems/sealed-by-hand.ts'),
  'secure-session': () => import('./systems/secure-session.ts'),
  'fastify-session': () => import('./systems/fastify-session.ts'),
  'fastify-session-redis': () => import('./systems/fastify-session-redis.ts'),
  'iron-session': () => import('./systems/iron-session.ts'),
  'bare-express': () => import('./systems/bare-express.ts'),
  'express-session': () => import('./systems/express-session.ts'),
  'express-session-redis': () => import('./systems/express-session-redis.ts')
}

const PROFILE_INTERVAL_MICROSECONDS = 100
const profiler = new Session()

function sample(): Sample {
  const { user, system } = process.cpuUsage()
  const rss = process.memoryUsage.rss()
  return { cpu: user + system, rss, peakRss: process.resourceUsage().maxRSS * 1024 }
}

async function answer(request: ServerRequest): Promise<Sample | null> {
  switch (request.ask) {
    case 'sample':
      return sample()
    case 'start-profile':
      profiler.connect()
      await profiler.post('Profiler.enable')
      await profiler.post('Profiler.setSamplingInterval', { interval: PROFILE_INTERVAL_MICROSECONDS })
      await profiler.post('Profiler.start')
      return null
    case 'stop-profile': {
      const { profile } = await profiler.post('Profiler.stop')
      writeFileSync(request.file, JSON.stringify(profile))
      profiler.disconnect()
      return null
    }
  }
}

const [system, payload] = process.argv.slice(2) as [SystemName, PayloadName]
const { start } = await SYSTEMS[system]()
const port = await start(createAccounts(payload))
process.on('message', async (request: ServerRequest) => {
  process.send?.(await answer(request))
})
process.on('disconnect', () => process.exit())
process.send?.({ port })
