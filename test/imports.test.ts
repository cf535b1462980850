import { readdirSync, readFileSync } from 'node:fs'
import { join, normalize } from 'node:path'
import t from 'tap'

/**
 * Who may import whom: a module imports only from lower rows, types included; everything may import from `types/`. The
 * same table stands in CONTRIBUTING.md.
 */
const ROWS: readonly (readonly string[])[] = [
  [
    ...[
      'errors',
      'random',
      'recent',
      'keys',
      'lifetime',
      'headers',
      'snapshot',
      'when-done',
      'renamed-handles',
      'hidden',
      'local-path'
    ],
    ...['is-navigation', 'codec/base64url', 'codec/hmac', 'codec/xaes', 'codec/envelope', 'store/changes'],
    ...['store/deadline', 'store/prune-timer', 'store/process-identity', 'store/file-format', 'store/express-base'],
    ...['testing/store-contract', 'testing/set-cookie', 'testing/redirect', 'inspector/html', 'inspector/reasons'],
    ...['inspector/stylesheet', 'login/digest', 'login/login-events']
  ],
  [
    ...['check', 'json', 'owner-id', 'codec/codec', 'codec/signed-frame', 'store/file-lock', 'testing/cookie-jar'],
    ...['changed-envelope', 'testing/fake-clock', 'inspector/page', 'upgrades', 'claim-cookie']
  ],
  [
    ...['registry', 'cookie', 'route-config', 'session', 'codec/signed', 'codec/reference', 'codec/encrypted'],
    ...['transport/transport', 'store/memory', 'store/file', 'store/sqlite', 'store/postgres'],
    ...['store/express', 'inspector/options', 'store/guarded', 'store/redis-client']
  ],
  [
    ...['options', 'visit', 'get-session', 'mint', 'transport/by-value', 'transport/by-reference'],
    ...['cookie-serializer', 'login/login-state', 'login/remember-cookie', 'store/redis']
  ],
  [
    ...['trace', 'modes', 'inspect-cookie', 'next-page', 'testing/mint-of', 'inspector/decisions'],
    ...['login/remember-tokens']
  ],
  [
    ...['reply-cookie', 'cli', 'guard', 'testing/read-session', 'inspector/cookie-parts'],
    ...['login/device', 'login/options']
  ],
  ['lifecycle', 'guards-for', 'testing/login-of', 'inspector/inspect', 'login/account'],
  ['plugin', 'guards', 'testing/session-cookie', 'inspector/inspect-session', 'login/login-guards'],
  ['index', 'bin', 'testing/race-suite', 'testing/create-client', 'inspector/inspector', 'login/login'],
  ['testing/index', 'inspector/index', 'login/index']
]

const ROOT = join(import.meta.dirname, '..')

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.startsWith('test/'))
    .map((file) => `${folder}/${file}`)
}

/** Violations of the table in one file. */
function violations(file: string, text: string): string[] {
  const name = file.replace(/^lib\/|\.ts$/g, '')
  const row = ROWS.findIndex((names) => names.includes(name))
  if (row === -1) return [`${file} has no row`]
  return [...text.matchAll(/from '(\.[^']+)'/g)].flatMap(([, path = '']) => {
    const target = normalize(join(file, '..', path)).replace(/\.ts$/, '')
    if (target.startsWith('types/')) return []
    const targetRow = ROWS.findIndex((names) => names.includes(target.replace(/^lib\//, '')))
    return targetRow !== -1 && targetRow < row ? [] : [`${file} must not import ${path}`]
  })
}

t.test('modules import only from lower rows', async (t) => {
  const files = sources('lib')
  t.same(
    files.flatMap((file) => violations(file, readFileSync(join(ROOT, file), 'utf8'))),
    []
  )
  t.equal(files.length, ROWS.flat().length, 'every row names files that exist')
})

t.test('the table in CONTRIBUTING.md is the same', async (t) => {
  const page = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8')
  const written = [...page.matchAll(/^\| (\d+) \| (`.*`) \|$/gm)].map(([, row, names = '']) => [
    Number(row),
    names.replaceAll('`', '').split(', ').sort()
  ])
  t.same(
    written.reverse(),
    ROWS.map((names, row) => [row, names.toSorted()])
  )
})

t.test('the check can fail', async (t) => {
  t.equal(violations('lib/session.ts', "import { x } from './lifecycle.ts'").length, 1)
  t.equal(
    violations('lib/session.ts', "import { x } from './json.ts'\nimport type { Y } from '../types/y.ts'").length,
    0
  )
  t.equal(violations('lib/unknown.ts', '').length, 1)
})

t.test('types import no code', async (t) => {
  for (const file of sources('types')) {
    t.notMatch(readFileSync(join(ROOT, file), 'utf8'), /from '[./]*lib\//, file)
  }
})

t.test('every source has a test of its own name', async (t) => {
  const typesOnly = ['lib/codec/codec.ts', 'lib/transport/transport.ts']
  for (const file of sources('lib').filter((file) => !typesOnly.includes(file))) {
    const own = file.replace(/^lib\//, 'test/').replace(/\.ts$/, '.test.ts')
    t.doesNotThrow(() => readFileSync(join(ROOT, own)), own)
  }
})
