/** Returns an integer from 0 to below a limit. */
export type Random = (limit: number) => number

/** Returns numbers that look random and are the same for the same seed (Mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed | 0
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }
}

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[random(list.length)] as T
}
