import type { SystemName } from './children/protocol.ts'
import { CONNECTIONS } from './plan.ts'
import type { Cores } from './processes.ts'
import { Driver, Server } from './processes.ts'

/** The bare server shows how the memory of Node itself changes. */
const SYSTEMS: readonly SystemName[] = ['bare', 'signed', 'encrypted']
const STEPS = 10
const REQUESTS_PER_STEP = 100_000

/** A heap that gains less than this in a million requests does not count as growing: less than a byte per request. */
const HEAP_LIMIT_BYTES = 1_000_000

/** Memory in bytes after a number of requests and a garbage collection. */
export interface SoakStep {
  readonly requests: number
  readonly heapUsed: number
  readonly external: number
  readonly rss: number
}

export interface SoakResult {
  readonly system: SystemName
  readonly steps: readonly SoakStep[]
  /** Bytes of heap per request, by least squares over all steps except the first. */
  readonly heapPerRequest: number
  readonly grows: boolean
}

/** Sends a million writes to each cookie mode, and a million requests to the bare server. */
export async function soak(cores: Cores | undefined): Promise<SoakResult[]> {
  const results: SoakResult[] = []
  for (const system of SYSTEMS) {
    const driver = await Driver.start(cores)
    const server = await Server.start(system, 'small', cores, ['--expose-gc'])
    await driver.open(server, CONNECTIONS, system !== 'bare')
    const steps: SoakStep[] = []
    for (let step = 1; step <= STEPS; step++) {
      await driver.drive(server, 'write', REQUESTS_PER_STEP)
      const { heapUsed, external, rss } = await server.settledSample()
      steps.push({ requests: step * REQUESTS_PER_STEP, heapUsed, external, rss })
      console.log(`${system}: ${step * REQUESTS_PER_STEP} requests, heap ${megabytes(heapUsed)}, RSS ${megabytes(rss)}`)
    }
    await driver.close(server)
    await server.stop()
    await driver.stop()
    const heapPerRequest = slope(steps.slice(1).map(({ requests, heapUsed }) => [requests, heapUsed]))
    const grows = heapPerRequest * STEPS * REQUESTS_PER_STEP > HEAP_LIMIT_BYTES
    results.push({ system, steps, heapPerRequest, grows })
  }
  return results
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(2)} MB`
}

function slope(points: readonly (readonly [number, number])[]): number {
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length
  const covariance = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  return covariance / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
}
