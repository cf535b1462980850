import t from 'tap'
import { ServerClock } from '../../lib/stores/server-clock.ts'

const HOURS = 5 * 3_600_000

t.test('what is asked before any answer has no answer', async (t) => {
  t.equal(new ServerClock().toServerTime(0), undefined)
})

t.test('a time as the server shows it is rather too early than too late', async (t) => {
  let now = 1000
  t.intercept(performance, 'now', { value: () => now })
  const clock = new ServerClock()
  const answer = (delayThere: number, delayBack: number, offset: number): void => {
    const sentAt = now
    now += delayThere
    const serverTime = now + offset
    now += delayBack
    clock.note(sentAt, serverTime)
  }
  answer(10, 20, HOURS)
  t.equal(clock.toServerTime(0), HOURS - 20, 'by what the answer took at most')
  answer(1, 3, HOURS)
  t.equal(clock.toServerTime(0), HOURS - 3, 'a faster answer tells more')
  answer(3000, 5000, HOURS)
  answer(1, 40, HOURS)
  t.equal(clock.toServerTime(0), HOURS - 3, 'a slower one tells nothing new')
  t.equal(clock.toServerTime(700), HOURS + 697)
  answer(1, 2, HOURS - 7_200_000)
  t.equal(clock.toServerTime(0), HOURS - 7_200_002, 'a clock that was set is noticed')
  answer(1, 2, 0)
  t.equal(clock.toServerTime(0), -2, 'and another server')
  for (let drift = 0; drift <= 100; drift++) answer(1, 1, drift)
  t.equal(clock.toServerTime(0), 99, 'a clock that runs faster is followed')
})
