import type { SessionStore } from '../../types/store.ts'
import { unlessUnreadable } from '../errors.ts'

/** Whether a store has a live record at a key. A damaged record counts: it is there. */
export async function isThere(store: SessionStore, key: string): Promise<boolean> {
  try {
    return (await store.load(key)) !== undefined
  } catch (error) {
    unlessUnreadable(error)
    return true
  }
}
