import type { RouteName, SystemName } from './children/setting.ts'
import { ROUTES } from './children/setting.ts'
import type { Comparison, GroupResult } from './cpu/compare.ts'
import type { Effort } from './cpu/measure.ts'
import type { Figure } from './cpu/ratio.ts'
import { areTwinsAlike } from './cpu/ratio.ts'
import type { Loopback } from './loopback.ts'
import { INSTRUCTION_LIMITS } from './plan.ts'

/** Instructions per request of three systems, on each route. */
export type Instructions = Readonly<Record<RouteName, Readonly<Record<'bare' | 'sketch' | 'signed', number>>>>

/** What one version of Node.js measured: an entry of `results.json`. */
export interface Results {
  readonly date: string
  readonly node: string
  readonly machine: string
  readonly effort: Effort
  /** Undefined without valgrind. */
  readonly instructions?: Instructions
  /** By the title of the table. */
  readonly tables: Readonly<Record<string, readonly GroupResult[]>>
  readonly loopback?: Loopback
}

export const LABELS: Readonly<Record<SystemName, string>> = {
  bare: 'bare Fastify',
  'bare-headers': 'bare Fastify, with `Vary` and `Cache-Control`',
  sketch: 'the sketch',
  signed: 'signed',
  'signed-schema': 'signed, with a schema',
  'signed-named': 'signed, one of 50 sessions',
  'signed-revocations': 'signed, with 100,000 revocations',
  'signed-bound': 'signed, bound to a device',
  'signed-unbound': 'signed, not bound, with device-bound sessions',
  encrypted: 'encrypted',
  memory: 'memory',
  'memory-encrypted': 'memory, encrypted',
  redis: 'Redis, node-redis',
  'redis-encrypted': 'Redis, node-redis, encrypted',
  ioredis: 'Redis, ioredis',
  'secure-session': '@fastify/secure-session',
  'fastify-session': '@fastify/session, memory',
  'fastify-session-redis': '@fastify/session, connect-redis, node-redis',
  'fastify-session-ioredis': '@fastify/session, connect-redis, ioredis'
}

const HEADER = `| | ${ROUTES.map((route) => `/${route}`).join(' | ')} |\n| --- | ${ROUTES.map(() => '--:').join(' | ')} |`

export function reportOf(results: Results): string {
  const tables = Object.entries(results.tables).map(([title, groups]) => `#### ${title}\n\n${ratioTable(groups)}`)
  return [
    `### Node.js ${results.node}\n\n${results.date}, ${results.machine}; ${results.effort.processes} processes of each system, ` +
      `${results.effort.rounds} rounds with each.`,
    `#### Verdicts\n\n${verdictTable(results)}`,
    ...tables,
    ...(results.loopback === undefined
      ? []
      : [`#### Over the loopback interface\n\n${loopbackTable(results.loopback)}`])
  ].join('\n\n')
}

/** Replaces the text between the marks of the README. */
export function insertReport(page: string, report: string): string {
  const [begin, end] = ['<!-- results: written by npm run bench -- --all -->', '<!-- end of results -->']
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from === -1 || to < from) throw new Error('bench/README.md has no place for the results')
  return `${page.slice(0, from + begin.length)}\n\n${report}\n\n${page.slice(to)}`
}

export function verdictTable({ instructions, tables }: Results): string {
  const [groups = []] = Object.values(tables)
  const judged = groups.flatMap(({ comparisons }) => comparisons.filter(({ verdicts }) => verdicts !== undefined))
  const rows = judged.map(
    (comparison) =>
      `| ${nameOf(comparison)}, CPU | ${ROUTES.map((route) => verdictCell(comparison, route)).join(' | ')} |`
  )
  const counted =
    instructions === undefined ? [] : [`| signed ÷ the sketch, instructions | ${instructionCells(instructions)} |`]
  return [HEADER, ...counted, ...rows].join('\n')
}

function instructionCells(instructions: Instructions): string {
  const cells = ROUTES.map((route) => {
    const { bare, sketch, signed } = instructions[route]
    const limit = INSTRUCTION_LIMITS[route]
    // An untouched request costs the sketch nothing, so there is nothing to divide by.
    const [value, text, least] =
      route === 'untouched'
        ? [signed - bare, `${thousands(signed - bare)} above bare`, thousands(limit)]
        : [(signed - bare) / (sketch - bare), ((signed - bare) / (sketch - bare)).toFixed(2), limit.toFixed(2)]
    return `${text} (≤ ${least}): ${value <= limit ? 'met' : '**not met**'}`
  })
  return cells.join(' | ')
}

function thousands(count: number): string {
  return `${(count / 1000).toFixed(1)}k`
}

function verdictCell({ ratios, limits, verdicts }: Comparison, route: RouteName): string {
  const verdict = verdicts?.[route] ?? 'inconclusive'
  const shown = verdict === 'met' ? verdict : `**${verdict}**`
  return `${formatFigure(ratios[route])} (≤ ${limits?.[route].toFixed(2)}): ${shown}`
}

export function ratioTable(groups: readonly GroupResult[]): string {
  const rows = groups.flatMap(({ comparisons, twin, twins }) => [
    ...comparisons.flatMap((comparison) => [
      row(nameOf(comparison), comparison.ratios),
      row('… without its `Vary` and `Cache-Control`', comparison.withoutHeaders)
    ]),
    row(`twins: ${LABELS[twin]} ÷ itself`, twins, (figure) => (areTwinsAlike(figure) ? '' : ' **(differ)**'))
  ])
  return [HEADER, ...rows].join('\n')
}

function row(
  name: string,
  figures: Readonly<Record<RouteName, Figure>>,
  note: (figure: Figure) => string = () => ''
): string {
  return `| ${name} | ${ROUTES.map((route) => formatFigure(figures[route]) + note(figures[route])).join(' | ')} |`
}

function nameOf({ system, peer }: Comparison): string {
  return `${LABELS[system]} ÷ ${LABELS[peer]}`
}

function loopbackTable(loopback: Loopback): string {
  const rows = Object.entries(loopback).map(
    ([system, costs]) =>
      `| ${LABELS[system as SystemName]} | ${ROUTES.map((route) => costs[route]?.toFixed(1)).join(' | ')} |`
  )
  return [HEADER, ...rows].join('\n')
}

/** Returns a text such as `0.71 ±0.02`. */
export function formatFigure({ value, error }: Figure): string {
  return `${value.toFixed(2)} ±${error.toFixed(2)}`
}
