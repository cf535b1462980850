import { execFileSync } from 'node:child_process'
import type { Test } from 'tap'
import t from 'tap'
import { PruneTimer } from '../../lib/stores/prune-timer.ts'

interface Interval {
  run: () => Promise<void>
  milliseconds: number
  stopped: boolean
}

/** Timers that run by hand. */
function fakeIntervals(t: Test): Interval[] {
  const intervals: Interval[] = []
  t.intercept(globalThis, 'setInterval', {
    value: (run: () => Promise<void>, milliseconds: number) => {
      const interval = { run, milliseconds, stopped: false, unref: () => interval }
      intervals.push(interval)
      return interval
    }
  })
  t.intercept(globalThis, 'clearInterval', {
    value: (interval: Interval | undefined) => {
      if (interval !== undefined) interval.stopped = true
    }
  })
  return intervals
}

t.test('it prunes at every turn until it is stopped', async (t) => {
  const intervals = fakeIntervals(t)
  let pruned = 0
  const timer = new PruneTimer(60, () => pruned++)
  t.equal(intervals[0]?.milliseconds, 60_000)
  await intervals[0]?.run()
  await intervals[0]?.run()
  t.equal(pruned, 2)
  timer.stop()
  timer.stop()
  t.equal(intervals[0]?.stopped, true)
})

t.test('it can be started again, and runs once', async (t) => {
  const intervals = fakeIntervals(t)
  const timer = new PruneTimer(60, () => {})
  timer.start()
  t.equal(intervals.length, 1)
  timer.stop()
  timer.start()
  timer.start()
  t.same(
    intervals.map(({ stopped }) => stopped),
    [true, false]
  )
})

t.test('with 0 there is no timer', async (t) => {
  const intervals = fakeIntervals(t)
  const timer = new PruneTimer(0, () => t.fail('it pruned'))
  timer.start()
  timer.stop()
  t.equal(intervals.length, 0)
})

t.test('what fails is tried again, and said once', async (t) => {
  const intervals = fakeIntervals(t)
  const warnings: unknown[][] = []
  t.intercept(process, 'emitWarning', { value: (...warning: unknown[]) => void warnings.push(warning) })
  let turns = 0
  new PruneTimer(1, async () => {
    if (++turns !== 2) throw new Error(`no ${turns}`)
  })
  for (let turn = 0; turn < 4; turn++) await t.resolves(intervals[0]?.run() as Promise<void>)
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
