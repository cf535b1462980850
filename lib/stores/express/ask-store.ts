import { unreadableError } from '../../errors.ts'
import { isFunction } from '../../util/check.ts'

/**
 * Calls a method of a store for express-session, and returns its first answer, by callback or by promise. If the method takes a
 * callback, a promise of undefined is no answer: an `async` method has then passed the callback on and returned.
 */
export function askStore<Name extends string>(
  store: { readonly [name in Name]?: unknown },
  name: Name,
  ...given: readonly unknown[]
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const answer = (error?: unknown, value?: unknown): void => {
      if (error) reject(error)
      else resolve(value)
    }
    // The methods have different parameters, which `given` holds.
    const method = store[name] as (...values: unknown[]) => unknown
    const takesCallback = method.length > given.length
    const returned = method.call(store, ...given, answer)
    if (!isThenable(returned)) return
    returned.then((value) => {
      if (value !== undefined || !takesCallback) resolve(value)
    }, reject)
  }).catch(withoutQuotes)
}

/** Most stores parse what they have, and the message of `JSON.parse` quotes it. */
function withoutQuotes(error: unknown): never {
  throw error instanceof SyntaxError ? unreadableError() : error
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return isFunction((value as PromiseLike<unknown> | null | undefined)?.then)
}
