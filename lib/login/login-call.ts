import type { LoginCallOptions } from '../../types/login.ts'
import { InvalidValueError } from '../errors.ts'
import { assertKnown, isBoolean, isString, readOption } from '../util/check.ts'

/** The checked options of `login()`. */
export interface LoginCall {
  readonly isRemembered: boolean
  readonly isFresh: boolean
  /** Whether a page of another site may cause the login. */
  readonly isCrossSite: boolean
  readonly keep: readonly string[] | undefined
}

const NAMES: readonly (keyof LoginCallOptions)[] = ['remember', 'fresh', 'keep', 'allowCrossSite']

/** Checks the options of `login()`. `canRemember`: whether the kit remembers logins. `method`: how it was called. */
export function resolveLoginCall(options: LoginCallOptions, canRemember: boolean, method: string): LoginCall {
  assertKnown(options, NAMES, method)
  const isKeys = (value: unknown): boolean => Array.isArray(value) && value.every(isString)
  const call = {
    isRemembered: readOption(options.remember, false, 'remember', 'true or false', isBoolean),
    isFresh: readOption(options.fresh, true, 'fresh', 'true or false', isBoolean),
    isCrossSite: readOption(options.allowCrossSite, false, 'allowCrossSite', 'true or false', isBoolean),
    keep: readOption(options.keep, undefined, 'keep', 'an array of keys', isKeys)
  }
  if (!call.isRemembered || canRemember) return call
  throw new InvalidValueError(
    `${method} cannot remember this login. Set the option remember of the login kit; it needs a store.`
  )
}
