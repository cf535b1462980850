// Drives real processes and real servers, breaks them, and checks what they have acknowledged: `npm run histories`.
import { randomInt } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CampaignResult, CampaignSettings } from './campaign.ts'
import { runCampaign } from './campaign.ts'
import { applies } from './faults.ts'
import type { Options } from './options.ts'
import { readOptions } from './options.ts'
import { describe, summaryOf, tableOf } from './report.ts'

const PAGE = join(import.meta.dirname, '../docs/reliability.md')
const TABLE = /(?<=<!-- npm run histories -- --report -->\n)[\s\S]*(?=<!-- end of the report -->)/
/** How many violations of a run are printed. */
const MOST_SHOWN = 5

const options = readOptions(process.argv.slice(2), () => randomInt(1, 1_000_000))
const results: CampaignResult[] = []
for (const settings of campaignsOf(options)) {
  const start = performance.now()
  const result = await runCampaign(settings)
  results.push(result)
  console.log(`${summaryOf(result)}, ${Math.round((performance.now() - start) / 1000)} s`)
  for (const violation of result.violations.slice(0, MOST_SHOWN)) console.log(describe(violation, result))
}
if (options.isReport) writeReport()
if (options.keep !== undefined) writeFileSync(options.keep, JSON.stringify(results))
// A client that was cut off may still wait for a connection.
process.exit(results.some(({ violations }) => violations.length > 0) ? 1 : 0)

/** Without a report, all faults happen in one run of each store. */
function campaignsOf({ stores, faults, seconds, seed, isReport }: Options): CampaignSettings[] {
  return stores.flatMap((store) => {
    const possible = faults.filter((fault) => applies(fault, store))
    const groups = isReport ? [[], ...possible.map((fault) => [fault])] : [possible]
    return groups.map((group) => ({ store, faults: group, seconds, seed }))
  })
}

function writeReport(): void {
  const page = readFileSync(PAGE, 'utf8')
  if (!TABLE.test(page)) throw new Error('docs/reliability.md has no place for the table.')
  const day = new Date().toISOString().slice(0, 10)
  const text = `\n${tableOf(results)}\n\n${day}, Node ${process.versions.node}, ${options.seconds} s for each row, seed ${options.seed}.\n\n`
  writeFileSync(
    PAGE,
    page.replace(TABLE, () => text)
  )
}
