import { measureKeys } from '../data/storable.ts'
import { TooLargeError } from '../errors.ts'

const NAMED_KEYS = 3

/** Returns the error for a session that is too large. `reason`: which limit it exceeds. `json`: its data. */
export function tooLargeError(reason: string, json: string, advice: string): Error {
  const biggest = Object.entries(measureKeys(json))
    .sort(([, a], [, b]) => b - a)
    .slice(0, NAMED_KEYS)
    .map(([key, size]) => `${key} (${size} bytes)`)
  return new TooLargeError(`${reason}. Largest keys: ${biggest.join(', ')}. ${advice}`)
}
