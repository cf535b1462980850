import { linkSync, mkdirSync, mkdtempSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { isSameSighting, look } from '../../../lib/stores/file/sighting.ts'

const HOLDER = { token: 'abc', machine: 'here', pid: 7, thread: 8, started: '9' }
const NOBODY = { token: '', machine: '', pid: 0, thread: 0, started: undefined }

function newFile(text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'session-sighting-')), 'file')
  writeFileSync(path, text)
  return path
}

t.test('a lock file names its holder; one that cannot be parsed names nobody', async (t) => {
  t.same((await look(newFile(JSON.stringify(HOLDER))))?.holder, HOLDER)
  for (const text of ['', '{', 'null', '{"pid":0}', '{"pid":-1}', '[]']) {
    t.same((await look(newFile(text)))?.holder, NOBODY, text)
  }
})

t.test('a lock that is not there is not seen', async (t) => {
  t.equal(await look(`${newFile('')}-missing`), undefined)
})

t.test('something else in the place of a lock is an error', async (t) => {
  const path = `${newFile('')}-folder`
  mkdirSync(path)
  await t.rejects(look(path), { code: 'EISDIR' })
})

t.test('a lock is the same until its holder shows a sign of life', async (t) => {
  const path = newFile(JSON.stringify(HOLDER))
  const first = await look(path)
  const again = await look(path)
  if (first === undefined || again === undefined) return t.fail('it is there')
  t.ok(isSameSighting(first, again))
  t.notOk(isSameSighting(first, { ...again, holder: { ...HOLDER, token: 'xyz' } }))
  let now = again
  // The clock of the file system may not have moved on yet.
  while (now.changedAt === again.changedAt) {
    linkSync(path, `${path}-link`)
    unlinkSync(`${path}-link`)
    now = (await look(path)) ?? now
  }
  t.notOk(isSameSighting(first, now))
})
