import { inspect } from 'node:util'
import { InvalidOptionError, InvalidValueError, UnknownOptionError } from '../errors.ts'

/** Fastify's own options for `register`, which it leaves among the plugin's. */
export const FASTIFY_NAMES: readonly string[] = ['prefix', 'logLevel', 'logSerializers']

/** The largest whole number that options accept: that of a signed 32-bit integer. */
export const MAX_INTEGER = 2_147_483_647

/** Returns an option, or its default if it was left out. Errors name the expected value and the given value. */
export function readOption<T>(
  given: T | undefined,
  fallback: T,
  name: string,
  expected: string,
  accepts: (value: unknown) => boolean
): T {
  if (given === undefined) return fallback
  if (accepts(given)) return given
  throw new InvalidOptionError(`The option ${name} must be ${expected}; it is ${inspect(given, { depth: 0 })}.`)
}

/** A whole number from `least` to `most`. `unit`: what it counts, such as `seconds`. */
export function readWholeOption(
  given: number | undefined,
  fallback: number,
  name: string,
  unit: string,
  least: number,
  most: number
): number {
  const accepts = (value: unknown): boolean =>
    Number.isInteger(value) && Number(value) >= least && Number(value) <= most
  return readOption(given, fallback, name, `a whole number of ${unit} from ${least} to ${most}`, accepts)
}

const HOUR = 3600
const DAY = 86_400

/** The option `clock` of a store. `Date.now` is read at each call, so that fake timers installed later work. */
export function readClock(given: (() => number) | undefined): () => number {
  return readOption(given, () => Date.now(), 'clock', 'a function that returns milliseconds since 1970', isFunction)
}

/** The option `pruneInterval` of a store, in seconds. */
export function readPruneInterval(given: number | undefined): number {
  return readWholeOption(given, HOUR, 'pruneInterval', 'seconds', 0, DAY)
}

/** The options of a store or plugin as the user wrote them: an object without unknown names. */
export function assertKnown(options: unknown, known: readonly string[], owner: string): void {
  if (!isObject(options)) {
    throw new InvalidOptionError(`${owner} takes an object with options; it got ${inspect(options, { depth: 0 })}.`)
  }
  for (const name of Object.keys(options as object)) {
    if (!known.includes(name)) {
      throw new UnknownOptionError(
        `There is no option named ${JSON.stringify(name)} of ${owner}. Known are ${known.join(', ')}.`
      )
    }
  }
}

/** Refuses a callback among the arguments of a method: it would never be called, so that a request would wait for ever. */
export function assertNoCallback(method: string, values: readonly unknown[], returnsPromise = true): void {
  if (!values.some(isFunction)) return
  const advice = returnsPromise
    ? 'returns a promise; it takes no callback. Await it, and do after it what the callback does.'
    : 'takes no callback: it is done when it returns.'
  throw new InvalidValueError(`${method} ${advice}`)
}

export function isString(value: unknown): boolean {
  return typeof value === 'string'
}

/** Whether a value is the name of a property, so that `request.name` can be written. */
export function isPropertyName(value: unknown): boolean {
  return typeof value === 'string' && /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(value) && value !== '__proto__'
}

export function isBoolean(value: unknown): boolean {
  return typeof value === 'boolean'
}

export function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}
