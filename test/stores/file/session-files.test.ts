import { mkdirSync, readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import type { HeldLock } from '../../../lib/stores/file/lock.ts'
import { newKey } from '../../../lib/testing/store-contract/bench.ts'
import { newFileParts, toStored } from '../../helpers/file-sessions.ts'

const HELD: HeldLock = { assertMayWrite: async () => {} }
const LOST: HeldLock = {
  assertMayWrite: async () => {
    throw new Error('lost')
  }
}

t.test('a session is written, replaced, read and removed', async (t) => {
  const { files } = newFileParts()
  const key = newKey()
  t.equal(await files.read(key), undefined)
  t.equal(await files.has(key), false)
  for (const json of ['{"a":1}', '{"a":2}']) {
    const file = toStored(key, { json })
    await files.write(file, HELD)
    t.same(await files.read(key), file)
  }
  t.equal(await files.has(key), true)
  await files.remove(key, HELD)
  t.equal(await files.read(key), undefined)
  await t.rejects(files.remove(key, HELD), { code: 'ENOENT' })
})

t.test('what has to happen before a session exists happens when it is on the disk', async (t) => {
  const { files, directory, add } = newFileParts()
  const key = await add({ json: '{"a":1}' })
  const inBetween: unknown[] = []
  await files.write(toStored(key, { json: '{"a":2}' }), HELD, async () => {
    inBetween.push((await files.read(key))?.json, readdirSync(join(directory, 'temporary')).length)
  })
  t.same(inBetween, ['{"a":1}', 1])
  t.equal((await files.read(key))?.json, '{"a":2}')
  const failing = files.write(toStored(key), HELD, async () => {
    throw new Error('not now')
  })
  await t.rejects(failing, { message: 'not now' })
  t.equal((await files.read(key))?.json, '{"a":2}')
  t.same(readdirSync(join(directory, 'temporary')), [])
})

t.test('nothing changes without the lock, and nothing is left over', async (t) => {
  const { files, directory, add, pathOf } = newFileParts()
  const key = await add({ json: '{"a":1}' })
  await t.rejects(files.write(toStored(key), LOST), { message: 'lost' })
  await t.rejects(files.remove(key, LOST), { message: 'lost' })
  t.equal((await files.read(key))?.json, '{"a":1}')
  rmSync(dirname(pathOf(key)), { recursive: true })
  let checks = 0
  const lostLater: HeldLock = {
    assertMayWrite: async () => {
      if (++checks === 2) throw new Error('lost')
    }
  }
  await t.rejects(files.write(toStored(key), lostLater), { message: 'lost' })
  t.same(readdirSync(join(directory, 'temporary')), [])
  t.equal(await files.has(key), false)
})

t.test('an error that cannot be cleaned up after is told as it is', async (t) => {
  const { files, directory } = newFileParts()
  const temporary = join(directory, 'temporary')
  const vanishing: HeldLock = {
    assertMayWrite: async () => {
      rmSync(temporary, { recursive: true })
      writeFileSync(temporary, '')
    }
  }
  await t.rejects(files.write(toStored(newKey()), vanishing))
})

t.test('a damaged file is an error, and so is a missing disk', async (t) => {
  const { files, directory, add, pathOf } = newFileParts()
  const key = await add()
  writeFileSync(pathOf(key), '')
  await t.rejects(files.read(key), { code: 'ERR_SESSION_UNREADABLE', path: pathOf(key) })
  t.equal(await files.has(key), true)
  renameSync(join(directory, 'sessions'), join(directory, 'away'))
  await t.rejects(files.read(key), { code: 'ENOENT' })
})

t.test('all keys are found, and nothing else', async (t) => {
  const { files, directory, add, pathOf } = newFileParts()
  const keys = [await add(), await add(), await add()]
  writeFileSync(`${pathOf(keys[0] as string)}.bak`, '')
  mkdirSync(join(directory, 'sessions', 'another'))
  const found: string[] = []
  for await (const key of files.keys()) found.push(key)
  t.same(found.toSorted(), keys.toSorted())
  const later: string[] = []
  for await (const key of files.keys(found[0])) later.push(key)
  t.same(later, found.slice(1), 'in an order')
})

t.test('what was left of a write an hour ago is removed, whoever is first', async (t) => {
  const { files, directory } = newFileParts()
  const pathOf = (name: string): string => join(directory, 'temporary', name)
  const names = Array.from({ length: 30 }, (_, index) => `old${index}`)
  for (const name of [...names, 'new']) writeFileSync(pathOf(name), '')
  for (const name of names) utimesSync(pathOf(name), Date.now() / 1000 - 3700, Date.now() / 1000 - 3700)
  await Promise.all([files.pruneTemporary(), files.pruneTemporary(), files.pruneTemporary()])
  t.same(readdirSync(join(directory, 'temporary')), ['new'])
})
