import { isDeepStrictEqual } from 'node:util'
import { InvalidValueError } from '../errors.ts'

export type Values = Record<string, unknown>

/** Whether data cannot have a key. */
export type IsReserved = (key: string) => boolean

/** How data get into a session. */
export interface DataSink {
  readonly session: object
  /** Throws `ERR_SESSION_RESERVED_KEY`, `ERR_SESSION_VALUE` and `ERR_SESSION_SCHEMA`. */
  assertData(data: Values): void
  set(key: string, value: unknown): void
}

/** Copies stored data into a session, without keys that data cannot have. Returns whether there was none of those. */
export function fillData(session: object, data: Values, isReserved: IsReserved): boolean {
  try {
    Object.assign(session, data)
    return true
  } catch {
    for (const key of Object.keys(data)) {
      if (!isReserved(key)) (session as Values)[key] = data[key]
    }
    return false
  }
}

export function emptyData(session: object): void {
  // Not `delete`, which throws if the application has frozen the session: a session must end all the same.
  for (const key of Object.keys(session)) Reflect.deleteProperty(session, key)
}

/** Removes all data but those of the given keys. Returns whether any is left. */
export function keepData(session: object, keys: readonly string[]): boolean {
  if (!Array.isArray(keys)) throw new InvalidValueError('session.regenerate() takes an array of the keys to keep.')
  for (const key of Object.keys(session)) {
    if (!keys.includes(key)) delete (session as Values)[key]
  }
  return Object.keys(session).length > 0
}

/** Returns what `fillData` returns. */
export function replaceData(session: object, data: Values, isReserved: IsReserved): boolean {
  emptyData(session)
  return fillData(session, data, isReserved)
}

/** Passes the members that differ between `before` and `after` to `set`. */
export function applyData(before: Values, after: Values, set: (key: string, value: unknown) => void): void {
  for (const key of Object.keys({ ...before, ...after })) {
    if (!isDeepStrictEqual(before[key], after[key])) set(key, after[key])
  }
}

export function assertKey(key: unknown, method: string): void {
  if (typeof key === 'string') return
  const hint = method === 'delete' && key === undefined ? ' To end the session, call session.destroy().' : ''
  throw new InvalidValueError(`session.${method}() takes a key, which is a string; it got ${describe(key)}.${hint}`)
}

/** The kind of a value, not what is in it: messages reach clients. */
function describe(value: unknown): string {
  return value === null || value === undefined ? String(value) : `a ${typeof value}`
}
