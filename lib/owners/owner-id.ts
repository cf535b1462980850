import { InvalidValueError } from '../errors.ts'

const MAX_CHARACTERS = 255

/** Refuses what cannot be the id of an owner. `method` is what it was given to. */
export function assertOwnerId(ownerId: unknown, method: string): void {
  const isFine =
    typeof ownerId === 'string' &&
    ownerId !== '' &&
    ownerId.length <= MAX_CHARACTERS &&
    // Halves of surrogate pairs have no UTF-8, and databases refuse NUL.
    !/[\p{Cs}\0]/u.test(ownerId)
  if (isFine) return
  // What it is, not what is in it: messages reach clients.
  const given = typeof ownerId === 'string' ? `a string of ${ownerId.length} characters` : `a ${typeof ownerId}`
  throw new InvalidValueError(
    `${method} takes the id of a user as a string of 1 to ${MAX_CHARACTERS} characters; it got ${ownerId == null ? String(ownerId) : given}. Convert numbers with String(id).`
  )
}
