import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openFile } from '../../lib/cli/open-file.ts'
import { addressOf, addSession, checkEndAll, makeDirectory } from '../helpers/cli-stores.ts'

t.test('all sessions of a directory end, and expired ones are removed', async (t) => {
  const opened = openFile(addressOf(makeDirectory(t)))
  const other = openFile(addressOf(makeDirectory(t)))
  t.equal(opened.migrate, undefined)
  await checkEndAll(t, opened, other)
  await addSession(opened.store, 'd', 'ana', -1)
  t.equal(await opened.prune?.(), 1)
  await Promise.all([opened.close(), other.close()])
})

t.test('a command that only looks creates no directory', async (t) => {
  const path = join(makeDirectory(t), 'nowhere')
  t.throws(() => openFile(addressOf(path, { mayCreate: false })), { exitCode: 2, message: /no directory sessions/ })
  t.notOk(existsSync(path))
})
