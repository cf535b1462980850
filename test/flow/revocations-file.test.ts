import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import t from 'tap'
import { FileRevocations } from '../../lib/stores/file/index.ts'
import { readSession } from '../../lib/testing/read-session.ts'
import { sessionCookie } from '../../lib/testing/session-cookie.ts'
import type { LooseOptions, TestApp } from '../helpers/app.ts'
import { createApp } from '../helpers/app.ts'
import { when } from '../helpers/fake-time.ts'

function newDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'session-revocations-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

async function open(t: Test, directory: string, options: LooseOptions = {}): Promise<TestApp> {
  const revocations = new FileRevocations({ directory })
  const made = await createApp({ ...options, clock: () => Date.now(), revocations })
  made.app.get('/name', async ({ session }) => session.name ?? 'nobody')
  made.app.post('/logout', async ({ session }) => session.destroy())
  t.teardown(() => made.app.close())
  return made
}

const statusOf = async ({ app }: TestApp, cookie: string): Promise<string | number> => {
  const { statusCode, body } = await app.inject({ url: '/name', headers: { cookie } })
  return statusCode === 200 ? body : statusCode
}

const logOut = async ({ app }: TestApp, cookie: string): Promise<number> =>
  (await app.inject({ method: 'POST', url: '/logout', headers: { cookie } })).statusCode

t.test('another process knows of a logout when it has asked, and so does one that starts later', async (t) => {
  const directory = newDirectory(t)
  const [here, there] = [await open(t, directory), await open(t, directory)]
  const cookie = await sessionCookie(here.app, { name: 'Ada' })
  t.equal(await statusOf(there, cookie), 'Ada')
  t.equal(await logOut(here, cookie), 200)
  t.equal(await statusOf(here, cookie), 'nobody', 'here at once')
  const start = performance.now()
  await when(async () => (await readSession(there.app, cookie)).reason === 'revoked')
  t.comment(`after ${Math.round(performance.now() - start)} ms`)
  const late = await open(t, directory)
  t.equal((await readSession(late.app, cookie)).reason, 'revoked')
})

t.test('while the directory is away nobody is logged out in vain, and who starts serves nobody', async (t) => {
  const directory = newDirectory(t)
  const here = await open(t, directory, { maxStaleness: 1, onStale: 'refuse' })
  const cookie = await sessionCookie(here.app, { name: 'Ada' })
  renameSync(join(directory, 'locks'), join(directory, 'away'))
  t.equal(await logOut(here, cookie), 503)
  await when(async () => (await statusOf(here, cookie)) === 503)
  renameSync(join(directory, 'away'), join(directory, 'locks'))
  await when(async () => (await statusOf(here, cookie)) === 'Ada')
  t.equal(await logOut(here, cookie), 200)
  t.equal(await statusOf(here, cookie), 'nobody')
})
