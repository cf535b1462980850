import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { Disk } from '../../../lib/stores/file/disk.ts'
import { fanOut, hashOwner } from '../../../lib/stores/file/names.ts'
import { OwnerIndex } from '../../../lib/stores/file/owner-index.ts'

const [FIRST, SECOND, THIRD] = ['a', 'b', 'c'].map((character) => character.repeat(42).concat('A')) as [
  string,
  string,
  string
]

function newIndex(): { directory: string; index: OwnerIndex } {
  const directory = mkdtempSync(join(tmpdir(), 'session-owners-'))
  return { directory, index: new OwnerIndex(directory, new Disk(false)) }
}

function pathOf(directory: string, ownerId: string): string {
  return fanOut(directory, hashOwner(ownerId))
}

t.test('it holds the keys of each owner', async (t) => {
  const { directory, index } = newIndex()
  for (const key of [FIRST, SECOND, FIRST]) await index.add('ada', key)
  await index.add('eve', THIRD)
  t.same((await index.keys('ada')).sort(), [FIRST, SECOND])
  t.same(await index.keys('eve'), [THIRD])
  t.same(await index.keys('nobody'), [])
  t.same(
    [await index.has('ada', FIRST), await index.has('ada', THIRD), await index.has('nobody', FIRST)],
    [true, false, false]
  )
  await index.remove('ada', FIRST)
  await index.remove('ada', FIRST)
  t.same(await index.keys('ada'), [SECOND])
  await index.remove('ada', SECOND)
  t.notOk(existsSync(pathOf(directory, 'ada')), 'the directory goes with its last key')
  await index.add('ada', FIRST)
  t.same(await index.keys('ada'), [FIRST])
})

t.test('an owner whose directory is removed again and again is an error, and no endless attempt', async (t) => {
  const { directory, index } = newIndex()
  const path = pathOf(directory, 'ada')
  const disk = new Disk(false)
  let [made, removals] = [0, 3]
  t.intercept(disk, 'makeDirectory', {
    value: async (name: string) => {
      await Disk.prototype.makeDirectory.call(disk, name)
      if (name !== path) return
      made++
      if (removals-- > 0) rmSync(path, { recursive: true })
    }
  })
  await new OwnerIndex(directory, disk).add('ada', FIRST)
  t.equal(made, 4, 'as often as another process is faster')
  t.same(await index.keys('ada'), [FIRST])
  ;[made, removals] = [0, 100]
  rmSync(path, { recursive: true })
  await t.rejects(new OwnerIndex(directory, disk).add('ada', FIRST), { code: 'ENOENT' })
  t.equal(made, 10)
})

t.test('an index that is missing as a whole is an error, and not an owner without sessions', async (t) => {
  const { directory, index } = newIndex()
  renameSync(directory, `${directory}-away`)
  await t.rejects(index.keys('ada'), { code: 'ENOENT' })
  await t.rejects(index.add('ada', FIRST), { code: 'ENOENT' })
  writeFileSync(directory, '')
  await t.rejects(index.keys('ada'), { code: 'ENOTDIR' })
  await t.rejects(index.add('ada', FIRST), { code: 'ENOTDIR' })
})

t.test('prune removes the keys that are gone, and asks again while it holds the lock', async (t) => {
  const { directory, index } = newIndex()
  for (const key of [FIRST, SECOND, THIRD]) await index.add('ada', key)
  writeFileSync(join(pathOf(directory, 'ada'), 'note'), 'of somebody else')
  writeFileSync(join(directory, '.DS_Store'), 'of somebody else')
  const gone = new Set([FIRST, SECOND])
  const locked: string[] = []
  await index.prune(
    async (key) => gone.has(key),
    async (key, step) => {
      locked.push(key)
      // It was being created.
      if (key === SECOND) gone.delete(key)
      await step()
    }
  )
  t.same(locked.sort(), [FIRST, SECOND])
  t.same((await index.keys('ada')).sort(), [SECOND, THIRD])
  t.ok(readdirSync(pathOf(directory, 'ada')).includes('note'))
})

t.test('prune removes directories without a key', async (t) => {
  const { directory, index } = newIndex()
  const path = pathOf(directory, 'ada')
  mkdirSync(path, { recursive: true })
  await index.prune(
    async () => true,
    async () => {
      t.fail('nothing to lock')
    }
  )
  t.notOk(existsSync(path))
})
