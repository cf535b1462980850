import t from 'tap'
import { openFile } from '../../lib/cli/open-file.ts'
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

t.test('a wrong command line is explained', async (t) => {
  for (const args of [[], ['a', 'b']]) {
    t.match(await run(['sessions', ...args]), { code: 2, err: 'sessions takes exactly one owner.' })
  }
})
