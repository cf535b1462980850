import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type * as Tap from 'tap'
import t from 'tap'
import { openFile } from '../../lib/cli/open-file.ts'
import { SECRET } from '../helpers/app.ts'
import { addressOf, addSession, keyOf, makeDirectory, NOW } from '../helpers/cli-stores.ts'
import { ANA, createKitApp, Member } from '../helpers/login-app.ts'
import { run } from '../helpers/run-cli.ts'

/** A store with an encrypted session of Ana, which is remembered, and one of Ben that somebody has put there in plain text. */
async function prepare(t: Tap.Test) {
  const directory = makeDirectory(t)
  const { store, close } = openFile(addressOf(directory))
  t.teardown(close)
  const { app } = await createKitApp(
    { store, encrypt: true, clock: () => NOW * 1000, describe: () => ({ browser: 'Opera' }) },
    { remember: {} }
  )
  t.teardown(() => app.close())
  app.get('/handle', async ({ session }) => session.id)
  const ana = new Member(app)
  await ana.login(ANA.id, { remember: true })
  await addSession(store, 'b', 'ben')
  const cli = (args: string[], env: Record<string, string> = {}): ReturnType<typeof run> =>
    run([...args, '--store', `file:${directory}`], { now: NOW * 1000, env })
  return { ana, app, store, cli, directory, handle: await ana.read('/handle') }
}

t.test('with the secret, descriptions are shown, and with the session what remembers it ends', async (t) => {
  const { ana, cli, handle, directory } = await prepare(t)
  t.match(await cli(['sessions', '--all'], { SESSION_SECRET: SECRET }), {
    code: 0,
    out: /Opera[\s\S]*Firefox|Firefox[\s\S]*Opera/
  })
  const file = join(directory, 'secret')
  writeFileSync(file, SECRET)
  const done = await cli(['revoke', handle, '--secret-file', file])
  t.match(done, { code: 0, out: 'Ended the session with this handle.' })
  t.equal(await ana.read('/who'), 'nobody', 'and the browser is not remembered')
})

t.test(
  'without it, or with another one, a session that does not say what remembers it is not ended alone',
  async (t) => {
    const { ana, cli, handle } = await prepare(t)
    const listed = await cli(['sessions', '--all'])
    t.match(listed, { code: 0, out: /Firefox/ })
    t.notMatch(listed.out, /Opera|m1/)
    for (const env of [{}, { SESSION_SECRET: 'another key, which nobody uses: 7f3a9c' }]) {
      t.match(await cli(['revoke', handle], env as never), { code: 1, err: /^The data of this session are encrypted/ })
    }
    t.equal(await ana.read('/who'), 'Ana')
    t.match(await cli(['revoke', String(ANA.id)]), { code: 0, out: 'Ended 1 sessions of this owner.' })
    t.equal(await ana.read('/who'), 'nobody', 'and the browser is not remembered')
  }
)

t.test('a session that is not encrypted ends with or without a secret', async (t) => {
  for (const env of [{}, { SESSION_SECRET: SECRET }]) {
    const { cli, store } = await prepare(t)
    t.match(await cli(['revoke', keyOf('b')], env as never), { code: 0, out: 'Ended the session with this handle.' })
    t.same(await store.list('ben'), [])
  }
})
