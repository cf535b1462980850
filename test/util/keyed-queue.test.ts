import { mock } from 'node:test'
import t from 'tap'
import { KeyedQueue } from '../../lib/util/keyed-queue.ts'

/** A step that ends when `end` or `fail` is called. */
class ManualStep {
  hasStarted = false
  readonly #outcome: PromiseWithResolvers<string> = withResolvers()

  readonly run = (): Promise<string> => {
    this.hasStarted = true
    return this.#outcome.promise
  }

  end(value: string): void {
    this.#outcome.resolve(value)
  }

  fail(error: Error): void {
    this.#outcome.reject(error)
  }
}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (error: Error) => void
}

function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve!: (value: T) => void
  let reject!: (error: Error) => void
  const promise = new Promise<T>((...settle) => {
    ;[resolve, reject] = settle
  })
  return { promise, resolve, reject }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

t.test('the steps of one key run one after another, in the order of the calls', async (t) => {
  const queue = new KeyedQueue()
  const steps = [new ManualStep(), new ManualStep(), new ManualStep()] as const
  const results = steps.map((step) => queue.run('key', step.run))
  const started = (): boolean[] => steps.map(({ hasStarted }) => hasStarted)
  t.same(started(), [true, false, false], 'the first starts at once')
  await settle()
  t.same(started(), [true, false, false])
  steps[0].end('a')
  await settle()
  t.same(started(), [true, true, false])
  steps[1].end('b')
  await settle()
  t.same(started(), [true, true, true])
  steps[2].end('c')
  t.same(await Promise.all(results), ['a', 'b', 'c'])
})

t.test('steps of different keys do not wait for each other', async (t) => {
  const queue = new KeyedQueue()
  const slow = new ManualStep()
  const first = queue.run('one', slow.run)
  t.equal(await queue.run('other', () => 'at once'), 'at once')
  slow.end('later')
  t.equal(await first, 'later')
})

t.test('a step that fails does not stop the next one', async (t) => {
  const queue = new KeyedQueue()
  const failing = new ManualStep()
  const first = queue.run('key', failing.run)
  const second = queue.run('key', async (): Promise<string> => {
    throw new Error('at once')
  })
  const third = queue.run('key', async () => 'done')
  failing.fail(new Error('later'))
  await t.rejects(first, { message: 'later' })
  await t.rejects(second, { message: 'at once' })
  t.equal(await third, 'done')
})

t.test('a step that comes while the second one runs waits for it', async (t) => {
  const queue = new KeyedQueue()
  const [first, second, third] = [new ManualStep(), new ManualStep(), new ManualStep()]
  const results = [queue.run('key', first.run), queue.run('key', second.run)]
  first.end('a')
  await settle()
  results.push(queue.run('key', third.run))
  await settle()
  t.same([second.hasStarted, third.hasStarted], [true, false])
  second.end('b')
  third.end('c')
  t.same(await Promise.all(results), ['a', 'b', 'c'])
})

t.test('an idle key is forgotten, whether its steps succeed or fail', async (t) => {
  const tails = new Map<string, Promise<void>>()
  const queue = new KeyedQueue(undefined, tails)
  const running = Array.from({ length: 100 }, (_, index) => queue.run(String(index % 50), settle))
  running.push(queue.run('failing', () => Promise.reject(new Error('no'))))
  t.equal(tails.size, 51)
  await Promise.allSettled(running)
  t.equal(tails.size, 0)
})

t.test('an idle key answers at once what is there at once', async (t) => {
  const queue = new KeyedQueue()
  t.equal(
    queue.run('key', () => 7),
    7
  )
  t.throws(
    () =>
      queue.run('key', (): number => {
        throw new Error('no')
      }),
    { message: 'no' }
  )
  t.equal(await queue.run('key', async () => 8), 8)
})

t.test('without a limit, a step that never ends blocks its key', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const queue = new KeyedQueue()
  const [endless, next] = [new ManualStep(), new ManualStep()]
  void queue.run('key', endless.run)
  void queue.run('key', next.run)
  mock.timers.tick(1e9)
  await settle()
  t.equal(next.hasStarted, false)
})

t.test('with a limit, the next step starts when it has passed, and the time of waiting does not count', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const tails = new Map<string, Promise<void>>()
  const queue = new KeyedQueue(10_000, tails)
  const [endless, slow, last] = [new ManualStep(), new ManualStep(), new ManualStep()]
  const first = queue.run('key', endless.run)
  const rest = [queue.run('key', slow.run), queue.run('key', last.run)]
  mock.timers.tick(9_999)
  await settle()
  t.equal(slow.hasStarted, false)
  mock.timers.tick(1)
  await settle()
  t.same([slow.hasStarted, last.hasStarted], [true, false])
  mock.timers.tick(9_999)
  await settle()
  t.equal(last.hasStarted, false)
  slow.end('slow')
  await settle()
  t.equal(last.hasStarted, true)

  endless.end('after all')
  t.equal(await first, 'after all', 'a late result still arrives')
  t.equal(tails.size, 1, 'and leaves the key to the step that runs')
  last.end('last')
  t.same(await Promise.all(rest), ['slow', 'last'])
  t.equal(tails.size, 0)
})

t.test('a step that never ends is forgotten when its limit has passed', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const tails = new Map<string, Promise<void>>()
  const queue = new KeyedQueue(10_000, tails)
  void queue.run('key', new ManualStep().run)
  mock.timers.tick(10_000)
  t.equal(tails.size, 0)
})

t.test('the timer of a step keeps no process alive and ends with the step', async (t) => {
  const timers = t.capture(globalThis, 'setTimeout', globalThis.setTimeout)
  const cleared = t.capture(globalThis, 'clearTimeout', globalThis.clearTimeout)
  const queue = new KeyedQueue(10_000)
  const step = new ManualStep()
  const result = queue.run('key', step.run)
  const [call] = timers()
  const timer = call !== undefined && 'returned' in call ? call.returned : undefined
  t.equal(timer?.hasRef(), false)
  t.same(cleared(), [])
  step.end('done')
  await result
  t.equal(cleared()[0]?.args[0], timer)
})
