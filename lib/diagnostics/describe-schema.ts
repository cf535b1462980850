import type { Extensions } from '../format/extensions.ts'
import { readSchemaStamp } from '../format/extensions.ts'

/** Says under which version of the schema data were written; undefined if there was no schema. */
export function describeSchema(extensions: Extensions): string | undefined {
  const stamp = readSchemaStamp(extensions)
  if (stamp === undefined) return undefined
  return `version ${stamp.version}${stamp.isJudged ? '' : ', changed by a server that does not know it'}`
}
