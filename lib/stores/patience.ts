import type { StoreCall } from '../../types/store.ts'

/** How many milliseconds a call without a deadline goes on trying. */
export const PATIENCE = 2000

/** Returns a function that tells whether there is no time left to try a call again. */
export function watchTime(call: StoreCall | undefined): () => boolean {
  const patience = performance.now() + PATIENCE
  return () => performance.now() > (call?.deadline ?? patience)
}
