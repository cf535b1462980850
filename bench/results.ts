import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { arch, availableParallelism, cpus, platform } from 'node:os'
import type { PayloadName, RouteName, SystemName } from './children/protocol.ts'
import type { Effort, PayloadResult, RouteResult } from './measure.ts'
import { MEMORY_LIMIT_MB, PAYLOADS, TARGETS } from './plan.ts'
import type { Cores } from './processes.ts'

const PACKAGES = [
  'fastify',
  '@fastify/cookie',
  '@fastify/secure-session',
  '@fastify/session',
  'iron-session',
  'express',
  'express-session',
  'connect-redis',
  'redis'
]

/** The content of `results.json`. */
export interface Results {
  readonly date: string
  readonly quick: boolean
  readonly effort: Effort
  readonly machine: {
    readonly cpu: string
    readonly cores: number
    readonly platform: string
    readonly pinned: boolean
  }
  readonly versions: Readonly<Record<string, string>>
  readonly payloads: Partial<Record<PayloadName, PayloadResult>>
  readonly verdicts: readonly Verdict[]
}

/** A target and its measurement. */
export interface Verdict {
  readonly payload: PayloadName
  readonly system: SystemName
  readonly what: RouteName | 'memory'
  /** In words, with the limit. */
  readonly target: string
  /** In words, with its figures. */
  readonly measured: string
  readonly met: boolean
}

export function describeMachine(cores: Cores | undefined): Results['machine'] {
  const [cpu] = cpus()
  return {
    cpu: cpu?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    platform: `${platform()} ${arch()}`,
    pinned: cores !== undefined
  }
}

/** Returns the versions that the child processes load. */
export function readVersions(): Record<string, string> {
  const require = createRequire(new URL('dist/', import.meta.url))
  const own: { version: string } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  const versions = PACKAGES.map((name) => [name, versionOf(require, name)] as const)
  return { node: process.versions.node, 'fastify-typed-session': own.version, ...Object.fromEntries(versions) }
}

/** Reads `package.json` in the folders that Node searches, because not every package exports it. */
function versionOf(require: NodeJS.Require, name: string): string {
  for (const folder of require.resolve.paths(name) ?? []) {
    try {
      return JSON.parse(readFileSync(`${folder}/${name}/package.json`, 'utf8')).version
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  throw new Error(`${name} is not installed: run npm --prefix bench ci`)
}

/** Compares the figures with the targets. A target without figures has no verdict. */
export function judge(payloads: Results['payloads']): Verdict[] {
  return PAYLOADS.flatMap((payload) => {
    const result = payloads[payload]
    return result === undefined ? [] : [...judgeSpeed(payload, result), ...judgeMemory(payload, result)]
  })
}

function judgeSpeed(payload: PayloadName, result: PayloadResult): Verdict[] {
  return TARGETS.flatMap(({ system, route, kind, limit, yardstick }): Verdict[] => {
    const ours = result[system]?.routes[route]
    const theirs = result[yardstick]?.routes[route]
    if (ours === undefined || (kind === 'overhead' && theirs === undefined)) return []
    const ratio = kind === 'total' ? ours.ratio : (ours.overhead ?? Number.NaN) / (theirs?.overhead ?? Number.NaN)
    if (ratio === undefined || Number.isNaN(ratio)) return []
    const [target, figures] =
      kind === 'total'
        ? [`≤ ${limit.toFixed(2)} × bare, in total`, `overhead ${formatOverhead(ours)} µs`]
        : [
            `≤ ${limit.toFixed(2)} × ${yardstick}`,
            `${formatOverhead(ours)} against ${formatOverhead(theirs as RouteResult)} µs`
          ]
    return [
      { payload, system, what: route, target, measured: `${ratio.toFixed(2)} × (${figures})`, met: ratio <= limit }
    ]
  })
}

function judgeMemory(payload: PayloadName, result: PayloadResult): Verdict[] {
  const pairs = new Map(TARGETS.map(({ system, yardstick }) => [system, yardstick]))
  return [...pairs].flatMap(([system, yardstick]): Verdict[] => {
    const peak = result[system]?.peakRss
    const limit = result[yardstick]?.peakRss
    if (peak === undefined || limit === undefined) return []
    const target = `peak RSS ≤ ${yardstick} + ${MEMORY_LIMIT_MB} MB`
    const measured = `${peak.toFixed(1)} against ${limit.toFixed(1)} MB`
    return [{ payload, system, what: 'memory', target, measured, met: peak <= limit + MEMORY_LIMIT_MB }]
  })
}

/** Returns a text such as `4.7 ±0.2`. */
export function formatOverhead({ overhead, total, spread }: RouteResult): string {
  return `${(overhead ?? total).toFixed(1)} ±${spread.toFixed(1)}`
}
