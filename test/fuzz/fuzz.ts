import type { Coverage } from './coverage.ts'
import { mutate } from './mutate.ts'
import type { Random } from './random.ts'
import { pick } from './random.ts'

/** A function that takes texts from outside, and what must hold for every one of them. */
export interface Target {
  readonly name: string
  /** Texts to start from. */
  readonly seeds: readonly string[]
  /** Pieces that mean something to the function. */
  readonly tokens: readonly string[]
  /** Returns what is wrong; undefined if all is well. Throws nothing, or that is what is wrong. */
  check(text: string): string | undefined
}

/** A text for which a target does not hold. */
export interface Fault {
  readonly target: string
  readonly text: string
  readonly what: string
}

export interface FuzzResult {
  /** How many changed texts were tried. */
  readonly runs: number
  readonly faults: readonly Fault[]
  /** Texts that reached code which no seed reaches. */
  readonly finds: readonly string[]
}

/** One look at the coverage for so many texts: it takes a millisecond. */
const BATCH = 1000
/** Longer seeds are tried, and not changed: Node.js accepts no longer headers, and a change may repeat a text. */
const MAX_BASE_LENGTH = 8192
const MAX_FAULTS = 10

/**
 * Tries changed texts, until `runs` of them were tried, `isOver` returns true or ten are faults. With `coverage`, a text that
 * reaches new code becomes one of the texts that are changed.
 */
export function fuzz(
  target: Target,
  random: Random,
  runs: number,
  isOver: () => boolean = () => false,
  coverage?: Coverage
): FuzzResult {
  const faults: Fault[] = [...judgeAll(target, target.seeds)]
  const finds: string[] = []
  const pool = target.seeds.filter(({ length }) => length <= MAX_BASE_LENGTH)
  coverage?.take()
  let done = 0
  while (done < runs && faults.length < MAX_FAULTS && !isOver()) {
    const batch = Array.from({ length: Math.min(BATCH, runs - done) }, () =>
      mutate(random, pick(random, pool), pick(random, pool), target.tokens)
    )
    done += batch.length
    faults.push(...judgeAll(target, batch))
    if (!coverage?.take()) continue
    const found = coverage.again(() => searchHalves(target, batch, coverage))
    finds.push(...found)
    pool.push(...found)
  }
  return { runs: done, faults: faults.slice(0, MAX_FAULTS), finds }
}

/** Returns what is wrong with a target for a text. */
function judge(target: Target, text: string): Fault | undefined {
  let what: string | undefined
  try {
    what = target.check(text)
  } catch (error) {
    what = `it threw ${error}`
  }
  return what === undefined ? undefined : { target: target.name, text, what }
}

function judgeAll(target: Target, texts: readonly string[]): Fault[] {
  return texts.flatMap((text) => judge(target, text) ?? [])
}

/** Returns the texts that reach new code. Halves, because each look at the coverage costs as much as hundreds of texts. */
function searchHalves(target: Target, texts: readonly string[], coverage: Coverage): string[] {
  const middle = Math.floor(texts.length / 2)
  return [texts.slice(0, middle), texts.slice(middle)].flatMap((half) => {
    judgeAll(target, half)
    if (!coverage.take()) return []
    return half.length === 1 ? half : coverage.again(() => searchHalves(target, half, coverage))
  })
}
