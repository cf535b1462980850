import type { StoreCall } from '../../types/store.ts'

/** Throws if the caller has given up, so that nothing may be written any more. Call it as the last step before a write. */
export function assertInTime(call: StoreCall | undefined): void {
  if (call !== undefined && call.deadline < performance.now()) {
    throw new Error('The store had no time left for a change. Nothing was written.')
  }
}
