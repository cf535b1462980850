import t from 'tap'
import { showTime } from '../../lib/cli/show-time.ts'

t.test('a time has its distance from now', (t) => {
  t.equal(showTime(1_763_640_000, 1_763_640_005), '2025-11-20T12:00:00.000Z (5 s ago)')
  t.equal(showTime(1_763_640_000, 1_763_639_990), '2025-11-20T12:00:00.000Z (in 10 s)')
  t.end()
})
