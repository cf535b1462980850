import { inspect } from 'node:util'
import { InvalidValueError } from '../errors.ts'
import type { TimeoutName } from '../format/timeouts.ts'
import type { Settings } from '../options.ts'
import { CAPS } from '../options.ts'

/** What a session may have depends on these. */
export type TimeoutRules = Pick<Settings, 'maxIdleTimeout' | 'maxAbsoluteTimeout' | 'format'>

/** Refuses what no session can have as a timeout of its own: `ERR_SESSION_VALUE`. */
export function assertTimeout(name: TimeoutName, seconds: number, settings: TimeoutRules): void {
  const capName = CAPS[name]
  const [cap, { format }] = [settings[capName], settings]
  if (format !== undefined) {
    throw new InvalidValueError(
      `session.${name} cannot be set in the cookie of ${format.name}, which has the same timeouts for all sessions. Set the option ${name}.`
    )
  }
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= cap) return
  const given = typeof seconds === 'number' ? inspect(seconds) : `of type ${typeof seconds}`
  throw new InvalidValueError(
    `session.${name} must be a whole number of seconds from 1 to ${cap}, or undefined for the option ${name}; it is ${given}. For a longer one, set the option ${capName}.`
  )
}
