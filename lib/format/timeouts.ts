import type { Extensions } from './extensions.ts'
import { readExtension, withExtension } from './extensions.ts'

/** Critical: a server that did not know one would let the session live longer than it is meant to. */
const TAGS = { idleTimeout: 'I', absoluteTimeout: 'L' } as const
const FIRST_SMALL_LETTER = 97

/** Which of the two limits of a session. */
export type TimeoutName = keyof typeof TAGS

const NAMES: readonly TimeoutName[] = ['idleTimeout', 'absoluteTimeout']

/** Whether a session may have a timeout of its own. Capital letters come first, and most sessions have none. */
export function mayHaveTimeouts(extensions: Extensions): boolean {
  return extensions !== undefined && extensions.charCodeAt(1) < FIRST_SMALL_LETTER
}

/** Returns the timeout that a session has of its own, in seconds; undefined if that of the options holds. */
export function readTimeout(extensions: Extensions, name: TimeoutName): number | undefined {
  const value = mayHaveTimeouts(extensions) ? readExtension(extensions, TAGS[name]) : undefined
  return value === undefined ? undefined : Number(value)
}

/** `seconds`: a whole number from 1; undefined for that of the options. */
export function withTimeout(extensions: Extensions, name: TimeoutName, seconds: number | undefined): Extensions {
  return withExtension(extensions, TAGS[name], seconds === undefined ? undefined : String(seconds))
}

/** Whether two sessions have the same timeouts of their own. */
export function haveSameTimeouts(one: Extensions, other: Extensions): boolean {
  return one === other || NAMES.every((name) => readTimeout(one, name) === readTimeout(other, name))
}

/** Returns `base` with the timeouts of `other`. */
export function withTimeoutsOf(base: Extensions, other: Extensions): Extensions {
  return NAMES.reduce<Extensions>((rest, name) => withTimeout(rest, name, readTimeout(other, name)), base)
}

interface Extended {
  readonly extensions: Extensions
}

/** Returns `latest` with the timeouts that a request has changed, from `before` to `after`. */
export function withTimeoutsChange(latest: Extensions, before: Extended, after: Extended): Extensions {
  return NAMES.reduce<Extensions>((rest, name) => {
    const seconds = readTimeout(after.extensions, name)
    return seconds === readTimeout(before.extensions, name) ? rest : withTimeout(rest, name, seconds)
  }, latest)
}
