import type { InspectOptions } from 'node:util'
import { inspect } from 'node:util'
import { InvalidValueError, ReservedKeyError } from '../errors.ts'
import { assertNoCallback } from '../util/check.ts'
import { SITE } from '../util/site.ts'
import { VERSION } from '../util/version.ts'

/** Marks the sessions of every copy of this package with the version of the copy. */
export const kCopy: unique symbol = Symbol.for('fastify-typed-session')

type Method = (...values: never[]) => unknown

const PROMISES: readonly string[] = ['commit', 'destroy', 'regenerate', 'reload', 'renew', 'update']

/** A function may be what they return or change; `set` and `setDefault` say where it is. */
const TAKE_FUNCTIONS: readonly string[] = ['get', 'pop', 'set', 'setDefault']
/** Its first value is a function. */
const UPDATE = 'update'

export function refuseKey(key: string): never {
  throw new ReservedKeyError(
    `Data cannot have the name of a method or property that every session has: ${SITE}/session#reserved-names. The cause of this error says which name. Choose another one, or store the value in an object under a name of yours, such as session.shop.`,
    { cause: new Error(`session.${key} cannot hold data.`) }
  )
}

/**
 * Makes every inherited name refuse assignment: the members of sessions, and those of `Object.prototype`, among which `__proto__`
 * would replace the prototype.
 *
 * On anything but a session, such as a proxy of one or an object that inherits from one, properties are undefined, because
 * loggers and template engines read them, and methods throw `ERR_SESSION_VALUE`.
 */
export function protectMembers(prototype: object, isSession: (receiver: unknown) => boolean): void {
  const members = Object.getOwnPropertyDescriptors(prototype)
  for (const [name, { get, value }] of Object.entries(Object.getOwnPropertyDescriptors(Object.prototype))) {
    if (!Object.hasOwn(members, name)) define(prototype, name, { get: get ?? (() => value) })
  }
  for (const [name, { get, set, value }] of Object.entries(members)) {
    if (get !== undefined) {
      const read = function (this: unknown): unknown {
        return isSession(this) ? get.call(this) : undefined
      }
      define(prototype, name, { get: read, set: set && guardMethod(name, set, isSession) })
    } else {
      const member = name === 'constructor' ? value : guardMethod(name, value, isSession)
      define(prototype, name, { get: () => member })
    }
  }
  Object.defineProperties(prototype, {
    [kCopy]: { value: VERSION },
    // What `console.log(request.session)` shows.
    [inspect.custom]: {
      value(this: object, _depth: number, options: InspectOptions): string {
        return `Session ${inspect({ ...this }, options)}`
      }
    }
  })
}

function guardMethod(name: string, method: Method, isSession: (receiver: unknown) => boolean): Method {
  const takesFunction = TAKE_FUNCTIONS.includes(name)
  const returnsPromise = PROMISES.includes(name)
  const isUpdate = name === UPDATE
  return function (this: unknown, ...values: never[]): unknown {
    if (!takesFunction) assertNoCallback(`session.${name}()`, isUpdate ? values.slice(1) : values, returnsPromise)
    if (isSession(this)) return method.apply(this, values)
    throw new InvalidValueError(
      `session.${name} was used on something that is not a session, such as a proxy or a copy of one. Use request.session.${name}.`
    )
  }
}

interface Accessors {
  readonly get: () => unknown
  readonly set?: ((value: never) => void) | undefined
}

function define(prototype: object, name: string, { get, set }: Accessors): void {
  Object.defineProperty(prototype, name, {
    get,
    set: set ?? (() => refuseKey(name)),
    enumerable: false,
    configurable: false
  })
}
