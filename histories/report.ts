import type { CampaignResult } from './campaign.ts'
import type { Entry, Violation } from './history.ts'

/** How many entries of a history a violation shows at most. */
const SHOWN = 6

/** What a run has counted. */
interface Counts {
  readonly operations: number
  readonly acknowledged: number
  readonly unknown: number
  readonly violations: number
}

function countsOf({ history, violations }: CampaignResult): Counts {
  const { entries } = history
  return {
    operations: entries.length,
    acknowledged: entries.filter(({ outcome }) => outcome.kind === 'ok').length,
    unknown: entries.filter(({ outcome }) => outcome.kind === 'unknown').length,
    violations: violations.length
  }
}

/** One line about a run. */
export function summaryOf(result: CampaignResult): string {
  const { operations, acknowledged, unknown, violations } = countsOf(result)
  const faults = result.faults.join(',') || 'none'
  return `${result.store}, ${faults}, seed ${result.seed}: ${operations} operations, ${acknowledged} acknowledged, ${unknown} unknown, ${violations} violations`
}

/** What was broken, with the entries that show it. Times are milliseconds since the first entry. */
export function describe({ check, text, entries }: Violation, { history }: CampaignResult): string {
  const start = history.entries[0]?.invokedAt ?? 0
  return [`${check}: ${text}`, ...entries.slice(0, SHOWN).map((entry) => `  ${line(entry, start)}`)].join('\n')
}

function line({ process, operation, invokedAt, answeredAt, outcome }: Entry, start: number): string {
  const [from, to] = [Math.round(invokedAt - start), Math.round(answeredAt - start)]
  return `${from}–${to} ms, ${process}: ${JSON.stringify(operation)} → ${JSON.stringify(outcome)}`
}

/** The table of docs/reliability.md: a row for each run. */
export function tableOf(results: readonly CampaignResult[]): string {
  const rows = results.map((result) => {
    const { operations, acknowledged, unknown, violations } = countsOf(result)
    return [result.store, result.faults.join(', ') || 'none', operations, acknowledged, unknown, violations]
  })
  const head = ['store', 'fault', 'operations', 'acknowledged', 'unknown', 'violations']
  return [head, ['---', '---', '---:', '---:', '---:', '---:'], ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')
}
