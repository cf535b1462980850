import type { PayloadName, RouteName, SystemName } from './children/protocol.ts'
import type { PayloadResult, SystemResult } from './measure.ts'
import { CONNECTIONS, GROUPS, PAYLOADS, ROUTES } from './plan.ts'
import type { Results, Verdict } from './results.ts'
import { formatOverhead } from './results.ts'

const PAYLOAD_TITLES: Readonly<Record<PayloadName, string>> = { small: 'Small payload', large: 'Large payload' }

/** Returns the results as Markdown. */
export function report(results: Results): string {
  const { effort, machine, versions, date, quick } = results
  const { node, ...packages } = versions
  const run = `${quick ? 'A quick run' : 'A full run'} of ${date}: ${effort.rounds} rounds of ${effort.slices} slices.`
  const where = `${machine.cores} cores (${machine.cpu}), ${machine.platform}, Node ${node}, ${CONNECTIONS} connections.`
  const pinned = machine.pinned ? '' : ' Processes were not pinned to cores.'
  return [
    `${run} ${where}${pinned}`,
    Object.entries(packages)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')
      .concat('.'),
    ...PAYLOADS.flatMap((payload) => {
      const result = results.payloads[payload]
      return result === undefined ? [] : [reportPayload(payload, result)]
    }),
    `### Targets\n\n${verdictTable(results.verdicts)}`
  ].join('\n\n')
}

function reportPayload(payload: PayloadName, result: PayloadResult): string {
  const sizes = Object.values(result).flatMap(({ jsonBytes }) => jsonBytes ?? [])
  const discarded = Object.values(result).reduce((sum, { routes }) => sum + countDiscarded(routes), 0)
  const kept = Object.values(result).reduce((sum, { routes }) => sum + countKept(routes), 0)
  return [
    `### ${PAYLOAD_TITLES[payload]}: ${Math.max(...sizes)} bytes of JSON`,
    payloadTable(result),
    `${kept} slices count; ${discarded} were discarded and taken again, because the server was not busy.`
  ].join('\n\n')
}

/** Returns a row for each system: overhead in µs, spread, total as a multiple of bare. Bare servers show their total. */
export function payloadTable(result: PayloadResult): string {
  const routes = ROUTES.filter((route) => Object.values(result).some((system) => system.routes[route] !== undefined))
  const names = [...new Set(GROUPS.flatMap(({ systems }) => systems.map(({ name }) => name)))]
  const rows = names.flatMap((name: SystemName) => {
    const system = result[name]
    return system === undefined ? [] : [payloadRow(system, routes)]
  })
  return table(['system', ...routes.map((route) => `/${route}`), 'cookie, B', 'peak RSS, MB'], rows)
}

function payloadRow(system: SystemResult, routes: readonly RouteName[]): string[] {
  const cells = routes.map((route) => {
    const cell = system.routes[route]
    if (cell === undefined) return '-'
    return cell.ratio === undefined
      ? `${formatOverhead(cell)} in total`
      : `${formatOverhead(cell)} (${cell.ratio.toFixed(2)}×)`
  })
  return [system.label, ...cells, String(system.cookieBytes ?? '-'), system.peakRss.toFixed(0)]
}

export function verdictTable(verdicts: readonly Verdict[]): string {
  return table(
    ['payload', 'system', 'what', 'target', 'measured', 'verdict'],
    verdicts.map(({ payload, system, what, target, measured, met }) => [
      payload,
      system,
      what === 'memory' ? what : `/${what}`,
      target,
      measured,
      met ? 'met' : '**not met**'
    ]),
    0
  )
}

/** `numbersFrom`: the first column to align to the right; 0 for none. */
function table(head: readonly string[], rows: readonly (readonly string[])[], numbersFrom = 1): string {
  const rule = head.map((_, index) => (numbersFrom > 0 && index >= numbersFrom ? '--:' : '---'))
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function countDiscarded(routes: SystemResult['routes']): number {
  return Object.values(routes).reduce((sum, { discarded }) => sum + discarded, 0)
}

function countKept(routes: SystemResult['routes']): number {
  return Object.values(routes).reduce((sum, { slices }) => sum + slices, 0)
}

const START = '<!-- results: written by npm run bench -->'
const END = '<!-- end of results -->'

/** Puts the report between the two markers of a README. */
export function insertReport(readme: string, markdown: string): string {
  const [before, rest] = readme.split(START)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined)
    throw new Error(`bench/README.md has lost the line ${START} or ${END}`)
  return `${before}${START}\n\n${markdown}\n\n${END}${after}`
}
