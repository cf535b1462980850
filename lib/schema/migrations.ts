import type { SchemaOptions } from '../../types/schema.ts'
import { InvalidOptionError, InvalidValueError } from '../errors.ts'
import { isFunction, isObject } from '../util/check.ts'
import { isUnwaited } from '../util/maybe-async.ts'

type Data = Record<string, unknown>

/** The functions that turn data of one version into those of the next. */
export class Migrations {
  readonly #steps: NonNullable<SchemaOptions['migrations']>
  readonly #present: number
  /** The oldest version of which data can become present ones. */
  readonly #oldest: number

  /** `present`: the option `schemaVersion`. Throws `ERR_SESSION_OPTION_INVALID`. */
  constructor(given: SchemaOptions['migrations'], present: number) {
    const steps = given === undefined ? {} : given
    if (!isObject(steps)) {
      throw new InvalidOptionError('The option migrations must be an object with a function for each version.')
    }
    const versions = Object.keys(steps)
    for (const version of versions) assertStep(version, steps[Number(version)], present)
    this.#steps = steps
    this.#present = present
    this.#oldest = Math.min(...versions.map(Number)) - 1
    assertNoGap(versions, this.#oldest, present)
  }

  /** Whether there is a way from data of a version to present ones. Without any migration data stay as they are. */
  canBegin(version: number): boolean {
    return this.#oldest === Number.POSITIVE_INFINITY || version >= this.#oldest
  }

  /** Returns data of the present version. Throws what a migration throws, and what `dataOf` throws. */
  run(data: Data, version: number): Data {
    let result = data
    for (let next = version + 1; next <= this.#present; next++) {
      const step = this.#steps[next]
      if (step !== undefined) result = dataOf(step(result))
    }
    return result
  }
}

/**
 * Returns what a function of the application has made of data. Throws `ERR_SESSION_VALUE` if that is no object, and for a promise,
 * which the next function would take for an object without data.
 */
export function dataOf(returned: unknown): Data {
  if (isUnwaited(returned)) throw new InvalidValueError('The function returned a promise. It must answer at once.')
  if (!isObject(returned)) throw new InvalidValueError('The function returned no object.')
  return returned as Data
}

function assertStep(version: string, step: unknown, present: number): void {
  if (!/^[1-9]\d*$/.test(version) || Number(version) < 2 || Number(version) > present) {
    throw new InvalidOptionError(
      `The option migrations has a function for ${JSON.stringify(version)}; its keys are versions from 2 to schemaVersion, which is ${present}.`
    )
  }
  if (!isFunction(step)) throw new InvalidOptionError(`migrations[${version}] must be a function of data.`)
}

function assertNoGap(versions: readonly string[], oldest: number, present: number): void {
  if (versions.length === 0) return
  for (let version = oldest + 1; version <= present; version++) {
    if (!versions.includes(String(version))) {
      throw new InvalidOptionError(
        `The option migrations has no function for version ${version}, so data of version ${version - 1} have no way to version ${present}. Write ${version}: (data) => data if nothing changes.`
      )
    }
  }
}
