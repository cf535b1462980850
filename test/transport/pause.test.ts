import t from 'tap'
import { pause } from '../../lib/transport/pause.ts'

t.test('a pause is longer after each attempt, up to 25 ms, and not the same for two', async (t) => {
  const timers = t.capture(globalThis, 'setTimeout', ((run: () => void) => run()) as never)
  for (const attempt of [1, 10, 40, 40]) await pause(attempt)
  const lengths = timers().map(({ args }) => Number(args[1]))
  t.ok(
    lengths.every((length, index) => length >= 0 && length <= Math.min([1, 10, 40, 40][index] ?? 0, 25)),
    `${lengths}`
  )
  t.not(lengths[2], lengths[3])
})
