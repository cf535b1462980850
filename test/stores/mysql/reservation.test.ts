import t from 'tap'
import { abandonedBefore, newReservation } from '../../../lib/stores/mysql/reservation.ts'

const NOW = 1_763_640_000

t.test('a reservation is a number that MySQL and JavaScript hold, below all times, and seldom the same', async (t) => {
  const numbers = Array.from({ length: 50 }, () => newReservation(NOW))
  t.ok(numbers.every((number) => Number.isSafeInteger(number) && number < 0))
  t.ok(new Set(numbers).size > 45)
})

t.test('it is abandoned after an hour', async (t) => {
  const number = newReservation(NOW)
  t.ok(number < abandonedBefore(NOW))
  t.ok(number < abandonedBefore(NOW + 3600))
  t.ok(number >= abandonedBefore(NOW + 3602))
  t.ok(abandonedBefore(0) <= 0)
})
