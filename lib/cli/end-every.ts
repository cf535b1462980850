import type { SessionStore } from '../../types/store.ts'
import { isThere } from './is-there.ts'

const MAX_PASSES = 10

/**
 * Ends all records of a store that can only name them. Goes through them again until none was left, because requests may begin
 * sessions meanwhile. Returns how many ended.
 */
export async function endEvery(store: SessionStore, keys: () => AsyncIterable<string>): Promise<number> {
  let ended = 0
  for (let pass = 1; pass <= MAX_PASSES; pass++) {
    let found = 0
    for await (const key of keys()) {
      const isLive = await isThere(store, key)
      await store.destroy(key)
      if (isLive) found++
    }
    ended += found
    if (found === 0) break
  }
  return ended
}
