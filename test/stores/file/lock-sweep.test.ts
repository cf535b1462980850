import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { FileLocks } from '../../../lib/stores/file/lock.ts'
import { sweepLocks } from '../../../lib/stores/file/lock-sweep.ts'
import { ELSEWHERE, leaveLock, locksIn, newDead, newLockDirectory } from '../../helpers/locks.ts'

t.test('sweep removes what the dead left behind, and nothing of the living', async (t) => {
  const directory = newLockDirectory()
  const [locks, other] = [new FileLocks(directory, 1), new FileLocks(directory, 1)]
  leaveLock(directory, 'of the dead', await newDead(), 'dead')
  leaveLock(directory, 'of elsewhere', ELSEWHERE, 'elsewhere')
  await other.run('of the living', async () => {
    await sweepLocks(directory, locks)
    t.same(locksIn(directory), ['of elsewhere', 'of the living'])
    t.equal(readdirSync(join(directory, 'processes')).length, 3, 'two of us, and elsewhere')
    await sweepLocks(directory, locks, -1)
    t.same(locksIn(directory), ['of the living'])
    t.equal(readdirSync(join(directory, 'processes')).length, 2)
  })
})

t.test('what vanishes during a sweep is no error', async (t) => {
  const directory = newLockDirectory()
  const dead = await newDead()
  const several = Array.from({ length: 4 }, () => new FileLocks(directory, 5))
  for (let index = 0; index < 30; index++) leaveLock(directory, `name${index}`, dead, `dead${index}`)
  await Promise.all(several.map((locks) => sweepLocks(directory, locks)))
  t.same(locksIn(directory), [])
})
