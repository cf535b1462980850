import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { prepareDirectories } from '../../../lib/stores/file/directories.ts'
import { mountDisk, remountDisk } from '../../helpers/disk.ts'

const IS_ROOT = process.getuid?.() === 0

function newDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'session-directories-'))
}

t.test('what is missing is made, for the user alone', async (t) => {
  const directory = join(newDirectory(), 'a', 'b')
  for (let times = 0; times < 2; times++) prepareDirectories(directory, [join(directory, 'c'), join(directory, 'd/e')])
  t.same(
    readdirSync(directory, { recursive: true }).sort(),
    ['c', 'd', 'd/e'].map((path) => join(path))
  )
  if (process.platform !== 'win32') t.equal(statSync(join(directory, 'd/e')).mode & 0o777, 0o700)
})

t.test('a directory that others may enter is refused', { skip: process.platform === 'win32' }, async (t) => {
  for (const mode of [0o755, 0o710, 0o770, 0o701]) {
    const directory = newDirectory()
    chmodSync(directory, mode)
    const found = `has mode 0${mode.toString(8)}`
    t.throws(() => prepareDirectories(directory, []), { code: 'ERR_SESSION_OPTION_INVALID', message: found })
    t.same(readdirSync(directory), [], 'and nothing is written into it')
    chmodSync(directory, 0o700)
    prepareDirectories(directory, [])
  }
})

t.test('a directory of another user is refused', { skip: !IS_ROOT }, async (t) => {
  const directory = newDirectory()
  chownSync(directory, 12345, 12345)
  t.throws(() => prepareDirectories(directory, []), { code: 'ERR_SESSION_OPTION_INVALID', message: 'to user 12345' })
})

t.test('a directory that cannot be made says where and why', async (t) => {
  const directory = join(newDirectory(), 'file', 'below')
  writeFileSync(join(directory, '..'), '')
  t.throws(() => prepareDirectories(directory, []), {
    code: 'ENOTDIR',
    message: `The FileStore could not open its directories in ${directory}: the system reports an error (ENOTDIR).`
  })
})

t.test('a read-only disk is called one', async (t) => {
  const disk = newDirectory()
  if (!mountDisk(t, disk, '64k')) return
  mkdirSync(join(disk, 'there/inside'), { recursive: true, mode: 0o700 })
  remountDisk(disk, 'ro')
  for (const path of ['sessions', 'var/lib/sessions']) {
    const directory = join(disk, path)
    t.throws(() => prepareDirectories(directory, []), {
      code: 'EROFS',
      message: `The FileStore could not open its directories in ${directory}: the disk is read-only (EROFS).`
    })
  }
  const there = join(disk, 'there')
  prepareDirectories(there, [join(there, 'inside')])
  t.throws(() => prepareDirectories(there, [join(there, 'missing')]), { code: 'EROFS' })
})
