import type { Sample } from './sample.ts'

type Measure = 'heap' | 'external' | 'descriptors' | 'listeners' | 'resources'

/** A measure in the first half of a run and in the second: the medians of the samples. */
export interface Growth {
  readonly measure: Measure
  readonly first: number
  readonly second: number
  readonly isFlat: boolean
}

/**
 * By how much the second half may exceed the first. A mebibyte in half a million requests is two bytes each; V8 compiles, and
 * caches that are bounded fill and empty. What can be counted must not grow at all.
 */
const TOLERANCES: Readonly<Record<Measure, number>> = {
  heap: 2 ** 20,
  external: 2 ** 20,
  descriptors: 0,
  listeners: 0,
  resources: 0
}

/** Compares the two halves of a run. */
export function judge(samples: readonly Sample[]): Growth[] {
  const middle = Math.floor(samples.length / 2)
  return (Object.keys(TOLERANCES) as Measure[]).map((measure) => {
    const [first, second] = [samples.slice(0, middle), samples.slice(middle)].map((half) =>
      median(half.map((sample) => sample[measure]))
    ) as [number, number]
    return { measure, first, second, isFlat: second - first <= TOLERANCES[measure] }
  })
}

/** Says in words what has grown; an empty list if nothing has. */
export function complain(growths: readonly Growth[]): string[] {
  return growths
    .filter(({ isFlat }) => !isFlat)
    .map(({ measure, first, second }) => {
      const limit = TOLERANCES[measure].toLocaleString('en')
      return `${measure}: ${first.toLocaleString('en')} in the first half, ${second.toLocaleString('en')} in the second; at most ${limit} more is flat`
    })
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((one, other) => one - other)
  return sorted[Math.floor(sorted.length / 2)] as number
}
