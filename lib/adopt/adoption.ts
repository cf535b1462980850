import type { AdoptOptions, FoundSession, ReaderRefusal, SessionReader } from '../../types/adopt.ts'
import { resolveAttributes } from '../cookie/attributes.ts'
import { InvalidValueError } from '../errors.ts'
import { isBoolean, isFunction, isObject, readOption } from '../util/check.ts'

/** The names of the options that every reader has. */
export const ADOPT_OPTIONS: readonly (keyof AdoptOptions)[] = ['map', 'ownerOf', 'remove', 'cookie']

/** What the other library says of a session besides its data. */
type OldFacts = Omit<FoundSession, 'data' | 'ownerId'>

/** What every reader does in the same way. */
export interface Adoption<Old> extends Pick<SessionReader, 'cookieName' | 'remove' | 'cookie'> {
  /**
   * Returns the session with these data as one of ours. Throws `ERR_SESSION_VALUE` if a function of the application throws, or returns
   * something else than it should.
   */
  found(old: Old, facts: OldFacts): FoundSession | ReaderRefusal
}

/** Checks the options that every reader has, and the name of its cookie. Throws `ERR_SESSION_OPTION_INVALID`. */
export function readAdoption<Old extends object, Data>(
  options: AdoptOptions<Old, Data>,
  cookieName: string
): Adoption<Old> {
  const map = readOption<unknown>(options.map, undefined, 'map', 'a function', isFunction)
  const ownerOf = readOption(options.ownerOf, undefined, 'ownerOf', 'a function', isFunction)
  const remove = readOption(options.remove, false, 'remove', 'true or false', isBoolean)
  const cookie = readOption(options.cookie, {}, 'cookie', 'an object with path and domain', isObject)
  resolveAttributes(cookieName, {})
  return {
    cookieName,
    remove,
    cookie,
    found(old, facts) {
      const [data, ownerId] = ask(() => [map === undefined ? old : (map as MapData<Old>)(old), ownerOf?.(old)] as const)
      if (data === undefined) return 'refused'
      assertAtOnce(data, 'map')
      assertAtOnce(ownerId, 'ownerOf')
      if (!isObject(data)) {
        throw new InvalidValueError('The function map of a reader of old sessions must return an object, or undefined.')
      }
      return { ...facts, data, ownerId }
    }
  }
}

/** Nobody waits for a promise: without a handler, its rejection would end the process. */
function assertAtOnce(value: unknown, name: string): void {
  if (!(value instanceof Promise)) return
  value.catch(() => undefined)
  throw new InvalidValueError(
    `The function ${name} of a reader of old sessions has returned a promise. It must return its result at once.`
  )
}

type MapData<Old> = (data: Old) => object | undefined

/** The error of the application may quote data, so it is the cause, which no client sees. */
function ask<T>(work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw new InvalidValueError('The function map or ownerOf of a reader of old sessions has thrown.', { cause })
  }
}
