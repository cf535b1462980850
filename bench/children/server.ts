import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import type { AddressInfo } from 'node:net'
import { createAccounts } from './accounts.ts'
import type { PayloadName, Sample, ServerRequest, SystemName } from './protocol.ts'
import type { Start } from './systems/fastify.ts'

/** Imported on demand: the bench also measures memory. */
const SYSTEMS: Readonly<Record<SystemName, () => Promise<{ readonly start: Start }>>> = {
  bare: () => import('./systems/bare.ts'),
  'bare-again': () => import('./systems/bare.ts'),
  signed: () => import('./systems/signed.ts'),
  encrypted: () => import('./systems/encrypted.ts'),
  memory: () => import('./systems/memory.ts'),
  redis: () => import('./systems/redis.ts'),
  'secure-session': () => import('./systems/secure-session.ts'),
  'fastify-session': () => import('./systems/fastify-session.ts'),
  'fastify-session-redis': () => import('./systems/fastify-session-redis.ts'),
  'iron-session': () => import('./systems/iron-session.ts')
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
const app = await start({ accounts: createAccounts(payload), logger: false })
await app.listen({ port: 0, host: '127.0.0.1' })
const { port } = app.server.address() as AddressInfo
process.on('message', async (request: ServerRequest) => {
  process.send?.(await answer(request))
})
process.on('disconnect', () => process.exit())
process.send?.({ port })
