import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import t from 'tap'
import {
  codeOf,
  Disk,
  IS_POSIX,
  removeEntry,
  removeIfEmpty,
  unlessMissing,
  walk
} from '../../../lib/stores/file/disk.ts'

function newDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'session-disk-'))
}

/** Counts the calls of `sync` of every file and directory since the last count. */
async function countSyncs(t: Test): Promise<() => number> {
  const handle = await open(newDirectory())
  const prototype: FileHandle = Object.getPrototypeOf(handle)
  await handle.close()
  const syncs = t.capture(prototype, 'sync', prototype.sync)
  return () => syncs().length
}

for (const fsync of [false, true]) {
  t.test(`files and directories, ${fsync ? 'with' : 'without'} fsync`, async (t) => {
    const syncs = await countSyncs(t)
    const disk = new Disk(fsync)
    const directory = join(newDirectory(), 'made')
    await disk.makeDirectory(directory)
    await disk.makeDirectory(directory)
    t.equal(syncs(), fsync && IS_POSIX ? 2 : 0)
    const path = join(directory, 'file')
    await disk.write(path, 'text')
    t.equal(readFileSync(path, 'utf8'), 'text')
    t.equal(syncs(), fsync ? 1 : 0)
    if (IS_POSIX)
      t.same(
        [directory, path].map((name) => statSync(name).mode & 0o777),
        [0o700, 0o600]
      )

    await t.rejects(disk.write(path, 'other'), { code: 'EEXIST' })
    t.equal(readFileSync(path, 'utf8'), 'text', 'a file is never overwritten')
    await t.rejects(disk.makeDirectory(join(directory, 'none', 'below')), { code: 'ENOENT' })
    await t.rejects(disk.makeDirectory(join(path, 'below')), { code: 'ENOTDIR' })

    rmSync(directory, { recursive: true })
    await t.resolves(disk.sync(directory), 'a directory that another process has removed')
  })
}

t.test('an entry takes its directory with it if it was the last one', async (t) => {
  const directory = join(newDirectory(), 'owner')
  mkdirSync(directory)
  for (const name of ['a', 'b']) writeFileSync(join(directory, name), '')
  await removeEntry(directory, 'a')
  t.same(readdirSync(directory), ['b'])
  await removeEntry(directory, 'no such entry')
  await removeIfEmpty(directory)
  t.same(readdirSync(directory), ['b'])
  await removeEntry(directory, 'b')
  t.notOk(existsSync(directory))
  await t.resolves(removeIfEmpty(directory), 'once more')
})

t.test('a walk finds the wanted names in the directories that spread them', async (t) => {
  const directory = newDirectory()
  for (const part of ['ab', 'cd', 'other']) mkdirSync(join(directory, part))
  for (const name of ['ab/ab1', 'ab/note', 'cd/cd1', 'other/ot1']) writeFileSync(join(directory, name), '')
  writeFileSync(join(directory, '.DS_Store'), '')
  const found: string[] = []
  for await (const name of walk(directory, (name) => name.endsWith('1'))) found.push(name)
  t.same(found, ['ab1', 'cd1'])
  const walkAfter = async (after: string): Promise<string[]> => {
    const later: string[] = []
    for await (const name of walk(directory, () => true, after)) later.push(name)
    return later
  }
  t.same(await walkAfter('ab1'), ['note', 'cd1'])
  t.same(await walkAfter('cd0'), ['cd1'])
  t.same(await walkAfter('zz'), [])
})

t.test('what does not exist is undefined, and any other error is an error', async (t) => {
  const missing = Object.assign(new Error('no'), { code: 'ENOENT' })
  const denied = Object.assign(new Error('no'), { code: 'EACCES' })
  t.equal(await unlessMissing(Promise.resolve(7)), 7)
  t.equal(await unlessMissing(Promise.reject(missing)), undefined)
  await t.rejects(unlessMissing(Promise.reject(denied)), denied)
  t.equal(codeOf(denied), 'EACCES')
})
