import { median, standardError } from '../statistics.ts'

/** The microseconds of one system on one route, a value for each round. */
export type Rounds = readonly number[]

/** A median over rounds and its standard error. */
export interface Figure {
  readonly value: number
  readonly error: number
}

export type Verdict = 'met' | 'met within the error' | 'not met' | 'inconclusive'

/** Two processes of one system may differ by this much. */
const TWIN_TOLERANCE = 0.05

function figureOf(sample: Rounds): Figure {
  return { value: median(sample), error: standardError(sample) }
}

/** What a system costs above its base. */
export function overheadOf(system: Rounds, base: Rounds): Figure {
  return figureOf(system.map((total, round) => total - (base[round] ?? Number.NaN)))
}

/**
 * What a system costs above its base, as a share of what its peer costs above the bare server. Each round has a ratio of its own, so
 * that a change in the speed of the machine cancels.
 */
export function ratioOf(system: Rounds, base: Rounds, peer: Rounds, bare: Rounds): Figure {
  return figureOf(
    system.map(
      (total, round) => (total - (base[round] as number)) / ((peer[round] as number) - (bare[round] as number))
    )
  )
}

/** Whether two processes of the same system cost the same. If not, the run cannot tell systems apart. */
export function areTwinsAlike({ value }: Figure): boolean {
  return Math.abs(value - 1) <= TWIN_TOLERANCE
}

export function judge({ value, error }: Figure, limit: number, twinsAlike: boolean): Verdict {
  if (!twinsAlike || Number.isNaN(value)) return 'inconclusive'
  if (value <= limit) return 'met'
  return value - error <= limit ? 'met within the error' : 'not met'
}
