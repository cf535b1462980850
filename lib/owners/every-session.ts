import type { SessionStore, StoredRecord, StoreStep } from '../../types/store.ts'
import { cursorError, InvalidValueError, StoreRequiredError } from '../errors.ts'

const MAX_PASSES = 10
const CURSOR = /^[\w.:@[\]-]{1,200}$/
const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1000

type Name = 'count' | 'entries' | 'destroyEverything'

/** Counts the live sessions of a store. */
export async function countEvery(store: SessionStore): Promise<number> {
  assertHas(store, 'count', 'count()')
  let [total, cursor]: [number, string | undefined] = [0, undefined]
  do {
    const { found, next }: StoreStep<number> = await store.count(cursor)
    total += found
    cursor = next
  } while (cursor !== undefined)
  return total
}

/** Returns the next live sessions. Only the last page may be empty. */
export async function pageOf(
  store: SessionStore,
  cursor: string | undefined,
  wanted?: number
): Promise<StoreStep<StoredRecord[]>> {
  assertHas(store, 'entries', 'entries()')
  const limit = wanted ?? DEFAULT_LIMIT
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    const got = typeof limit === 'number' ? limit : `a ${typeof limit}`
    throw new InvalidValueError(`entries() takes as limit a whole number from 1 to ${MAX_LIMIT}; it got ${got}.`)
  }
  if (cursor !== undefined && (typeof cursor !== 'string' || !CURSOR.test(cursor))) throw cursorError()
  let page = await store.entries(cursor, limit)
  while (page.found.length === 0 && page.next !== undefined) page = await store.entries(page.next, limit)
  return page
}

/**
 * Ends all records of a store, and returns how many. Goes through them again until none was left: a session that is getting a new id,
 * or that a remembered login begins, may have appeared behind the step.
 */
export async function endEvery(store: SessionStore): Promise<number> {
  assertHas(store, 'destroyEverything', 'revokeEverything()')
  let ended = 0
  for (let pass = 1; pass <= MAX_PASSES; pass++) {
    const before = ended
    let cursor: string | undefined
    do {
      const { found, next }: StoreStep<number> = await store.destroyEverything(cursor)
      ended += found
      cursor = next
    } while (cursor !== undefined)
    if (ended === before) break
  }
  return ended
}

function assertHas<Method extends Name>(
  store: SessionStore,
  name: Method,
  method: string
): asserts store is SessionStore & Required<Pick<SessionStore, Method>> {
  if (typeof store[name] === 'function') return
  throw new StoreRequiredError(
    `${method} needs a store that can go through all of its sessions: this one has no method ${name}().`
  )
}
