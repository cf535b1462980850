import t from 'tap'
import * as errors from '../../../lib/errors.ts'
import { membersOf, PAGES, read } from '../../helpers/pages.ts'

/** The members of a union of literals in types/. */
function literals(file: string): string[] {
  return [...read(file).matchAll(/^ {2}\| '([\w-]+)'/gm)].map(([, literal = '']) => literal)
}

t.test('every option and every attribute of the cookie is described', async (t) => {
  const page = read('docs/options.md')
  const options = [
    ...['CommonSessionOptions', 'CookieSessionOptions', 'StoredSessionOptions'].flatMap((name) =>
      membersOf('types/options.ts', name)
    ),
    ...membersOf('types/schema.ts', 'SchemaOptions')
  ]
  for (const option of ['secret', 'store', 'encrypt', 'schema']) t.ok(options.includes(option), option)
  for (const option of new Set([...options, 'cookieName', 'cookie'])) {
    t.ok(page.includes(`\n## \`${option}\``), option)
    t.ok(page.includes(`\n| \`${option}\` |`), option)
  }
  for (const attribute of membersOf('types/options.ts', 'CookieAttributes')) {
    t.ok(page.includes(`\n| \`${attribute}\` |`), attribute)
  }
})

t.test('every error code has one row, and every reason has its row', async (t) => {
  const codes = literals('types/errors.ts')
  t.ok(codes.length >= 12)
  for (const code of codes) t.equal(read('docs/errors.md').split(`\n| \`${code}\` |`).length, 2, code)
  const reasons = new Set(literals('types/diagnostics.ts'))
  t.ok(reasons.size >= 20)
  for (const reason of reasons) t.ok(read('docs/why-no-cookie.md').includes(`\n| \`${reason}\` |`), reason)
  for (const page of PAGES) {
    const unknown = [...read(page).matchAll(/ERR_SESSION_[A-Z_]+[A-Z]/g)].filter(([code]) => !codes.includes(code))
    t.same(unknown, [], page)
  }
})

t.test('the status of each error that has one is the one in its row', (t) => {
  const rows = [...read('docs/errors.md').matchAll(/^\| `(ERR_SESSION_\w+)` \| (\d+) \|/gm)]
  const actual = Object.values(errors)
    .flatMap((value) => (value.prototype instanceof Error ? [new (value as typeof errors.GoneError)('')] : []))
    .filter(({ statusCode }) => statusCode !== 500)
  t.same(
    rows.map(([, code, status]) => `${code} ${status}`).sort(),
    actual.map(({ code, statusCode }) => `${code} ${statusCode}`).sort()
  )
  t.end()
})

t.test('every test that docs/security.md names is there', async (t) => {
  const table = read('docs/security.md').split('## Requirements and tests')[1] ?? ''
  const files = [...table.matchAll(/`((?:test|lib\/testing)\/[\w./-]+)`(?:: ([^|`]+?))?(?=\s*(?:\||; `))/g)]
  t.ok(files.length > 25, `${files.length} tests`)
  for (const [, file = '', names = ''] of files) {
    for (const name of names.split('; ')) t.ok(read(file).includes(name), `${file}: ${name}`)
  }
})
