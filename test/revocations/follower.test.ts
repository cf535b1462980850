import { setImmediate as turn } from 'node:timers/promises'
import type * as Tap from 'tap'
import t from 'tap'
import { Follower } from '../../lib/revocations/follower.ts'
import { Deadline } from '../../lib/stores/deadline.ts'
import type { Revocation, RevocationList, RevocationPage } from '../../types/revocations.ts'
import { FakeTime } from '../helpers/fake-time.ts'

const ENTRY: Revocation = { kind: 'all', before: 1, until: 2 }

/** A list whose answers the test decides, and what a follower tells. */
function create(t: Tap.Test, list: Partial<RevocationList> = {}) {
  const time = new FakeTime(t)
  const told: unknown[] = []
  const asked: unknown[] = []
  let answer: () => unknown = () => ({ entries: [], position: '1', hasMore: false })
  const whole: RevocationList = {
    add: () => undefined,
    since(position) {
      asked.push(position)
      return answer() as RevocationPage
    },
    ...list
  }
  const follower = new Follower(whole, 6000, new Deadline(2000, 'too late'), {
    onEntry: (entry) => void told.push(entry),
    onCurrent: (at) => void told.push(`current at ${at}`),
    onFailure: (error) => void told.push(`failed: ${(error as Error).message}`),
    onDeaf: (error) => void told.push(`deaf: ${(error as Error).message}`)
  })
  t.teardown(() => follower.close())
  const later = async (milliseconds: number): Promise<void> => {
    time.advance(milliseconds)
    for (let turns = 0; turns < 5; turns++) await turn()
  }
  const answers = (next: () => unknown): void => {
    answer = next
  }
  return { time, told, asked, follower, later, answers }
}

t.test('it asks for what is new, page by page, and then every second', async (t) => {
  const { told, asked, follower, later, answers } = create(t)
  const pages = [
    { entries: [ENTRY], position: '1', hasMore: true },
    { entries: [ENTRY], position: '2', hasMore: false }
  ]
  answers(() => pages.shift() ?? { entries: [], position: '3', hasMore: false })
  await follower.start()
  t.same(told, [ENTRY, ENTRY, 'current at 1000'])
  t.same(asked, [undefined, '1'])
  await later(999)
  t.equal(asked.length, 2)
  await later(1)
  t.same(asked.slice(2), ['2'])
  t.equal(told.at(-1), 'current at 2000', 'what it knows is of when it asked')
  await follower.close()
  await later(10_000)
  t.equal(asked.length, 3)
})

t.test('it goes on after a failure, and after an answer that never came', async (t) => {
  const { told, follower, later, answers } = create(t)
  answers(() => {
    throw new Error('down')
  })
  await follower.start()
  answers(() => new Promise(() => {}))
  await later(250)
  await later(2000)
  t.same(told, ['failed: down', 'failed: too late'])
  answers(() => ({ entries: [ENTRY], position: '1', hasMore: false }))
  await later(250)
  t.same(told.slice(2), [ENTRY, 'current at 3500'])
})

t.test('a list that tells what is new is asked when it began to, and then three times in maxStaleness', async (t) => {
  let tell = (_entry: Revocation): void => {}
  let stopped = 0
  const { told, asked, follower, later } = create(t, {
    async listen(onEntry) {
      tell = onEntry
      return () => void stopped++
    }
  })
  await follower.start()
  await later(25)
  t.equal(asked.length, 2)
  tell(ENTRY)
  t.equal(told.at(-1), ENTRY)
  await later(1999)
  t.equal(asked.length, 2)
  await later(1)
  t.equal(asked.length, 3)
  await follower.close()
  t.equal(stopped, 1)
})

t.test('when it may have missed something, it asks, and listens anew', async (t) => {
  const losses: (() => void)[] = []
  const stops: number[] = []
  const { asked, follower, later, answers } = create(t, {
    listen(_onEntry, onLost) {
      const index = losses.push(onLost) - 1
      return () => void stops.push(index)
    }
  })
  await follower.start()
  await later(25)
  t.equal(asked.length, 2)
  losses[0]?.()
  losses[0]?.()
  await later(25)
  t.equal(asked.length, 3)
  t.equal(losses.length, 2)
  let go = (_page: unknown): void => {}
  answers(
    () =>
      new Promise((resolve) => {
        go = resolve
      })
  )
  await later(25)
  t.equal(asked.length, 4)
  losses[1]?.()
  answers(() => ({ entries: [], position: '1', hasMore: false }))
  go({ entries: [], position: '1', hasMore: false })
  await later(0)
  t.equal(asked.length, 4)
  await later(25)
  t.equal(asked.length, 5, 'what was lost while it asked')
  losses[0]?.()
  await later(25)
  t.equal(asked.length, 6)
  t.equal(losses.length, 3)
  t.same(stops, [], 'a connection that is lost is not to be stopped')
})

t.test('a connection that has died without a word is noticed by what it has not told, and replaced', async (t) => {
  const tells: ((entry: Revocation) => void)[] = []
  const stops: number[] = []
  const { asked, follower, later, answers } = create(t, {
    listen(onEntry) {
      const index = tells.push(onEntry) - 1
      return () => void stops.push(index)
    }
  })
  const entryOf = (id: string): Revocation => ({ kind: 'session', id, until: 2 })
  const answer = (...ids: string[]): void =>
    answers(() => ({ entries: ids.map(entryOf), position: '1', hasMore: false }))
  answer('before')
  await follower.start()
  await later(25)
  t.equal(asked.length, 2)
  tells[0]?.(entryOf('early'))
  answer('late')
  await later(2000)
  tells[0]?.(entryOf('late'))
  tells[0]?.(entryOf('next'))
  answer('early', 'late', 'next')
  await later(2000)
  t.equal(asked.length, 4)
  answer('next', 'unheard')
  await later(2000)
  answer()
  t.equal(tells.length, 1, 'it may be on its way')
  await later(2000)
  t.same(stops, [0])
  await later(25)
  t.equal(tells.length, 2)
  t.equal(asked.length, 7)
  answer('unheard')
  await later(25)
  t.equal(asked.length, 8, 'and it asks once more, when it hears again')
  answer()
  await later(2000)
  await later(2000)
  t.same([tells.length, asked.length], [2, 10])
  await follower.catchUp()
  t.equal(asked.length, 11)
})

t.test('a list that cannot tell what is new is asked every second, and given another chance', async (t) => {
  let tries = 0
  const { told, asked, follower, later } = create(t, {
    async listen() {
      if (++tries === 1) throw new Error('no such right')
      return () => {}
    }
  })
  await follower.start()
  await later(0)
  t.same(told, ['deaf: no such right', 'current at 1000'])
  await later(1000)
  t.equal(asked.length, 2)
  t.equal(tries, 2)
})

t.test('what begins to tell after the end is stopped', async (t) => {
  let begin = (_stop: () => void): void => {}
  let stopped = 0
  const { asked, follower, later } = create(t, {
    listen: () =>
      new Promise((resolve) => {
        begin = resolve
      })
  })
  await follower.start()
  await later(1000)
  t.equal(asked.length, 2, 'until then it is asked every second')
  await follower.close()
  begin(() => void stopped++)
  await later(0)
  t.equal(stopped, 1)
})

t.test('it can end while it asks', async (t) => {
  let go = (_page: unknown): void => {}
  const { asked, follower, later, answers } = create(t)
  answers(
    () =>
      new Promise((resolve) => {
        go = resolve
      })
  )
  const started = follower.start()
  await follower.close()
  go({ entries: [], position: '1', hasMore: false })
  await started
  await later(10_000)
  t.equal(asked.length, 1)
})
