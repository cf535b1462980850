import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { linkSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { Test } from 'tap'
import t from 'tap'
import { FileLocks, lockDirectories } from '../../../lib/stores/file/lock.ts'
import type { ThreadIdentity } from '../../../lib/stores/file/thread-identity.ts'
import { FakeTime, when } from '../../helpers/fake-time.ts'
import { ELSEWHERE, leaveLock, locksIn, newDead, newLockDirectory } from '../../helpers/locks.ts'
import { ended, linesOf, startScript } from '../../helpers/writers.ts'

const LOADER = `--import=${new URL('../../helpers/strip-types.mjs', import.meta.url)}`
const HERE = async (): Promise<ThreadIdentity> => ({
  machine: 'here',
  pid: process.pid,
  thread: 0,
  started: undefined
})

function whenLocked(directory: string): Promise<void> {
  return when(() => locksIn(directory).includes('name'))
}

/** Milliseconds after which everybody who waits for a lock has tried again. */
const LONG_ENOUGH = 100

/** A promise, and what fulfils it. */
function gate(): { open: () => void; opened: Promise<void> } {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

t.test('one at a time holds a lock, in one process and among several', async (t) => {
  const directory = newLockDirectory()
  const several = Array.from({ length: 4 }, () => new FileLocks(directory, 20))
  let [inside, most, count] = [0, 0, 0]
  const work = async (): Promise<void> => {
    most = Math.max(most, ++inside)
    await turn()
    inside--
    count++
  }
  await Promise.all(several.flatMap((locks) => Array.from({ length: 25 }, () => locks.run('name', work))))
  t.equal(most, 1)
  t.equal(count, 100)
  t.same(locksIn(directory), [])
})

t.test('what the work gives or throws comes through, and the lock is free again', async (t) => {
  const directory = newLockDirectory()
  const locks = new FileLocks(directory, 1)
  t.equal(await locks.run('name', async () => 7), 7)
  await t.rejects(
    locks.run('name', async () => {
      throw new Error('of the work')
    }),
    { message: 'of the work' }
  )
  t.same(locksIn(directory), [])
})

t.test('locks of other names do not wait for each other', async (t) => {
  const locks = new FileLocks(newLockDirectory(), 1)
  t.equal(await locks.run('one', () => locks.run('two', async () => 'both')), 'both')
})

t.test('waiting has an end, within the process and without', async (t) => {
  const time = new FakeTime(t)
  const directory = newLockDirectory()
  const [locks, others] = [new FileLocks(directory, 10), new FileLocks(directory, 0.06)]
  const { open, opened } = gate()
  const holding = locks.run('name', () => opened)
  await whenLocked(directory)
  const attempts = await time.pass(
    Promise.allSettled([others.run('name', async () => 1), others.run('name', async () => 2)])
  )
  t.match(attempts.map((attempt) => attempt.status === 'rejected' && attempt.reason.message).sort(), [
    `A lock in ${directory} was not released within 0.06 s (lockTimeout). Another request of this process holds it.`,
    `A lock in ${directory} was not released within 0.06 s (lockTimeout). Process ${process.pid} holds it.`
  ])
  open()
  await holding
  t.equal(await others.run('name', async () => 3), 3, 'and who gave up is not waited for')
})

t.test('a lock of a dead process is free at once', async (t) => {
  const directory = newLockDirectory()
  leaveLock(directory, 'name', await newDead())
  const time = new FakeTime(t)
  const before = time.now
  t.equal(await time.pass(new FileLocks(directory, 600).run('name', async () => 1)), 1)
  t.ok(time.now - before < 300_000, 'and not after half of the timeout')
  t.same(locksIn(directory), [])
})

t.test('of many who find a lock dead at once, one at a time holds it', async (t) => {
  const directory = newLockDirectory()
  const dead = await newDead()
  const several = Array.from({ length: 6 }, () => new FileLocks(directory, 20))
  for (let round = 0; round < 40; round++) {
    leaveLock(directory, `name${round}`, dead, `dead${round}`)
    let [inside, most] = [0, 0]
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside)
      for (let turns = 0; turns < 5; turns++) await turn()
      inside--
    }
    await Promise.all(several.map((locks) => locks.run(`name${round}`, work)))
    if (most !== 1) return t.fail(`${most} held the lock at once in round ${round}`)
  }
  t.same(locksIn(directory), [])
})

interface Contest {
  readonly directory: string
  readonly time: FakeTime
  readonly fresh: FileLocks
  /** Calls `work` while `fresh` has the right to remove the lock of the dead, and another one waits for that right. */
  whileRemoving(work: () => Promise<void>): Promise<void>
  /** Resolves when the other one has the lock `name`. */
  readonly late: () => Promise<void>
  hasLock(): boolean
}

/** A lock `name` of a dead process, and two who want it. */
async function newContest(t: Test): Promise<Contest> {
  const directory = newLockDirectory()
  leaveLock(directory, 'name', await newDead())
  const time = new FakeTime(t)
  const [fresh, late] = [new FileLocks(directory, 20), new FileLocks(directory, 20)]
  const claim = `claim-${createHash('sha256').update('name dead').digest('hex')}`
  let hasLock = false
  let waiting: Promise<void> = Promise.resolve()
  return {
    directory,
    time,
    fresh,
    whileRemoving: (work) =>
      fresh.run(claim, async () => {
        waiting = late.run('name', async () => {
          hasLock = true
        })
        // It has found the lock dead, and sets a timer before it tries to get the right once more.
        await when(() => time.pending === 1)
        await work()
      }),
    late: () => time.pass(waiting),
    hasLock: () => hasLock
  }
}

t.test('a lock that another one has removed meanwhile is simply free', async (t) => {
  const { directory, whileRemoving, late, hasLock } = await newContest(t)
  await whileRemoving(async () => unlinkSync(join(directory, 'locks/name')))
  await late()
  t.ok(hasLock())
  t.same(locksIn(directory), [])
})

t.test('a fresh lock in the place of a dead one is not removed by whoever comes late', async (t) => {
  const { directory, time, fresh, whileRemoving, late, hasLock } = await newContest(t)
  const [started, done] = [gate(), gate()]
  let holding: Promise<string> = Promise.resolve('')
  await whileRemoving(async () => {
    unlinkSync(join(directory, 'locks/name'))
    holding = fresh.run('name', async (lock) => {
      started.open()
      await done.opened
      await lock.assertMayWrite()
      return 'still held'
    })
    await started.opened
  })
  const before = time.timers
  time.advance(LONG_ENOUGH)
  // The other one gets the right, sees whose the lock is now, and waits for it.
  await when(() => (time.pending === 1 && time.timers > before) || hasLock())
  t.notOk(hasLock())
  t.same(locksIn(directory), ['name'], 'it waits for nothing else')
  done.open()
  t.equal(await holding, 'still held')
  await late()
  t.ok(hasLock())
})

t.test('whoever dies while removing a lock leaves a right that others take over', async (t) => {
  const directory = newLockDirectory()
  const dead = await newDead()
  leaveLock(directory, 'name', dead, 'dead')
  leaveLock(directory, `claim-${createHash('sha256').update('name dead').digest('hex')}`, dead, 'dead2')
  t.equal(await new FileLocks(directory, 20).run('name', async () => 1), 1)
  t.same(locksIn(directory), [])
})

t.test('a lock of nobody knows whom is taken over when it has not moved for half of the timeout', async (t) => {
  for (const contents of [ELSEWHERE, '', '{"pid":0}']) {
    await t.test(JSON.stringify(contents), async (t) => {
      const directory = newLockDirectory()
      leaveLock(directory, 'name', contents)
      const time = new FakeTime(t)
      const before = time.now
      t.equal(await time.pass(new FileLocks(directory, 0.4).run('name', async () => 1)), 1)
      t.ok(time.now - before >= 200, 'and not before')
      t.same(locksIn(directory), [])
    })
  }
})

t.test('a holder that shows signs of life keeps its lock', async (t) => {
  const time = new FakeTime(t)
  const directory = newLockDirectory()
  const [busy, other] = [new FileLocks(directory, 10, async () => ELSEWHERE), new FileLocks(directory, 0.3, HERE)]
  const { open, opened } = gate()
  const holding = busy.run('name', async (lock) => {
    await opened
    await lock.assertMayWrite()
    return 'held to the end'
  })
  await whenLocked(directory)
  const changedAt = (): bigint => lstatSync(join(directory, 'locks/name'), { bigint: true }).ctimeNs
  const attempt = other.run('name', async () => 1).catch((error: Error) => error)
  let isOver = false
  void attempt.then(() => {
    isOver = true
  })
  for (const start = time.now; !isOver && time.now < start + 10_000; ) {
    const before = changedAt()
    while (changedAt() === before) await busy.run('another', async () => {})
    // The other one looks at the lock before time passes once more.
    await when(() => isOver || time.pending === 1)
    time.advance(LONG_ENOUGH)
  }
  t.match(await attempt, { message: /Process 1 holds it\.$/ })
  open()
  t.equal(await holding, 'held to the end')
})

t.test('whoever lost a lock is told before writing, and leaves the lock of the other alone', async (t) => {
  const time = new FakeTime(t)
  const directory = newLockDirectory()
  const [slow, other] = [new FileLocks(directory, 10, async () => ELSEWHERE), new FileLocks(directory, 0.1, HERE)]
  const [lost, done] = [gate(), gate()]
  const slowly = slow.run('name', async (lock) => {
    await lost.opened
    await lock.assertMayWrite()
  })
  await whenLocked(directory)
  const otherwise = other.run('name', async (lock) => {
    lost.open()
    await done.opened
    await lock.assertMayWrite()
    return 'still held'
  })
  await t.rejects(time.pass(slowly), { message: /was lost\. This process stood still .* Nothing was written\.$/ })
  done.open()
  t.equal(await otherwise, 'still held')
})

t.test('a lock that somebody has removed is lost', async (t) => {
  const directory = newLockDirectory()
  const spoiled = new FileLocks(directory, 1).run('name', async (lock) => {
    unlinkSync(join(directory, 'locks/name'))
    await lock.assertMayWrite()
  })
  await t.rejects(spoiled, { message: /was lost/ })
})

t.test('a stopped process keeps its lock; a killed one does not', { skip: process.platform === 'win32' }, async (t) => {
  const directory = newLockDirectory()
  const child = startScript('lock-holder.ts', [directory, 'name'])
  await linesOf(child).next()
  child.kill('SIGSTOP')
  const time = new FakeTime(t)
  const mine = new FileLocks(directory, 0.2)
  await t.rejects(time.pass(mine.run('name', async () => 1)), {
    message: new RegExp(`Process ${child.pid} holds it`)
  })
  child.kill('SIGKILL')
  await ended(child)
  t.equal(await time.pass(mine.run('name', async () => 1)), 1)
})

t.test('a worker thread keeps its lock; one that was terminated does not', async (t) => {
  const directory = newLockDirectory()
  const script = new URL('../../helpers/lock-holder.ts', import.meta.url)
  const worker = new Worker(script, { argv: [directory, 'name'], execArgv: [LOADER], stdin: true, stdout: true })
  await once(worker.stdout, 'data')
  const time = new FakeTime(t)
  const mine = new FileLocks(directory, 0.2)
  if (process.platform === 'linux') {
    const message = `Process ${process.pid} holds it`
    await t.rejects(time.pass(mine.run('name', async () => 1)), { message })
  }
  await worker.terminate()
  t.same(locksIn(directory), ['name'])
  const child = startScript('lock-holder.ts', [directory, 'name'])
  child.stdin?.end()
  for await (const line of linesOf(child)) t.match(line, /held|released/, 'also for other processes')
  t.same(locksIn(directory), [])
})

t.test('waiting ends when its caller gives up, which may be later than it seemed at first', async (t) => {
  const time = new FakeTime(t)
  const directory = newLockDirectory()
  const [locks, others] = [new FileLocks(directory, 60), new FileLocks(directory, 60)]
  const { open, opened } = gate()
  const holding = locks.run('name', () => opened)
  await whenLocked(directory)
  const start = time.now
  const call = { deadline: start + 100 }
  const attempts = [locks, others].map((each) => each.run('name', async () => 1, each.begin(call)))
  call.deadline += 200
  const results = await time.pass(Promise.allSettled(attempts))
  for (const result of results) {
    t.match(result, { reason: { message: /^A lock in .* was not released in time\. .* holds it\.$/ } })
  }
  t.ok(time.now - start >= 300 && time.now - start < 400)
  open()
  await holding
})

t.test('whoever holds a lock may not write any more when its caller has given up', async (t) => {
  const locks = new FileLocks(newLockDirectory(), 60)
  const call = { deadline: performance.now() + 60_000 }
  const late = locks.run(
    'name',
    async (lock) => {
      await lock.assertMayWrite()
      call.deadline = performance.now() - 1
      await lock.assertMayWrite()
    },
    locks.begin(call)
  )
  await t.rejects(late, { message: 'The store had no time left for a change. Nothing was written.' })
})

t.test('whoever cannot be judged is watched by all calls together', async (t) => {
  const directory = newLockDirectory()
  leaveLock(directory, 'name', ELSEWHERE)
  const time = new FakeTime(t)
  const locks = new FileLocks(directory, 1)
  const attempt = (): Promise<number> => locks.run('name', async () => 1, locks.begin({ deadline: time.now + 200 }))
  for (let calls = 0; calls < 2; calls++) await t.rejects(time.pass(attempt()), { message: /in time/ })
  t.equal(await time.pass(attempt()), 1)
})

t.test('a lock that could not be removed when it was released is one that we have', async (t) => {
  const directory = newLockDirectory()
  const locks = new FileLocks(directory, 1)
  await locks.run('name', async () => {})
  const [token = ''] = readdirSync(join(directory, 'processes'))
  linkSync(join(directory, 'processes', token), join(directory, 'locks/name'))
  t.equal(await locks.run('name', async () => 1), 1)
  t.same(locksIn(directory), [])
})

t.test('work that nobody waits for is done by one, and left by the others', async (t) => {
  const directory = newLockDirectory()
  const [mine, other] = [new FileLocks(directory, 1), new FileLocks(directory, 1)]
  const left = await mine.runIfFree('name', async () => {
    t.same(locksIn(directory), ['name'])
    return other.runIfFree('name', async () => t.fail('both work'))
  })
  t.equal(left, undefined)
  t.same(locksIn(directory), [])
  await t.rejects(
    mine.runIfFree('name', async () => {
      throw new Error('work')
    }),
    { message: 'work' }
  )
  t.equal(await other.runIfFree('name', async () => 7), 7)
})

t.test(
  'work that nobody waits for is done after its holder has died, and at the next time if that cannot be judged',
  async (t) => {
    const directory = newLockDirectory()
    const locks = new FileLocks(directory, 1)
    leaveLock(directory, 'name', await newDead())
    t.equal(await locks.runIfFree('name', async () => 7), 7)
    const time = new FakeTime(t)
    leaveLock(directory, 'name', ELSEWHERE, 'elsewhere')
    t.equal(await locks.runIfFree('name', async () => t.fail('it may be alive')), undefined)
    time.advance(500)
    t.equal(await locks.runIfFree('name', async () => 7), 7)
    t.same(locksIn(directory), [])
  }
)

t.test('a lock is removed if it is judged so, by somebody who can name the judge', async (t) => {
  const directory = newLockDirectory()
  const locks = new FileLocks(directory, 1)
  const { token, pid } = await locks.holder()
  t.same(readdirSync(join(directory, 'processes')), [token])
  t.equal(pid, process.pid)
  leaveLock(directory, 'name', ELSEWHERE)
  await locks.removeIf('name', async () => undefined)
  t.same(locksIn(directory), ['name'])
  await locks.removeIf('name', async ({ holder }) => (holder.machine === 'elsewhere' ? 'unknown' : undefined))
  t.same(locksIn(directory), [])
  await locks.removeIf('name', async () => {
    throw new Error('there is nothing to judge')
  })
})

t.test('after close, and when others have cleaned up, it goes on with a new file', async (t) => {
  const directory = newLockDirectory()
  const locks = new FileLocks(directory, 1)
  await locks.close()
  await locks.run('name', async () => {})
  await locks.close()
  t.same(readdirSync(join(directory, 'processes')), [])
  await locks.run('name', async () => {})
  for (const token of readdirSync(join(directory, 'processes'))) unlinkSync(join(directory, 'processes', token))
  t.equal(await locks.run('name', async () => 1), 1)
})

t.test('errors of the disk come as they are, and pass when their reason does', async (t) => {
  const directory = newLockDirectory()
  const [path, processes] = lockDirectories(directory)
  const locks = new FileLocks(directory, 1)
  const run = (name = 'name'): Promise<number> => locks.run(name, async () => 1)
  rmSync(processes, { recursive: true })
  await t.rejects(run(), { code: 'ENOENT' }, 'nowhere to say who we are')
  mkdirSync(processes)
  t.equal(await run(), 1)
  renameSync(path, `${path}-away`)
  await t.rejects(run(), { code: 'ENOENT' }, 'nowhere to lock')
  writeFileSync(path, '')
  await t.rejects(run(), { code: 'ENOTDIR' })
  rmSync(path)
  renameSync(`${path}-away`, path)
  t.equal(await run(), 1)
  mkdirSync(join(path, 'folder'))
  await t.rejects(run('folder'), { code: 'EISDIR' }, 'something else in the place of a lock')
  const spoil = async (): Promise<void> => {
    rmSync(path, { recursive: true })
    writeFileSync(path, '')
  }
  await t.rejects(locks.run('name', spoil), { code: 'ENOTDIR' }, 'when it is released')
})
