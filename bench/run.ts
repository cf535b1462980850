// Measures what sessions cost: npm run bench -- --help
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { ROUTES } from './children/setting.ts'
import { COMMON_OPTIONS, COMMON_USAGE, prepareChildren } from './common-options.ts'
import type { GroupResult } from './cpu/compare.ts'
import { compare } from './cpu/compare.ts'
import type { Effort } from './cpu/measure.ts'
import { measure } from './cpu/measure.ts'
import { countSystems } from './instructions/count.ts'
import { measureLoopback } from './loopback.ts'
import { ALL_TABLES, BASIC, DEFAULT_TABLE } from './plan.ts'
import type { Cores } from './processes.ts'
import { findCores } from './processes.ts'
import { startRedis } from './redis.ts'
import type { Instructions, Results } from './report.ts'
import { formatFigure, insertReport, LABELS, ratioTable, reportOf, verdictTable } from './report.ts'

const EFFORT: Effort = { processes: 3, rounds: 10 }

const USAGE = `npm run bench -- [options]
  --all              also 2 KB, 20 foreign cookies, a logger and the loopback interface; writes bench/results.json and bench/README.md
  --processes ${EFFORT.processes} --rounds ${EFFORT.rounds}
  ${COMMON_USAGE}`

const { values } = parseArgs({
  options: {
    all: { type: 'boolean', default: false },
    processes: { type: 'string', default: String(EFFORT.processes) },
    rounds: { type: 'string', default: String(EFFORT.rounds) },
    ...COMMON_OPTIONS
  }
})

if (values.help) console.log(USAGE)
else await main()

async function main(): Promise<void> {
  prepareChildren(values.root)
  const cores = findCores()
  const instructions = await countInstructions()
  const endRedis = await startRedis(cores)
  try {
    const results = await measureAll(cores, instructions)
    console.log(`\n${verdictTable(results)}\n`)
    if (values.all && values.root === undefined) publish(results)
  } finally {
    endRedis()
  }
}

async function countInstructions(): Promise<Instructions | undefined> {
  if (spawnSync('valgrind', ['--version']).status !== 0) {
    console.warn('There is no valgrind: no instructions are counted.')
    return undefined
  }
  console.log('Counting instructions')
  const counts = await countSystems(['bare', 'sketch', 'signed'], BASIC)
  const of = (system: 'bare' | 'sketch' | 'signed', route: (typeof ROUTES)[number]): number =>
    Math.round(counts.get(system)?.get(route)?.instructions ?? Number.NaN)
  return Object.fromEntries(
    ROUTES.map((route) => [
      route,
      { bare: of('bare', route), sketch: of('sketch', route), signed: of('signed', route) }
    ])
  ) as unknown as Instructions
}

async function measureAll(cores: Cores | undefined, instructions: Instructions | undefined): Promise<Results> {
  const effort: Effort = { processes: Number(values.processes), rounds: Number(values.rounds) }
  const tables: Record<string, readonly GroupResult[]> = {}
  for (const { title, setting, groups } of values.all ? ALL_TABLES : [DEFAULT_TABLE]) {
    console.log(`\n${title}`)
    const results: GroupResult[] = []
    for (const group of groups) {
      const result = compare(group, await measure(group, setting, effort, cores))
      results.push(result)
      for (const [system, figures] of Object.entries(result.overheads)) {
        const cells = ROUTES.map((route) => `${route} ${formatFigure(figures[route])}`)
        console.log(`${LABELS[system as keyof typeof LABELS].padEnd(46)} µs above bare: ${cells.join(', ')}`)
      }
    }
    tables[title] = results
    console.log(`\n${ratioTable(results)}`)
  }
  const loopback = values.all ? await measureLoopback(cores) : undefined
  return {
    date: new Date().toISOString().slice(0, 10),
    node: process.versions.node,
    machine: `${availableParallelism()} cores (${cpus()[0]?.model.trim()})`,
    effort,
    ...(instructions === undefined ? {} : { instructions }),
    tables,
    ...(loopback === undefined ? {} : { loopback })
  }
}

/** Each major version of Node.js has an entry, and keeps it until it is measured again. */
function publish(results: Results): void {
  const [json, readme] = ['results.json', 'README.md'].map((name) => new URL(name, import.meta.url)) as [URL, URL]
  const major = results.node.replace(/\..*/, '')
  const all: Record<string, Results> = { ...JSON.parse(readFileSync(json, 'utf8')), [major]: results }
  writeFileSync(json, `${JSON.stringify(all, roundNumber, 2)}\n`)
  writeFileSync(readme, insertReport(readFileSync(readme, 'utf8'), Object.values(all).map(reportOf).join('\n\n')))
  console.log('Written: bench/results.json, bench/README.md')
}

function roundNumber(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 1000) / 1000 : value
}
