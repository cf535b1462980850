// Changes cookies, headers, stored records and paths at random: npm run fuzz -- [--seconds 60] [--target signed] [--seed 1]
// [--runs 10000000] [--save]
import { parseArgs } from 'node:util'
import type { CorpusName } from './corpus.ts'
import { extendCorpus } from './corpus.ts'
import { Coverage } from './coverage.ts'
import type { Fault, Target } from './fuzz.ts'
import { fuzz } from './fuzz.ts'
import { seededRandom } from './random.ts'
import { allTargets } from './targets/index.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string' },
    target: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    runs: { type: 'string' },
    save: { type: 'boolean', default: false }
  }
})
const entries = Object.entries(await allTargets()) as [CorpusName, Target[]][]
const chosen = entries.flatMap(([corpus, targets]) =>
  targets
    .filter(({ name }) => values.target === undefined || values.target.split(',').includes(name))
    .map((target) => ({ corpus, target }))
)
if (chosen.length === 0) {
  const names = entries.flatMap(([, targets]) => targets.map(({ name }) => name))
  throw new Error(`There is no target ${values.target}. There are: ${names.join(', ')}.`)
}
const runs = Number(values.runs ?? Number.POSITIVE_INFINITY)
const seconds = Number(values.seconds ?? (values.runs === undefined ? 60 : Number.POSITIVE_INFINITY))
console.log(`Seed ${values.seed}`)
const coverage = new Coverage()
const faults: Fault[] = []
for (const { corpus, target } of chosen) {
  const begin = performance.now()
  const isOver = (): boolean => performance.now() - begin > (seconds * 1000) / chosen.length
  const result = fuzz(target, seededRandom(Number(values.seed)), runs, isOver, coverage)
  const took = ((performance.now() - begin) / 1000).toFixed(1)
  const found = `${result.finds.length} that reach new code, ${result.faults.length} faults`
  console.log(`${target.name}: ${result.runs.toLocaleString('en')} changed texts in ${took} s, ${found}`)
  faults.push(...result.faults)
  if (values.save && result.finds.length > 0) extendCorpus(corpus, result.finds)
}
coverage.stop()
for (const { target, text, what } of faults) console.log(`${target}: ${what}\n  ${JSON.stringify(text.slice(0, 2000))}`)
if (faults.length > 0) process.exitCode = 1
