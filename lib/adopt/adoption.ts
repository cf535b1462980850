import type { AdoptOptions, FoundSession, ReaderRefusal, SessionReader } from '../../types/adopt.ts'
import { isBoolean, isFunction, isObject, readOption } from '../util/check.ts'

/** The names of the options that every reader has. */
export const ADOPT_OPTIONS: readonly (keyof AdoptOptions)[] = ['map', 'ownerOf', 'remove', 'cookie']

/** What the other library says of a session besides its data. */
export type OldFacts = Omit<FoundSession, 'data' | 'ownerId'>

/** What every reader does in the same way. */
export interface Adoption<Old> extends Pick<SessionReader, 'remove' | 'cookie'> {
  /** Returns the session with these data as one of ours. */
  found(old: Old, facts: OldFacts): FoundSession | ReaderRefusal
}

/** Checks the options that every reader has. Throws `ERR_SESSION_OPTION_INVALID`. */
export function readAdoption<Old extends object, Data>(options: AdoptOptions<Old, Data>): Adoption<Old> {
  const map = readOption<unknown>(options.map, undefined, 'map', 'a function', isFunction)
  const ownerOf = readOption(options.ownerOf, undefined, 'ownerOf', 'a function', isFunction)
  const remove = readOption(options.remove, false, 'remove', 'true or false', isBoolean)
  const cookie = readOption(options.cookie, {}, 'cookie', 'an object with path and domain', isObject)
  return {
    remove,
    cookie,
    found(old, facts) {
      const data = map === undefined ? old : (map as (data: Old) => object | undefined)(old)
      return data === undefined ? 'refused' : { ...facts, data, ownerId: ownerOf?.(old) }
    }
  }
}
