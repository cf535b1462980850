// Counts instructions per request: npm run bench:instructions -- --help
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { RouteName, Setting, SystemName } from './children/setting.ts'
import { PAYLOADS, ROUTES, SYSTEMS } from './children/setting.ts'
import { choose } from './choose.ts'
import { compileChildren } from './compile-children.ts'
import type { Count } from './instructions/count.ts'
import { compileAddon, count } from './instructions/count.ts'

const USAGE = `npm run bench:instructions -- [options]
  --systems a,b      of ${SYSTEMS.join(', ')}
  --routes a,b       of ${ROUTES.join(', ')}
  --payload small    or large
  --foreign-cookies 2
  --logger           with Fastify's logger
  --requests 1000    how many are counted
  --top 40           also the functions that cost most
  --root DIR         measure the dist/ of another checkout
  --jobs 2           at once; the figures do not depend on it`

const DEFAULT_SYSTEMS = 'bare,sketch,signed,encrypted,memory,secure-session,fastify-session'

const { values } = parseArgs({
  options: {
    systems: { type: 'string', default: DEFAULT_SYSTEMS },
    routes: { type: 'string', default: ROUTES.join() },
    payload: { type: 'string', default: 'small' },
    'foreign-cookies': { type: 'string', default: '2' },
    logger: { type: 'boolean', default: false },
    requests: { type: 'string', default: '1000' },
    top: { type: 'string' },
    root: { type: 'string' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    help: { type: 'boolean', default: false }
  }
})

if (values.help) console.log(USAGE)
else await main()

async function main(): Promise<void> {
  const systems = choose(SYSTEMS, values.systems)
  const routes = choose(ROUTES, values.routes)
  const [payload = 'small'] = choose(PAYLOADS, values.payload)
  const setting: Setting = { payload, foreignCookies: Number(values['foreign-cookies']), logger: values.logger }
  const requests = Number(values.requests)
  if (values.root !== undefined) process.env.BENCH_LIBRARY = resolve(values.root, 'dist')
  compileChildren()
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  try {
    const addon = await compileAddon(folder)
    const counts = new Map<SystemName, Map<RouteName, Count>>()
    const waiting = [...systems]
    const work = async (): Promise<void> => {
      for (let system = waiting.shift(); system !== undefined; system = waiting.shift()) {
        counts.set(system, await count(system, setting, requests, addon))
      }
    }
    await Promise.all(Array.from({ length: Number(values.jobs) }, work))
    print(systems, routes, requests, counts)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function print(
  systems: readonly SystemName[],
  routes: readonly RouteName[],
  requests: number,
  counts: ReadonlyMap<SystemName, ReadonlyMap<RouteName, Count>>
): void {
  console.log(`Instructions per request, Node.js ${process.versions.node}, ${values.payload} payload.\n`)
  for (const route of routes) {
    const own = (system: SystemName): number => {
      const profile = counts.get(system)?.get(route)
      return profile === undefined
        ? Number.NaN
        : (profile.total - profile.compiler - profile.garbage - profile.sha) / requests
    }
    const [bare, sketch] = [own('bare'), own('sketch')]
    console.log(
      `/${route}`.padEnd(18),
      '   total  above bare  ÷ sketch  apart: SHA  compiler  garbage  bytes allocated'
    )
    for (const system of systems) {
      const profile = counts.get(system)?.get(route) as Count
      const cells = [
        own(system).toFixed(0).padStart(8),
        (own(system) - bare).toFixed(0).padStart(12),
        ((own(system) - bare) / (sketch - bare)).toFixed(3).padStart(10),
        (profile.sha / requests).toFixed(0).padStart(12),
        (profile.compiler / requests).toFixed(0).padStart(10),
        (profile.garbage / requests).toFixed(0).padStart(9),
        profile.allocated.toFixed(0).padStart(17)
      ]
      console.log(system.padEnd(18), cells.join(''))
    }
    console.log()
  }
  if (values.top === undefined) return
  for (const system of systems) {
    for (const route of routes) {
      console.log(`${system} /${route}: instructions per request, by function`)
      const functions = counts.get(system)?.get(route)?.functions ?? new Map<string, number>()
      const sorted = [...functions].sort(([, a], [, b]) => b - a).slice(0, Number(values.top))
      for (const [name, instructions] of sorted) {
        console.log(`${(instructions / requests).toFixed(0).padStart(8)}  ${name.slice(0, 150)}`)
      }
      console.log()
    }
  }
}
