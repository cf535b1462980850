import { isLate } from './guard.ts'

const SERIALIZATION_FAILURE = '40001'
const DEADLOCK = '40P01'

/** Whether the server has taken a statement back for a reason that may be over when it is sent again. */
export function isTransient(error: unknown): boolean {
  const code = codeOf(error)
  return code === SERIALIZATION_FAILURE || code === DEADLOCK || isLate(error)
}

/** The code of an error of PostgreSQL. */
export function codeOf(error: unknown): unknown {
  return (Object(error) as { code?: unknown }).code
}
