import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { pruneSessions } from '../../../lib/stores/file/prune.ts'
import { newKey } from '../../../lib/testing/store-contract/bench.ts'
import { newFileParts } from '../../helpers/file-sessions.ts'

t.test('expired sessions are removed, damaged ones are counted', async (t) => {
  const parts = newFileParts()
  const { add, files, pathOf, advance } = parts
  const [expired, kept, damaged] = [await add({ ownerId: 'ada' }, 10), await add(), await add()]
  writeFileSync(pathOf(damaged), '')
  t.same(await pruneSessions(parts), { expired: 0, damaged: 1 })
  advance(11)
  t.same(await pruneSessions(parts), { expired: 1, damaged: 1 })
  t.same(await Promise.all([expired, kept, damaged].map((key) => files.has(key))), [false, true, true])
})

t.test('the index is made to match the sessions, in both directions', async (t) => {
  const parts = newFileParts()
  const { add, owners } = parts
  const [missing, indexed, gone] = [await add({ ownerId: 'ada' }), await add({ ownerId: 'ada' }), newKey()]
  await owners.remove('ada', missing)
  await owners.add('ada', gone)
  t.same(await pruneSessions(parts), { expired: 0, damaged: 0 })
  t.same((await owners.keys('ada')).sort(), [missing, indexed].sort())
})

t.test('what ends or changes its owner during it is left alone', async (t) => {
  const parts = newFileParts()
  const { add, files, owners, pathOf, advance } = parts
  const [ended, expired, kept] = [await add({ ownerId: 'ada' }), await add({}, 10), await add({ ownerId: 'ada' })]
  await owners.remove('ada', ended)
  await owners.remove('ada', kept)
  advance(11)
  // They go between the look at all sessions and the lock of each.
  const { read } = files
  t.intercept(files, 'read', {
    value: async (key: string) => {
      const file = await read.call(files, key)
      if (key !== kept) rmSync(pathOf(key), { force: true })
      return file
    }
  })
  t.equal((await pruneSessions(parts)).expired, 0)
  t.same(await owners.keys('ada'), [kept])
  t.equal(await files.has(expired), false)
})

t.test('a file that is gone when it is read is nothing', async (t) => {
  const parts = newFileParts()
  const keys = [await parts.add(), await parts.add()]
  const { read } = parts.files
  t.intercept(parts.files, 'read', {
    value: async (key: string) => {
      for (const each of keys) rmSync(parts.pathOf(each), { force: true })
      return read.call(parts.files, key)
    }
  })
  t.same(await pruneSessions(parts), { expired: 0, damaged: 0 })
})

t.test('any other error is one', async (t) => {
  const parts = newFileParts()
  const key = await parts.add()
  rmSync(parts.pathOf(key))
  mkdirSync(parts.pathOf(key))
  await t.rejects(pruneSessions(parts), { code: 'EISDIR' })
})
