import { execFileSync } from 'node:child_process'
import t from 'tap'
import { Deadline } from '../../lib/stores/deadline.ts'
import { FakeTime } from '../helpers/fake-time.ts'

class Deferred<T> {
  resolve: (value: T) => void = () => {}
  reject: (error: Error) => void = () => {}
  readonly promise: Promise<T> = new Promise((resolve, reject) => {
    this.resolve = resolve
    this.reject = reject
  })
}

const isAnything = (): boolean => true
const toError = (cause: unknown): Error => new Error('failed', { cause })

/** What has become of a promise, after everybody had a turn. */
async function outcomeOf(promise: Promise<unknown>): Promise<string> {
  const settled = promise.then(
    (value) => `resolved: ${value}`,
    (error: Error) => `rejected: ${(error.cause as Error).message}`
  )
  return Promise.race([settled, new Promise<string>((resolve) => setImmediate(() => resolve('pending')))])
}

t.test('an answer in time is the answer, whether good or bad', async (t) => {
  const time = new FakeTime(t)
  const deadline = new Deadline(50)
  const [good, bad] = [new Deferred<string>(), new Deferred<string>()]
  const [first, second] = [
    deadline.race(deadline.begin(), good.promise, isAnything, toError),
    deadline.race(deadline.begin(), bad.promise, isAnything, toError)
  ]
  time.advance(49)
  good.resolve('here')
  bad.reject(new Error('refused'))
  t.equal(await outcomeOf(first), 'resolved: here')
  t.equal(await outcomeOf(second), 'rejected: refused')
})

t.test('no answer in time is a failure, and what comes later is ignored', async (t) => {
  const time = new FakeTime(t)
  const deadline = new Deadline(50)
  const [good, bad] = [new Deferred<string>(), new Deferred<string>()]
  const races = [
    deadline.race(deadline.begin(), good.promise, isAnything, toError),
    deadline.race(deadline.begin(), bad.promise, isAnything, toError)
  ]
  for (const race of races) race.catch(() => {})
  time.advance(49)
  t.equal(await outcomeOf(races[0] as Promise<string>), 'pending')
  time.advance(1)
  good.resolve('late')
  bad.reject(new Error('late'))
  for (const race of races)
    t.equal(await outcomeOf(race), 'rejected: The store did not answer within 0.05 s (storeTimeout).')
})

t.test('each call has its own deadline, and one timer watches over all of them', async (t) => {
  const time = new FakeTime(t)
  const deadline = new Deadline(50)
  const never = (): Promise<string> => new Promise(() => {})
  const first = deadline.race(deadline.begin(), never(), isAnything, toError)
  time.advance(30)
  const second = deadline.race(deadline.begin(), never(), isAnything, toError)
  for (const race of [first, second]) race.catch(() => {})
  t.equal(time.pending, 1)
  time.advance(20)
  t.match(await outcomeOf(first), /^rejected/)
  t.equal(await outcomeOf(second), 'pending')
  t.equal(time.pending, 1)
  time.advance(29)
  t.equal(await outcomeOf(second), 'pending')
  time.advance(1)
  t.match(await outcomeOf(second), /^rejected/)
  t.equal(time.pending, 0)
})

t.test('no timer runs while nothing is pending', async (t) => {
  const time = new FakeTime(t)
  const deadline = new Deadline(50)
  t.equal(time.timers, 0)
  for (let call = 0; call < 100; call++)
    await deadline.race(deadline.begin(), Promise.resolve(call), isAnything, toError)
  t.equal(time.timers, 1)
  time.advance(50)
  t.equal(time.pending, 0)
  await deadline.race(deadline.begin(), Promise.resolve(), isAnything, toError)
  t.equal(time.pending, 1, 'and a new one when it is needed again')
})

t.test('the time in which the process stands still does not count', async (t) => {
  const time = new FakeTime(t)
  const deadline = new Deadline(50)
  const [arrived, missing] = [new Deferred<string>(), new Deferred<string>()]
  const allowance = deadline.begin()
  const races = [arrived, missing].map(({ promise }) => deadline.race(allowance, promise, isAnything, toError))
  for (const race of races) race.catch(() => {})
  const [before, now] = [allowance.deadline, time.now]
  time.stall(1000)
  t.equal(allowance.deadline, before + 1000 - 50 / 4, 'but for the time in which it ran, as far as that is known')
  arrived.resolve('here')
  t.equal(await outcomeOf(races[0] as Promise<string>), 'resolved: here')
  t.equal(await outcomeOf(races[1] as Promise<string>), 'pending')
  time.advance(allowance.deadline - time.now - 1)
  t.equal(await outcomeOf(races[1] as Promise<string>), 'pending')
  time.advance(1)
  t.match(await outcomeOf(races[1] as Promise<string>), /^rejected/)
  t.equal(time.now, now + 1000 + 50 - 50 / 4)
})

t.test('that also holds before anybody has noticed it, and it counts once', async (t) => {
  const time = new FakeTime(t)
  const deadline = new Deadline(50)
  const [allowance, paused] = [deadline.begin(), deadline.begin()]
  deadline.race(allowance, new Promise(() => {}), isAnything, toError).catch(() => {})
  const before = allowance.deadline
  const resume = paused.pause()
  time.now += 1000
  resume()
  const noticed = 1000 - 50 / 4
  t.equal(allowance.deadline, before + noticed)
  t.equal(paused.deadline, before + 1000)
  const begun = deadline.begin()
  t.equal(begun.deadline, time.now + 50)
  const late = deadline.race(begun, new Promise(() => {}), isAnything, toError)
  late.catch(() => {})
  time.advance(0)
  t.equal(allowance.deadline, before + noticed)
  t.equal(paused.deadline, before + 1000)
  t.equal(begun.deadline, time.now + 50)
  time.advance(49)
  t.equal(await outcomeOf(late), 'pending')
  time.advance(1)
  t.match(await outcomeOf(late), /^rejected/)
})

t.test('several calls can have one deadline, and one that has little time left fails in time', async (t) => {
  const time = new FakeTime(t)
  const deadline = new Deadline(50)
  const never = (): Promise<string> => new Promise(() => {})
  const allowance = deadline.begin()
  time.advance(100)
  t.equal(allowance.left, 50, 'its time begins when it is first asked for')
  time.advance(45)
  const other = deadline.race(deadline.begin(), never(), isAnything, toError)
  const late = deadline.race(allowance, never(), isAnything, toError)
  for (const race of [other, late]) race.catch(() => {})
  time.advance(5)
  t.match(await outcomeOf(late), /^rejected/)
  t.equal(await outcomeOf(other), 'pending')
})

t.test('time does not count while the application does something else', async (t) => {
  const time = new FakeTime(t)
  const deadline = new Deadline(50)
  const allowance = deadline.begin()
  const race = deadline.race(allowance, new Promise(() => {}), isAnything, toError)
  race.catch(() => {})
  time.advance(20)
  t.equal(allowance.left, 30)
  const resume = allowance.pause()
  t.equal(allowance.left, Number.POSITIVE_INFINITY)
  time.advance(500)
  t.equal(await outcomeOf(race), 'pending')
  resume()
  time.advance(29)
  t.equal(await outcomeOf(race), 'pending')
  time.advance(1)
  t.match(await outcomeOf(race), /^rejected/)
})

t.test('a call that begins when no time is left fails soon, and time does not count twice', async (t) => {
  const time = new FakeTime(t)
  const deadline = new Deadline(50)
  const allowance = deadline.begin()
  t.equal(allowance.left, 50)
  time.advance(70)
  const race = deadline.race(allowance, new Promise(() => {}), isAnything, toError)
  race.catch(() => {})
  time.advance(0)
  t.match(await outcomeOf(race), /^rejected/)
  t.equal(allowance.deadline, time.now - 20)
})

t.test('a deadline keeps no process alive', async (t) => {
  const source = new URL('../../lib/stores/deadline.ts', import.meta.url)
  const loader = new URL('../helpers/strip-types.mjs', import.meta.url)
  const program = `import { Deadline } from ${JSON.stringify(source.href)}
    const deadline = new Deadline(3_600_000)
    deadline.race(deadline.begin(), new Promise(() => {}), () => true, () => new Error())
    process.on('exit', () => console.log('left'))`
  const { NODE_OPTIONS, ...env } = process.env
  const args = ['--import', loader.href, '--input-type=module', '-e', program]
  t.equal(execFileSync(process.execPath, args, { encoding: 'utf8', env, timeout: 60_000 }), 'left\n')
})

t.test('what is no answer is a failure', async (t) => {
  const time = new FakeTime(t)
  const deadline = new Deadline(50)
  const call = deadline.race(deadline.begin(), Promise.resolve(5), (answer) => answer === 6, toError)
  t.match(await outcomeOf(call), /^rejected: .*a number that is no valid result/)
  t.equal(
    await outcomeOf(deadline.race(deadline.begin(), Promise.resolve(6), (answer) => answer === 6, toError)),
    'resolved: 6'
  )
  time.advance(60)
  t.equal(time.pending, 0, 'nothing is watched any more')
})

t.test('an allowance is over when its time has passed since it was first asked for', async (t) => {
  const time = new FakeTime(t)
  const allowance = new Deadline(50).begin()
  time.advance(60)
  t.equal(allowance.isOver, false, 'nobody has asked for its deadline')
  t.equal(allowance.left, 50)
  time.advance(49)
  t.equal(allowance.isOver, false)
  time.advance(1)
  t.equal(allowance.isOver, true)
})

t.test('the error of a call that takes too long says what is asked to', (t) => {
  t.match(new Deadline(500).tooLate(), { message: 'The store did not answer within 0.5 s (storeTimeout).' })
  t.match(new Deadline(500, 'The list is asleep.').tooLate(), { message: 'The list is asleep.' })
  t.end()
})
