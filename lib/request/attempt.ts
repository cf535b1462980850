import type { MaybePromise } from '../../types/store.ts'
import { notLoadedError, StoreUnavailableError, unavailableError } from '../errors.ts'
import { rescue } from '../util/maybe-async.ts'
import type { SessionState } from './state.ts'

/**
 * Runs what needs the store, unless it has failed in this request before: then the outcome is decided, because the reply would wait
 * for the store once more, or tell of a part of what the request wanted. Throws the error of that failure.
 */
export function attempt<T>(state: SessionState, work: () => MaybePromise<T>): MaybePromise<T> {
  assertNotFailed(state)
  return attemptEnd(state, work)
}

/** The same for what ends the session, which is tried again: it is not to go on, whatever the outcome. */
export function attemptEnd<T>(state: SessionState, work: () => MaybePromise<T>): MaybePromise<T> {
  return rescue<T, T>(
    work,
    (result) => result,
    (error) => {
      if (error instanceof StoreUnavailableError) state.reply.fail('store-unavailable', error)
      throw error
    }
  )
}

/** Throws the error of the store if it has failed in this request before. */
export function assertNotFailed(state: SessionState): void {
  if (state.reply.failure === 'store-unavailable') throw state.reply.error
}

/** Throws `ERR_SESSION_STORE_UNAVAILABLE` if the store has failed in this request before, `ERR_SESSION_NOT_LOADED` if it was not asked. */
export function assertStoreAvailable(state: SessionState): void {
  assertNotFailed(state)
  if (state.openReason === 'not-loaded') throw notLoadedError()
  if (state.openReason === 'store-unavailable') throw unavailableError(undefined)
}
