import { InvalidValueError } from '../errors.ts'

const MAX_CHARACTERS = 255

/** Whether a value can be the id of an owner. */
export function isOwnerId(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    value.length <= MAX_CHARACTERS &&
    // Halves of surrogate pairs have no UTF-8, and databases refuse NUL.
    !/[\p{Cs}\0]/u.test(value)
  )
}

/** Refuses what cannot be the id of an owner. `method` is what it was given to. */
export function assertOwnerId(ownerId: unknown, method: string): void {
  if (isOwnerId(ownerId)) return
  // What it is, not what is in it: messages reach clients.
  const given = typeof ownerId === 'string' ? `a string of ${ownerId.length} characters` : `a ${typeof ownerId}`
  throw new InvalidValueError(
    `${method} takes the id of a user as a string of 1 to ${MAX_CHARACTERS} characters; it got ${ownerId == null ? String(ownerId) : given}. Convert numbers with String(id).`
  )
}
