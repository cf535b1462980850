import { randomInt } from 'node:crypto'

/** How many reservations there can be in one second. */
const RANDOM = 2 ** 20
/** After how many seconds nobody completes a reservation any more. */
const ABANDONED = 3600

/**
 * Returns the `expires_at` of a record that is being created: a negative number, which is no live record's, and which nobody else uses for
 * the same key. It tells when it was made. `now`: the present second.
 */
export function newReservation(now: number): number {
  return -(now * RANDOM + randomInt(RANDOM))
}

/** Returns the least `expires_at` that may be removed: reservations that are younger have lower ones. */
export function abandonedBefore(now: number): number {
  return -Math.max(0, now - ABANDONED) * RANDOM
}
