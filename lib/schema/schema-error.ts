import type { SchemaIssue } from '../../types/schema.ts'
import { propertyPath } from '../data/storable.ts'
import { SchemaError } from '../errors.ts'

const MOST_NAMED = 10

/** Returns the error for data that a schema refuses. The paths are in its cause, because keys may be made of data. */
export function schemaError(issues: readonly SchemaIssue[]): Error {
  const lines = issues
    .slice(0, MOST_NAMED)
    .map(({ path, message }) => `session${path.map(propertyPath).join('')}: ${message}`)
  const error = new SchemaError(
    'The schema of the session refuses its data, so nothing of them is saved. The cause of this error says which, and why.',
    { cause: new Error(lines.join('; ')) }
  )
  return Object.assign(error, { issues })
}
