import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { chart } from './chart.ts'
import type { PayloadName, RouteName, SystemName } from './children/protocol.ts'
import type { Effort, PayloadResult } from './measure.ts'
import { measureGroup } from './measure.ts'
import type { PlannedGroup } from './plan.ts'
import { GROUPS, PAYLOADS, ROUTES } from './plan.ts'
import type { Cores } from './processes.ts'
import { findCores } from './processes.ts'
import { profile } from './profile.ts'
import { startRedis } from './redis.ts'
import { insertReport, payloadTable, report, verdictTable } from './report.ts'
import type { Results } from './results.ts'
import { describeMachine, judge, readVersions } from './results.ts'

const FULL: Effort = { rounds: 5, slices: 8 }
const QUICK: Effort = { rounds: 2, slices: 6 }

const USAGE = `npm run bench -- [options]
  --quick                     fewer rounds
  --systems a,b --routes a,b  only these, and the bare servers
  --payload small|large       only this one
  --profile <system> <route>  only where the CPU time of one server goes
Only a complete run writes bench/results.json, bench/README.md and bench/chart.svg.`

const SYSTEM_NAMES: readonly SystemName[] = GROUPS.flatMap(({ systems }) => systems.map(({ name }) => name))

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    systems: { type: 'string' },
    routes: { type: 'string' },
    payload: { type: 'string' },
    profile: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false }
  }
})

if (values.help) console.log(USAGE)
else await main()

async function main(): Promise<void> {
  compileChildren()
  const systems = choose(SYSTEM_NAMES, values.systems)
  const routes = choose(ROUTES, values.routes)
  const payloads = choose(PAYLOADS, values.payload)
  const cores = findCores()
  const endRedis = systems.some((name) => name.includes('redis')) ? await startRedis(cores) : () => {}
  try {
    await work(systems, routes, payloads, cores)
  } finally {
    endRedis()
  }
}

async function work(
  systems: readonly SystemName[],
  routes: readonly RouteName[],
  payloads: readonly PayloadName[],
  cores: Cores | undefined
): Promise<void> {
  if (values.profile) {
    const [system] = choose(SYSTEM_NAMES, positionals[0] ?? '')
    const [route] = choose(ROUTES, positionals[1] ?? '')
    const [payload] = payloads
    if (system !== undefined && route !== undefined && payload !== undefined)
      await profile(system, route, payload, cores)
    return
  }

  const effort = values.quick ? QUICK : FULL
  const measured: Results['payloads'] = {}
  for (const payload of payloads) {
    const parts: PayloadResult[] = []
    for (const group of GROUPS) {
      const chosen = restrict(group, systems)
      if (chosen !== undefined) parts.push(await measureGroup(chosen, routes, payload, effort, cores))
    }
    // Reversed, so that of several rows for the same bare server the one of the first group, the largest, stays.
    measured[payload] = Object.assign({}, ...parts.reverse())
    console.log(`\n${payload}: µs of server CPU above the bare server\n\n${payloadTable(measured[payload] ?? {})}\n`)
  }
  const results: Results = {
    date: new Date().toISOString().slice(0, 10),
    quick: values.quick,
    effort,
    machine: describeMachine(cores),
    versions: readVersions(),
    payloads: measured,
    verdicts: judge(measured)
  }
  console.log(`${verdictTable(results.verdicts)}\n`)
  const isComplete = [values.systems, values.routes, values.payload].every((choice) => choice === undefined)
  if (isComplete) publish(results)
}

/** Compiles the child processes to JavaScript, because the bench would also measure a loader. The compiler checks the types. */
function compileChildren(): void {
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd: new URL('.', import.meta.url),
    stdio: ['ignore', 'inherit', 'inherit']
  })
  if (status !== 0) throw new Error('The bench does not compile.')
}

/** Returns the group with the chosen systems and their bare servers. */
function restrict(group: PlannedGroup, chosen: readonly SystemName[]): PlannedGroup | undefined {
  const systems = group.systems.filter(({ name, base }) => base === undefined || chosen.includes(name))
  return systems.length < 2 ? undefined : { ...group, systems }
}

/** Returns the names of a comma-separated list, in the order of `known`; without a list, all names. */
function choose<Name extends SystemName | RouteName | string>(
  known: readonly Name[],
  list: string | undefined
): readonly Name[] {
  if (list === undefined) return known
  const asked = list.split(',')
  const unknown = asked.filter((name) => !known.some((candidate) => candidate === name))
  if (unknown.length > 0)
    throw new Error(`Unknown: '${unknown.join("', '")}'. Known are ${[...new Set(known)].join(', ')}.\n\n${USAGE}`)
  return known.filter((name) => asked.includes(name))
}

function publish(results: Results): void {
  const files = { json: 'results.json', readme: 'README.md', chart: 'chart.svg' }
  const at = (name: string): URL => new URL(name, import.meta.url)
  writeFileSync(at(files.json), `${JSON.stringify(results, roundNumber, 2)}\n`)
  writeFileSync(at(files.readme), insertReport(readFileSync(at(files.readme), 'utf8'), report(results)))
  if (results.payloads.small !== undefined) writeFileSync(at(files.chart), chart(results.payloads.small))
  // The linter also checks these files.
  spawnSync('npx', ['biome', 'format', '--write', files.json, files.chart], { cwd: new URL('.', import.meta.url) })
  console.log(`Written: ${Object.values(files).join(', ')}`)
}

/** Three decimals of a microsecond are enough. */
function roundNumber(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 1000) / 1000 : value
}
