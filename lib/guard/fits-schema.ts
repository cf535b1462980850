import type { StandardSchema } from '../../types/schema.ts'
import { splitData } from '../data/own-keys.ts'
import { assertSchema, judge } from '../schema/judge.ts'

/** Whether a value means to be a schema. Some are functions, as predicates are. */
export function isSchemaLike(value: unknown): value is StandardSchema {
  return Object(value)['~standard'] !== undefined
}

/** Returns a predicate that is true of sessions whose data a schema accepts. Throws what `assertSchema` throws. */
export function fitsSchema(schema: StandardSchema): (session: object) => boolean {
  assertSchema(schema, 'The schema of a guard')
  return (session) => judge(schema, splitData(session).theirs) === undefined
}
