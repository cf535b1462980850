import { parseArgs } from 'node:util'
import type { FaultName } from './faults.ts'
import { FAULTS } from './faults.ts'
import type { StoreName } from './system.ts'
import { STORES } from './system.ts'

export interface Options {
  readonly stores: readonly StoreName[]
  readonly faults: readonly FaultName[]
  readonly seconds: number
  readonly seed: number
  /** Whether to run each store with each fault, and to write the table of docs/reliability.md. */
  readonly isReport: boolean
  /** The file that gets all histories with their violations, as JSON. */
  readonly keep: string | undefined
}

/** For all stores in two minutes, with what it takes to start and to settle. */
const SHORT_SECONDS = 10
const SECONDS = 60

/** Reads the command line. Throws for what it does not know. */
export function readOptions(args: readonly string[], newSeed: () => number): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      store: { type: 'string', default: STORES.join(',') },
      fault: { type: 'string', default: FAULTS.join(',') },
      seconds: { type: 'string' },
      seed: { type: 'string' },
      short: { type: 'boolean', default: false },
      report: { type: 'boolean', default: false },
      keep: { type: 'string' }
    }
  })
  return {
    stores: readList(values.store, STORES, 'store'),
    faults: values.fault === 'none' ? [] : readList(values.fault, FAULTS, 'fault'),
    seconds: readNumber(values.seconds ?? String(values.short ? SHORT_SECONDS : SECONDS), 'seconds'),
    seed: values.seed === undefined ? newSeed() : readNumber(values.seed, 'seed'),
    isReport: values.report,
    keep: values.keep
  }
}

function readList<T extends string>(text: string, known: readonly T[], name: string): T[] {
  return text.split(',').map((word) => {
    const found = known.find((one) => one === word)
    if (found === undefined) throw new Error(`--${name} takes ${known.join(', ')}; it got ${word}.`)
    return found
  })
}

function readNumber(text: string, name: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} takes a whole number from 1; it got ${text}.`)
  return number
}
