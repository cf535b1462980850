import type { MaybePromise } from '../../types/store.ts'

/** Calls `next` with a value: at once if it is there, later if it is promised. A promise costs more than most of what waits for it. */
export function chain<T, Result>(
  value: MaybePromise<T>,
  next: (value: T) => MaybePromise<Result>
): MaybePromise<Result> {
  return value instanceof Promise ? value.then(next) : next(value)
}

/** The same for what `work` returns; `recover` gets what it throws or rejects with. */
export function rescue<T, Result>(
  work: () => MaybePromise<T>,
  next: (value: T) => Result,
  recover: (error: unknown) => Result
): MaybePromise<Result> {
  let value: MaybePromise<T>
  try {
    value = work()
  } catch (error) {
    return recover(error)
  }
  return value instanceof Promise ? value.then(next, recover) : next(value)
}

/** Returns a promise of this realm for any thenable, such as one of another realm or library, and every other value as it is. */
export function settled<T>(value: T | PromiseLike<T>): MaybePromise<T> {
  return isThenable(value) ? Promise.resolve(value) : value
}

/** Whether a value is a promise that nobody is going to wait for. When it is broken, that does not end the process. */
export function isUnwaited(value: unknown): value is PromiseLike<unknown> {
  if (!isThenable(value)) return false
  Promise.resolve(value).catch(() => {})
  return true
}

function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as PromiseLike<T> | null | undefined)?.then === 'function'
}
