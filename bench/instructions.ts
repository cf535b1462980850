// Counts instructions per request: npm run bench:instructions -- --help
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import type { RouteName, Setting, SystemName } from './children/setting.ts'
import { PAYLOADS, ROUTES, SYSTEMS } from './children/setting.ts'
import { choose } from './choose.ts'
import { COMMON_OPTIONS, COMMON_USAGE, prepareChildren } from './common-options.ts'
import { breakDown } from './instructions/breakdown.ts'
import type { Budgets } from './instructions/budget.ts'
import { budgetOf, CHECKED, judgeBudget } from './instructions/budget.ts'
import type { Counts } from './instructions/count.ts'
import { countSystems } from './instructions/count.ts'
import { BASIC } from './plan.ts'

/** The systems that never wait: under callgrind, Redis would answer at other times in each run. */
const COUNTABLE: readonly SystemName[] = SYSTEMS.filter((name) => !name.includes('redis'))
const BUDGETS = new URL('budgets.json', import.meta.url)
/** Of a breakdown. */
const WORTH_A_LINE = 100
const MAJOR: string = process.versions.node.replace(/\..*/, '')

const USAGE = `npm run bench:instructions -- [options]
  --systems a,b      of ${COUNTABLE.join(', ')}
  --routes a,b       of ${ROUTES.join(', ')}
  --payload small    or large
  --foreign-cookies ${BASIC.foreignCookies}
  --logger           with Fastify's logger
  --top 40           also the functions that cost most
  --breakdown        also where the systems cost more than the sketch
  ${COMMON_USAGE}
  --jobs 2           at once; the figures do not depend on it
  --check            compare ${CHECKED.join(', ')} with bench/budgets.json; fail if one costs 3 % more
  --update           write what they cost to bench/budgets.json, for this version of Node.js`

const { values } = parseArgs({
  options: {
    systems: { type: 'string', default: 'bare,sketch,signed,encrypted,memory,secure-session,fastify-session' },
    routes: { type: 'string', default: ROUTES.join() },
    payload: { type: 'string', default: BASIC.payload },
    'foreign-cookies': { type: 'string', default: String(BASIC.foreignCookies) },
    logger: { type: 'boolean', default: BASIC.logger },
    top: { type: 'string' },
    breakdown: { type: 'boolean', default: false },
    jobs: { type: 'string', default: String(availableParallelism()) },
    check: { type: 'boolean', default: false },
    update: { type: 'boolean', default: false },
    ...COMMON_OPTIONS
  }
})

if (values.help) console.log(USAGE)
else await main()

async function main(): Promise<void> {
  prepareChildren(values.root)
  if (values.check || values.update) return checkBudgets(await countSystems(CHECKED, BASIC, Number(values.jobs)))
  const systems = choose(COUNTABLE, values.systems)
  const routes = choose(ROUTES, values.routes)
  const [payload = BASIC.payload] = choose(PAYLOADS, values.payload)
  const setting: Setting = { payload, foreignCookies: Number(values['foreign-cookies']), logger: values.logger }
  const counts = await countSystems(systems, setting, Number(values.jobs))
  console.log(`Instructions per request, Node.js ${process.versions.node}, ${JSON.stringify(setting)}\n`)
  for (const route of routes) printTable(systems, route, counts)
  for (const system of systems) {
    for (const route of routes) {
      if (values.breakdown) printBreakdown(system, route, counts)
      if (values.top !== undefined) printFunctions(system, route, counts, Number(values.top))
    }
  }
}

function checkBudgets(counts: Counts): void {
  const now = budgetOf((system, route) => counts.get(system)?.get(route)?.instructions ?? Number.NaN)
  const budgets: Budgets = JSON.parse(readFileSync(BUDGETS, 'utf8'))
  if (values.update) {
    writeFileSync(BUDGETS, `${JSON.stringify({ ...budgets, [MAJOR]: now }, null, 2)}\n`)
    console.log(`bench/budgets.json has what Node.js ${process.versions.node} counts.`)
    return
  }
  const budget = budgets[MAJOR]
  if (budget === undefined) {
    console.error(`bench/budgets.json has nothing for Node.js ${MAJOR}: npm run bench:instructions -- --update`)
    process.exitCode = 1
    return
  }
  console.log('Instructions per request ÷ those of the sketch'.padEnd(50), 'now   budget')
  for (const { system, route, ratio, budget: allowed, verdict } of judgeBudget(now, budget)) {
    const note = { over: 'more than 3 % over', kept: '', under: 'lower it: --update' }[verdict]
    console.log(`${system} /${route}`.padEnd(48), ratio.toFixed(3), allowed.toFixed(3).padStart(8), ` ${note}`)
    if (verdict === 'over') process.exitCode = 1
  }
}

function printTable(systems: readonly SystemName[], route: RouteName, counts: Counts): void {
  const own = (system: SystemName): number => counts.get(system)?.get(route)?.instructions ?? Number.NaN
  const sketch = own('sketch') - own('bare')
  console.log(`/${route}`.padEnd(18), '   total  above bare  ÷ sketch  apart: SHA  compiler  garbage  bytes allocated')
  for (const system of systems) {
    const count = counts.get(system)?.get(route)
    if (count === undefined) continue
    const { instructions, sha, compiler, garbage, allocated } = count
    const above = instructions - own('bare')
    const cells = [
      instructions.toFixed(0).padStart(8),
      above.toFixed(0).padStart(12),
      (above / sketch).toFixed(3).padStart(10),
      sha.toFixed(0).padStart(12),
      compiler.toFixed(0).padStart(10),
      garbage.toFixed(0).padStart(9),
      allocated.toFixed(0).padStart(17)
    ]
    console.log(system.padEnd(18), cells.join(''))
  }
  console.log()
}

function printBreakdown(system: SystemName, route: RouteName, counts: Counts): void {
  const [ours, sketch] = [counts.get(system)?.get(route), counts.get('sketch')?.get(route)]
  if (ours === undefined || sketch === undefined || system === 'sketch') return
  console.log(`${system} /${route}: instructions per request more than the sketch`)
  for (const [place, instructions] of breakDown(ours.functions, sketch.functions)) {
    if (Math.abs(instructions) >= WORTH_A_LINE) console.log(`${instructions.toFixed(0).padStart(8)}  ${place}`)
  }
  console.log()
}

function printFunctions(system: SystemName, route: RouteName, counts: Counts, rows: number): void {
  console.log(`${system} /${route}: instructions per request, by function`)
  const functions = counts.get(system)?.get(route)?.functions ?? new Map<string, number>()
  for (const [name, instructions] of [...functions].sort(([, a], [, b]) => b - a).slice(0, rows)) {
    console.log(`${instructions.toFixed(0).padStart(8)}  ${name.slice(0, 150)}`)
  }
  console.log()
}
