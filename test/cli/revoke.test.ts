import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type * as Tap from 'tap'
import t from 'tap'
import { openFile } from '../../lib/cli/open-file.ts'
import type { SessionStore } from '../../lib/index.ts'
import { Tombstones } from '../../lib/owners/tombstones.ts'
import { toFileName } from '../../lib/stores/file/names.ts'
import { addressOf, addSession, keyOf, makeDirectory, NOW } from '../helpers/cli-stores.ts'
import { run } from '../helpers/run-cli.ts'

/** Returns a command line for a store with two sessions of Ana and one of Ben, and who has sessions there. */
async function prepare(t: Tap.Test): Promise<{
  revoke: (args: string[], answer?: string) => ReturnType<typeof run>
  owners: () => Promise<string[]>
  directory: string
  store: SessionStore
}> {
  const directory = makeDirectory(t)
  const { store, close } = openFile(addressOf(directory))
  t.teardown(close)
  await addSession(store, 'a', 'ana')
  await addSession(store, 'b', 'ana')
  await addSession(store, 'c', 'ben')
  return {
    directory,
    store,
    revoke: (args, answer) =>
      run(['revoke', ...args, '--store', `file:${directory}`], {
        now: NOW * 1000,
        ...(answer !== undefined && { answer })
      }),
    owners: async () =>
      [...(await store.list('ana')), ...(await store.list('ben'))].map(({ ownerId }) => String(ownerId))
  }
}

t.test('revoke ends the sessions of an owner', async (t) => {
  const { revoke, owners } = await prepare(t)
  t.match(await revoke(['ana']), { code: 0, out: 'Ended 2 sessions of this owner.' })
  t.same(await owners(), ['ben'])
  t.match(await revoke(['nobody']), { code: 0, out: 'Ended 0 sessions of this owner.' })
})

t.test('revoke ends the session with a handle; what only looks like one is an owner', async (t) => {
  const { revoke, owners } = await prepare(t)
  t.match(await revoke([keyOf('a')]), { code: 0, out: 'Ended the session with this handle.' })
  t.same(await owners(), ['ana', 'ben'])
  t.match(await revoke([keyOf('x')]), { code: 0, out: 'Ended 0 sessions of this owner.' })
})

t.test('revoke ends a damaged session, and one that has just got a new id', async (t) => {
  const { revoke, owners, directory, store } = await prepare(t)
  await new Tombstones(store, 60, () => NOW).add(keyOf('x'), keyOf('c'))
  t.match(await revoke([keyOf('x')]), { code: 0, out: 'Ended the session with this handle.' })
  t.same(await owners(), ['ana', 'ana'])
  for (const { name, parentPath } of readdirSync(join(directory, 'sessions'), {
    recursive: true,
    withFileTypes: true
  })) {
    if (name === toFileName(keyOf('a'))) writeFileSync(join(parentPath, name), 'damaged')
  }
  t.match(await revoke([keyOf('a')]), { code: 0, out: 'Ended the session with this handle.' })
  t.equal(await store.load(keyOf('a')), undefined)
})

t.test('revoke --all asks before it ends everything', async (t) => {
  const { revoke, owners } = await prepare(t)
  t.match(await revoke(['--all'], 'no'), { code: 1, err: 'Nothing was ended.' })
  t.match(await revoke(['--all']), { code: 2, err: 'Nobody can be asked here: say --yes.' })
  t.equal((await owners()).length, 3)
  t.match(await revoke(['--all'], ' Yes\n'), {
    code: 0,
    out: /This ends every session.*\nEverybody is logged out\. Removed 3 /
  })
  t.same(await owners(), [])
})

t.test('revoke --all --yes does not ask', async (t) => {
  const { revoke, owners } = await prepare(t)
  t.match(await revoke(['--all', '--yes'], 'no'), { code: 0, out: /^Everybody is logged out/ })
  t.same(await owners(), [])
})

t.test('a wrong command line is explained', async (t) => {
  const { revoke } = await prepare(t)
  for (const args of [[], ['a', 'b'], ['a', '--all']]) {
    t.match(await revoke(args), { code: 2, err: 'revoke takes exactly one owner, one handle of a session, or --all.' })
  }
})
