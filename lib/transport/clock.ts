import { InvalidOptionError } from '../errors.ts'
import { MAX_SECONDS } from '../format/record.ts'

/** Returns a function that tells the time in whole seconds since 1970. It throws for a clock that has none: nothing would expire. */
export function secondsOf(clock: () => number): () => number {
  return () => {
    const seconds = Math.floor(clock() / 1000)
    if (seconds >= 0 && seconds <= MAX_SECONDS) return seconds
    throw new InvalidOptionError(`The option clock of the session returned a time of ${seconds} s.`)
  }
}
