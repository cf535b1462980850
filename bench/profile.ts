import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PayloadName, RouteName, SystemName } from './children/protocol.ts'
import { CONNECTIONS, COOKIELESS } from './plan.ts'
import type { Cores } from './processes.ts'
import { Driver, Server } from './processes.ts'

const WARM_UP_REQUESTS = 20_000
const REQUESTS = 100_000
const ROWS = 40

/** The used part of V8's profile format. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
    readonly children?: readonly number[]
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

interface Row {
  readonly self: number
  readonly total: number
  readonly name: string
}

/** Profiles one server on one route and prints the time of each function, in microseconds per request. */
export async function profile(
  system: SystemName,
  route: RouteName,
  payload: PayloadName,
  cores: Cores | undefined
): Promise<void> {
  const file = join(mkdtempSync(join(tmpdir(), 'bench-')), `${system}-${route}-${payload}.cpuprofile`)
  const driver = await Driver.start(cores)
  const server = await Server.start(system, payload, cores)
  await driver.open(server, CONNECTIONS, !system.startsWith('bare') && !COOKIELESS.includes(route))
  await driver.drive(server, route, WARM_UP_REQUESTS)
  await server.startProfile()
  await driver.drive(server, route, REQUESTS)
  await server.stopProfile(file)
  await driver.close(server)
  await server.stop()
  await driver.stop()

  const rows = readRows(JSON.parse(readFileSync(file, 'utf8')), REQUESTS)
  console.log(
    `\n${system}, /${route}, ${payload}: µs for each request under the profiler, which adds some time; own time, then total time`
  )
  for (const { self, total, name } of rows.slice(0, ROWS)) {
    console.log(`${self.toFixed(2).padStart(7)} ${total.toFixed(2).padStart(7)}  ${name}`)
  }
  console.log(`The profile: ${file}`)
}

/** Returns own and total time of each function, largest own time first. A function counts once per stack. */
function readRows({ nodes, samples, timeDeltas }: CpuProfile, requests: number): Row[] {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)))
  const names = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => {
      const place = url === '' ? '' : ` ${url.replace(/^.*\/(node_modules\/|dist\/)/, '')}:${lineNumber + 1}`
      return [id, `${functionName || '(anonymous)'}${place}`] as const
    })
  )
  const rows = new Map<string, { self: number; total: number }>()
  for (const [index, leaf] of samples.entries()) {
    const share = (timeDeltas[index] ?? 0) / requests
    const seen = new Set<string>()
    for (let id: number | undefined = leaf; id !== undefined; id = parents.get(id)) {
      const name = names.get(id) ?? ''
      const row = rows.get(name) ?? { self: 0, total: 0 }
      if (id === leaf) row.self += share
      if (!seen.has(name)) row.total += share
      seen.add(name)
      rows.set(name, row)
    }
  }
  return [...rows].map(([name, row]) => ({ name, ...row })).sort((a, b) => b.self - a.self)
}
