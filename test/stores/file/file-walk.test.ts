import { writeFileSync } from 'node:fs'
import t from 'tap'
import { NO_SESSION } from '../../../lib/data/no-session.ts'
import { FileWalk } from '../../../lib/stores/file/file-walk.ts'
import { newFileParts } from '../../helpers/file-sessions.ts'

t.test('it goes through the files in the order of their names, and leaves out what is no live session', async (t) => {
  const { files, sessions, add, advance, pathOf } = newFileParts()
  const walk = new FileWalk(files, sessions)
  t.same(await walk.entries(undefined, 5), { found: [], next: undefined })
  const keys: string[] = []
  for (let count = 0; count < 20; count++) {
    keys.push(await add({ ownerId: 'ada' }))
    await add({ extensions: NO_SESSION })
  }
  const damaged = await add()
  writeFileSync(pathOf(damaged), 'damaged')
  await add({}, 10)
  advance(11)
  const found: string[] = []
  let [cursor, steps]: [string | undefined, number] = [undefined, 0]
  do {
    const step: Awaited<ReturnType<FileWalk['entries']>> = await walk.entries(cursor, 7)
    t.ok(step.found.length <= 7)
    found.push(...step.found.map(({ key }) => key))
    cursor = step.next
    steps++
  } while (cursor !== undefined)
  t.equal(steps, 3)
  const order = (key: string): string => Buffer.from(`${key}A`, 'base64url').toString('hex')
  t.same(
    found,
    keys.toSorted((a, b) => (order(a) < order(b) ? -1 : 1))
  )
  t.same(await walk.count(undefined), { found: 20, next: undefined })
})

t.test('a step has its limits', async (t) => {
  const { files, sessions, locks, add } = newFileParts()
  const walk = new FileWalk(files, sessions)
  for (let count = 0; count < 501; count++) await add({ extensions: NO_SESSION })
  const first = await walk.count(undefined)
  t.equal(first.found, 0)
  t.match(first.next, /^[\w-]{43}$/)
  t.same(await walk.count(first.next), { found: 0, next: undefined })
  const removed = await walk.remove(undefined, locks.begin())
  t.equal(removed.found, 500)
  t.same(await walk.remove(removed.next, locks.begin()), { found: 1, next: undefined })
  t.same(await walk.remove(undefined, locks.begin()), { found: 0, next: undefined })
})

t.test('what another process has removed meanwhile does not count', async (t) => {
  const { files, sessions, locks, add } = newFileParts()
  const key = await add()
  const walk = new FileWalk(files, Object.assign(Object.create(sessions), { remove: async () => false }))
  t.same(await walk.remove(undefined, locks.begin()), { found: 0, next: undefined })
  t.not(await sessions.find(key), undefined)
})
