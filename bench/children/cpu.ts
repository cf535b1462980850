// A process with one system: node cpu.js <system> <setting as JSON> <requests in flight>.
import type { AddressInfo } from 'node:net'
import type { CpuRequest } from './messages.ts'
import type { RouteName, Setting, SystemName } from './setting.ts'
import { startSystem } from './systems/start.ts'

const UNTIMED_REQUESTS = 150

const [name, setting, inFlight] = process.argv.slice(2) as [SystemName, string, string]
const { app, browser, send } = await startSystem(name, JSON.parse(setting) as Setting, Number(inFlight))

function cpuSince(before?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return user + system
}

/** Returns the CPU time of a request, in microseconds, of all threads. */
async function slice(route: RouteName, count: number): Promise<number> {
  await send(route, UNTIMED_REQUESTS)
  const requests = browser.prepare(route, count)
  const before = process.cpuUsage()
  await browser.send(requests, Number(inFlight))
  const spent = cpuSince(before)
  browser.adoptCookies()
  return spent / count
}

async function answer(request: CpuRequest): Promise<number> {
  switch (request.ask) {
    case 'slice':
      return slice(request.route, request.requests)
    case 'listen':
      await app.listen({ port: 0, host: '127.0.0.1' })
      return (app.server.address() as AddressInfo).port
    case 'cpu':
      return cpuSince()
  }
}

process.on('message', async (request: CpuRequest) => {
  process.send?.(await answer(request))
})
process.on('disconnect', () => process.exit())
process.send?.(0)
