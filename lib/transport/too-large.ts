import { measureKeys } from '../data/storable.ts'
import { TooLargeError } from '../errors.ts'

const NAMED_KEYS = 3

/** Returns the error for a session that is too large. `reason`: which limit it exceeds. `json`: its data. */
export function tooLargeError(reason: string, json: string, advice: string): Error {
  const biggest = Object.entries(measureKeys(json))
    .sort(([, a], [, b]) => b - a)
    .slice(0, NAMED_KEYS)
    .map(([key, size]) => `${key} (${size} bytes)`)
  const cause = new Error(`Largest keys: ${biggest.join(', ')}.`)
  return new TooLargeError(`${reason}. ${advice} The cause of this error names the largest keys.`, { cause })
}
