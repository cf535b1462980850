import type { SchemaIssue, SchemaResult, StandardSchema } from '../../types/schema.ts'
import { InvalidOptionError, SchemaAsyncError } from '../errors.ts'
import { isUnwaited } from '../util/maybe-async.ts'
import { redact } from './redact.ts'

type Issue = Extract<SchemaResult, { readonly issues: object }>['issues'][number]

/** Whether a value has the properties of a Standard Schema, version 1. */
export function isSchema(value: unknown): value is StandardSchema {
  const { version, validate } = Object(Object(value)['~standard']) as { version?: unknown; validate?: unknown }
  return version === 1 && typeof validate === 'function'
}

/**
 * Throws `ERR_SESSION_OPTION_INVALID` for anything but a schema, and `ERR_SESSION_SCHEMA_ASYNC` for one of which an empty session
 * shows that it answers with a promise. Others show it later.
 */
export function assertSchema(value: unknown, name: string): asserts value is StandardSchema {
  if (!isSchema(value)) {
    throw new InvalidOptionError(
      `${name} must be a validator with version 1 of Standard Schema, such as one of Zod, Valibot or ArkType: an object or a function with the property '~standard'.`
    )
  }
  judge(value, {})
}

/** Returns what a schema says against data; undefined if it accepts them. Throws `ERR_SESSION_SCHEMA_ASYNC`. */
export function judge(schema: StandardSchema, data: object): readonly SchemaIssue[] | undefined {
  const result = schema['~standard'].validate(data)
  if (isUnwaited(result)) {
    throw new SchemaAsyncError(
      'The schema of a session answered with a promise. A session is validated while a request waits, so its schema must answer at once: leave out what is asynchronous in it.'
    )
  }
  return result.issues?.map((issue) => toIssue(issue, data))
}

/** The same for data that are to be saved: a validator that throws refuses them, because what it throws may quote them. */
export function judgeToSave(schema: StandardSchema, data: object): readonly SchemaIssue[] | undefined {
  try {
    return judge(schema, data)
  } catch (error) {
    if (error instanceof SchemaAsyncError) throw error
    return [{ path: [], message: `The validator has thrown ${redact(String(error), data, data)}` }]
  }
}

function toIssue({ message, path = [] }: Issue, data: object): SchemaIssue {
  // Not by `map`: the path of a library can be a class of its own.
  const keys = Array.from(path, keyOf)
  return { path: keys, message: redact(message, data, valueAt(data, keys)) }
}

function keyOf(segment: NonNullable<Issue['path']>[number]): string | number {
  const key = typeof segment === 'object' ? segment.key : segment
  return typeof key === 'number' ? key : String(key)
}

function valueAt(data: object, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((value, key) => Object(value)[key], data)
}
