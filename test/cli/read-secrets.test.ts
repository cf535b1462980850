import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { readSecrets } from '../../lib/cli/read-secrets.ts'
import { OTHER_SECRET, SECRET } from '../helpers/app.ts'

async function read(files: string[], env: Record<string, string>): Promise<string[]> {
  return (await readSecrets(files, env)).map((bytes) => Buffer.from(bytes).toString())
}

t.test('files come before SESSION_SECRETS, and those before SESSION_SECRET', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'secrets-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'secret')
  writeFileSync(file, `${SECRET}-file\n`)
  const one = { SESSION_SECRET: SECRET }
  const several = { ...one, SESSION_SECRETS: `${OTHER_SECRET}, ${SECRET}` }
  t.same(await read([], {}), [])
  t.same(await read([], { SESSION_SECRET: '', SESSION_SECRETS: '' }), [])
  t.same(await read([], one), [SECRET])
  t.same(await read([], several), [OTHER_SECRET, SECRET])
  t.same(await read([file], several), [`${SECRET}-file`])
  t.same(await read([file, file], {}), [`${SECRET}-file`, `${SECRET}-file`])
})

t.test('a wrong secret is called by its name, and not shown', async (t) => {
  await t.rejects(read([], { SESSION_SECRET: 'short' }), {
    message: /^SESSION_SECRET must have at least 32 characters/
  })
  await t.rejects(read([], { SESSION_SECRETS: `${SECRET},short` }), {
    message: /^Number 2 of SESSION_SECRETS must have at least 32/
  })
  await t.rejects(read(['/nowhere/secret'], {}), { message: '--secret-file /nowhere/secret cannot be read: ENOENT.' })
})
