import { join } from 'node:path'
import t from 'tap'
import { openFile } from '../../lib/cli/open-file.ts'
import { openSqlite } from '../../lib/cli/open-sqlite.ts'
import { Tombstones } from '../../lib/owners/tombstones.ts'
import { addressOf, addSession, keyOf, makeDirectory, NOW } from '../helpers/cli-stores.ts'
import { run } from '../helpers/run-cli.ts'

t.test('sessions lists the sessions of an owner, in columns', async (t) => {
  const directory = makeDirectory(t)
  const { store, close } = openFile(addressOf(directory))
  await addSession(store, 'a', 'ana')
  await addSession(store, 'b', 'ana')
  await addSession(store, 'c', 'ben')
  await close()
  const { code, out } = await run(['sessions', 'ana', '--store', `file:${directory}`], { now: NOW * 1000 })
  t.equal(code, 0)
  const [head = '', ...rows] = out.split('\n')
  t.match(head, /^handle +last active +created +expires +description$/)
  t.equal(rows.length, 2)
  for (const row of rows) {
    t.match(row, /^(a{43}|b{43}) +\S+ \(30 s ago\) +\S+ \(60 s ago\) +\S+ \(in 3600 s\) +\{"browser":"Firefox"\}$/)
    t.equal(row.indexOf('{"'), head.indexOf('description'))
  }
  t.notMatch(out, keyOf('c'))
  t.same(await run(['sessions', 'nobody', '--store', `file:${directory}`], { now: NOW * 1000 }), {
    code: 0,
    out: 'This owner has no sessions.',
    err: ''
  })
})

t.test('sessions --all lists those of everybody with their owners, and --count says how many there are', async (t) => {
  const directory = makeDirectory(t)
  const { store, close } = openFile(addressOf(directory))
  const named = `file:${directory}`
  const ask = (flag: string) => run(['sessions', flag, '--store', named], { now: NOW * 1000 })
  t.match(await ask('--all'), { code: 0, out: 'There are no sessions.' })
  t.match(await ask('--count'), { code: 0, out: '0' })
  await addSession(store, 'a', 'ana\n')
  await addSession(store, 'b')
  await new Tombstones(store, 60, () => NOW).add(keyOf('x'), keyOf('a'))
  await close()
  const { out } = await ask('--all')
  const [head = '', ...rows] = out.split('\n')
  t.match(head, /^owner +handle +last active +created +expires +description$/)
  t.match(rows.sort().reverse(), [/^ana\\u000a +a{43} /, /^ +b{43} /])
  t.match(await ask('--count'), { code: 0, out: '2' })
})

t.test('many sessions are printed part by part', async (t) => {
  const path = join(makeDirectory(t), 'sessions.db')
  const { store, close } = await openSqlite(addressOf(path))
  const letters = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']
  const add = async (first: string, second: string, third: string): Promise<void> => {
    const times = { createdAt: NOW, lastSeenAt: NOW, permanent: false }
    const record = { json: '{}', ownerId: 'ana', description: undefined, extensions: undefined, ...times }
    await store.create(`${first}${second}${third}`.padEnd(43, '-'), record, NOW + 3600)
  }
  for (const first of letters)
    for (const second of letters) for (const third of letters) await add(first, second, third)
  const list = async (): Promise<string[]> =>
    (await run(['sessions', '--all', '--store', `sqlite:${path}`], { now: NOW * 1000 })).out.split('\n')
  t.equal((await list()).length, 1001, 'a heading, and no empty page at the end')
  await add('z', 'z', 'z')
  const lines = await list()
  t.equal(lines.length, 1002)
  t.match(lines.at(-1), /^ana +zzz-/)
  await close()
})

t.test('a wrong command line is explained', async (t) => {
  for (const args of [[], ['a', 'b'], ['a', '--all'], ['--all', '--count']]) {
    t.match(await run(['sessions', ...args]), { code: 2, err: 'sessions takes exactly one owner, --all, or --count.' })
  }
})
