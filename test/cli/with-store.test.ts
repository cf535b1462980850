import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { makeDirectory } from '../helpers/cli-stores.ts'
import { run } from '../helpers/run-cli.ts'
import { freePort } from '../helpers/service.ts'

t.test('the store is that of --store, or else of SESSION_STORE', async (t) => {
  const directory = makeDirectory(t)
  for (const store of [
    `sqlite:${join(directory, 'a.db')}`,
    `sqlite:${pathToFileURL(join(directory, 'b.db')).href.slice('file:'.length)}`,
    `file:${join(directory, 'c')}`,
    pathToFileURL(join(directory, 'd')).href
  ]) {
    t.match(await run(['migrate', '--store', store]), { code: 0 }, store)
    t.match(await run(['prune'], { env: { SESSION_STORE: store } }), { code: 0, out: 'Removed 0 expired.' }, store)
  }
})

t.test('a wrong address is explained, and never shown', async (t) => {
  const FORMS =
    'sqlite:sessions.db, file:sessions, redis://localhost, postgres://user@localhost/shop, or mysql://user@localhost/shop'
  for (const args of [[], ['--store', '']]) {
    t.match(await run(['prune', ...args]), { code: 2, err: `Say which store by --store or SESSION_STORE: ${FORMS}` })
  }
  for (const store of ['sessions.db', 'sqlite:', 'mongodb://user:password@host', 'toString:x']) {
    const { code, err } = await run(['prune', '--store', store])
    t.match({ code, err }, { code: 2, err: `--store must have one of these forms: ${FORMS}` }, store)
    t.notMatch(err, 'password')
  }
  for (const scheme of ['file', 'sqlite']) {
    for (const path of ['sessions.db', 'password@[', '/var/a%2Fb']) {
      const { code, err } = await run(['prune', '--store', `${scheme}://${path}`])
      t.match({ code, err }, { code: 2, err: `Write ${scheme}:path, or ${scheme}:///path from the root.` }, path)
      t.notMatch(err, 'password')
    }
  }
  t.match(await run(['prune', '--store', 'file:x', '--table', 'y']), {
    code: 2,
    err: '--table means nothing for a store of the form file:'
  })
  t.match(await run(['prune', '--store', 'sqlite:x', '--prefix', 'y']), { code: 2, err: '--prefix means nothing' })
})

t.test('a store that fails is no mistake in the command line', async (t) => {
  const port = await freePort()
  for (const url of [
    `postgres://ana:hunter2@127.0.0.1:${port}/x`,
    `mysql://ana:hunter2@127.0.0.1:${port}/x`,
    `redis://:hunter2@127.0.0.1:${port}`
  ]) {
    const { code, err } = await run(['sessions', 'ana', '--store', url])
    t.match({ code, err }, { code: 1, err: /^The store failed: .*ECONNREFUSED/ })
    t.notMatch(err, /hunter2|--help/)
  }
  const { code, err } = await run(['prune', '--store', `postgres://ana:hunter2@localhost:${port}/x`])
  t.match({ code, err }, { code: 1, err: /^The store failed: .*ECONNREFUSED/ }, 'also at several addresses')
})

t.test('a table that cannot be is refused', async (t) => {
  const store = `sqlite:${join(makeDirectory(t), 'a.db')}`
  t.match(await run(['migrate', '--store', store, '--table', 'a"b']), { code: 2, err: 'The option table' })
})
