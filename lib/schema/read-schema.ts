import type { SchemaOptions } from '../../types/schema.ts'
import { InvalidOptionError } from '../errors.ts'
import { MAX_SCHEMA_VERSION } from '../format/extensions.ts'
import { isFunction, readOption } from '../util/check.ts'
import { DataSchema } from './data-schema.ts'
import { assertSchema } from './judge.ts'
import { Migrations } from './migrations.ts'

/** The options that mean nothing without a schema. */
const DEPENDENT = ['schemaVersion', 'migrations', 'onInvalidData'] as const

/** The names of all options that concern the schema. */
export const SCHEMA_OPTIONS: readonly string[] = ['schema', ...DEPENDENT]

/** Returns what the options say about the schema; undefined without one. Throws the errors that `SchemaOptions` names. */
export function readSchema(options: SchemaOptions): DataSchema | undefined {
  const { schema, onInvalidData } = options
  if (schema === undefined) {
    const orphan = DEPENDENT.find((name) => options[name] !== undefined)
    if (orphan !== undefined) throw new InvalidOptionError(`The option ${orphan} needs the option schema.`)
    return undefined
  }
  assertSchema(schema, 'The option schema')
  const version = readOption(
    options.schemaVersion,
    1,
    'schemaVersion',
    `a whole number from 1 to ${MAX_SCHEMA_VERSION}`,
    isVersion
  )
  const onInvalid = readOption(onInvalidData, 'anonymous', 'onInvalidData', "'anonymous' or a function", isOnInvalid)
  const migrations = new Migrations(options.migrations, version)
  return new DataSchema(schema, version, migrations, typeof onInvalid === 'function' ? onInvalid : undefined)
}

function isVersion(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAX_SCHEMA_VERSION
}

function isOnInvalid(value: unknown): boolean {
  return value === 'anonymous' || isFunction(value)
}
