import type { ClientRequest } from './children/messages.ts'
import type { RouteName, SystemName } from './children/setting.ts'
import { ROUTES } from './children/setting.ts'
import { ask, startServer } from './cpu/measure.ts'
import { BASIC } from './plan.ts'
import type { Cores } from './processes.ts'
import { Child } from './processes.ts'
import { median } from './statistics.ts'

const SYSTEMS: readonly SystemName[] = ['bare', 'signed', 'encrypted', 'memory', 'secure-session', 'fastify-session']
const REQUESTS = 5000
const SLICES = 5

/** The CPU time of a server per request, with a client on the other core: microseconds, all of it. */
export type Loopback = Readonly<Partial<Record<SystemName, Readonly<Partial<Record<RouteName, number>>>>>>

export async function measureLoopback(cores: Cores | undefined): Promise<Loopback> {
  const results: Partial<Record<SystemName, Partial<Record<RouteName, number>>>> = {}
  for (const system of SYSTEMS) {
    const server = await startServer(system, BASIC, 1, cores)
    const client = new Child(cores?.other, 'client.js', String(await ask(server, { ask: 'listen' })))
    await client.reply()
    const costs: Partial<Record<RouteName, number>> = {}
    for (const route of ROUTES) {
      const request: ClientRequest = { route, requests: REQUESTS }
      await client.ask(request)
      const slices: number[] = []
      for (let slice = 0; slice < SLICES; slice++) {
        const before = await ask(server, { ask: 'cpu' })
        await client.ask(request)
        slices.push(((await ask(server, { ask: 'cpu' })) - before) / REQUESTS)
      }
      costs[route] = median(slices)
    }
    results[system] = costs
    await client.stop()
    await server.stop()
  }
  return results
}
