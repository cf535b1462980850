import { execFileSync } from 'node:child_process'
import t from 'tap'
import { PruneTimer } from '../../lib/stores/prune-timer.ts'
import { FakeTime } from '../helpers/fake-time.ts'

/** Lets what a timer has called come to its end. */
async function settled(): Promise<void> {
  await new Promise(setImmediate)
}

t.test('it prunes soon after the start, at a time of its own, and then at intervals until it is stopped', async (t) => {
  for (const [random, first] of [
    [0, 15_000],
    [0.5, 22_500],
    [1, 30_000]
  ] as const) {
    const time = new FakeTime(t)
    t.intercept(Math, 'random', { value: () => random })
    let pruned = 0
    const timer = new PruneTimer(3600, () => pruned++)
    time.advance(first - 1)
    t.equal(pruned, 0)
    time.advance(1)
    t.equal(pruned, 1)
    await settled()
    time.advance(3_599_999)
    t.equal(pruned, 1)
    time.advance(1)
    t.equal(pruned, 2)
    await settled()
    timer.stop()
    timer.stop()
    t.equal(time.pending, 0)
  }
})

t.test('a shorter interval makes the first time earlier', async (t) => {
  const time = new FakeTime(t)
  t.intercept(Math, 'random', { value: () => 1 })
  let pruned = 0
  const timer = new PruneTimer(10, () => pruned++)
  time.advance(9_999)
  t.equal(pruned, 0)
  time.advance(1)
  t.equal(pruned, 1)
  timer.stop()
})

t.test('it does not prune while it is pruning', async (t) => {
  const time = new FakeTime(t)
  let finish = (): void => {}
  let begun = 0
  const timer = new PruneTimer(10, () => {
    begun++
    return new Promise<void>((resolve) => {
      finish = resolve
    })
  })
  time.advance(10_000)
  time.advance(60_000)
  t.equal(begun, 1)
  finish()
  await settled()
  time.advance(10_000)
  t.equal(begun, 2)
  timer.stop()
})

t.test('it can be started again, also while it is pruning, and runs once', async (t) => {
  const time = new FakeTime(t)
  const timer = new PruneTimer(60, () => {})
  timer.start()
  t.equal(time.pending, 1)
  timer.stop()
  t.equal(time.pending, 0)
  timer.start()
  timer.start()
  t.equal(time.pending, 1)
  time.advance(30_000)
  timer.stop()
  timer.start()
  await settled()
  t.equal(time.pending, 1)
  time.advance(30_000)
  timer.stop()
  await settled()
  t.equal(time.pending, 0)
})

t.test('with 0 there is no timer', async (t) => {
  const time = new FakeTime(t)
  const timer = new PruneTimer(0, () => t.fail('it pruned'))
  timer.start()
  timer.stop()
  t.equal(time.pending, 0)
})

t.test('what fails is tried again, and said once', async (t) => {
  const time = new FakeTime(t)
  const warnings: unknown[][] = []
  t.intercept(process, 'emitWarning', { value: (...warning: unknown[]) => void warnings.push(warning) })
  let turns = 0
  const timer = new PruneTimer(1, async () => {
    if (++turns !== 2) throw new Error(`no ${turns}`)
  })
  for (let turn = 0; turn < 4; turn++) {
    time.advance(1000)
    await settled()
  }
  timer.stop()
  t.equal(turns, 4)
  t.same(warnings, [['Expired sessions could not be removed: Error: no 1', 'SessionStoreWarning']])
})

t.test('it keeps no process alive', async (t) => {
  const source = new URL('../../lib/stores/prune-timer.ts', import.meta.url)
  const loader = new URL('../helpers/strip-types.mjs', import.meta.url)
  const program = `import { PruneTimer } from ${JSON.stringify(source.href)}
    new PruneTimer(3600, () => {})
    process.on('exit', () => console.log('left'))`
  const { NODE_OPTIONS, ...env } = process.env
  const args = ['--import', loader.href, '--input-type=module', '-e', program]
  t.equal(execFileSync(process.execPath, args, { encoding: 'utf8', env, timeout: 60_000 }), 'left\n')
})
