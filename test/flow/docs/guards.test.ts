import t from 'tap'
import { safeNext } from '../../../lib/index.ts'
import { createApp } from '../../helpers/app.ts'
import { startPageProgram } from '../../helpers/page-programs.ts'
import { blocks, membersOf, read } from '../../helpers/pages.ts'
import { assertShown, exchanges } from '../../helpers/transcripts.ts'

const PAGE = read('docs/guards.md')

t.test('the program of docs/guards.md does what its transcripts show', async (t) => {
  const [program = ''] = blocks(PAGE, 'ts')
  const url = await startPageProgram(t, program)
  t.same(
    exchanges('docs/guards.md').map(({ status, path }) => `${status} ${path}`),
    ['401 /orders', '302 /orders?page=2', '303 /login', '200 /orders?page=2', '403 /users']
  )
  await assertShown(t, 'docs/guards.md', url)
})

t.test('the table of docs/guards.md shows what safeNext returns', async (t) => {
  const { app } = await createApp()
  app.get('/', async (request) => safeNext(request))
  const [, table = ''] = PAGE.split('| in `?next=` | `safeNext(request)` |\n')
  const rows = [...(table.split('\n\n', 1)[0]?.matchAll(/^\| (`.+?`(?:, `.+?`)*).*? \| `(.+?)`.* \|$/gm) ?? [])]
  t.equal(rows.length, 7)
  for (const [, addresses = '', expected] of rows) {
    for (const [, address = ''] of addresses.matchAll(/`(.+?)`/g)) {
      t.equal((await app.inject(`/?next=${encodeURIComponent(address)}`)).body, expected, address)
    }
  }
  t.equal((await app.inject('/?next=/a&next=/a')).body, '/', 'two of them')
})

t.test('every option of a guard is described', async (t) => {
  const options = [...membersOf('types/guard.ts', 'GuardOptions'), 'onRefused']
  t.ok(options.length >= 5)
  for (const option of options) t.ok(PAGE.includes(`\n| \`${option}\` |`), option)
})
