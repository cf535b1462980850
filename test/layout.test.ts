import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { transformSync } from 'amaro'
import t from 'tap'
import { inspectFolders, ROWS } from '../tools/folders.ts'

const LIB = join(import.meta.dirname, '..', 'lib')

/** What one more file adds to a tree that is in order. */
const MISTAKES: readonly [file: string, text: string, problem: string][] = [
  ['lib/data/a.ts', "import '../request/index.ts'", 'imports-upwards: lib/data/a.ts → lib/request/index.ts'],
  [
    'lib/data/a.ts',
    "import type { A } from '../stores/index.ts'",
    'imports-upwards: lib/data/a.ts → lib/stores/index.ts'
  ],
  ['lib/data/a.ts', "type A = import('../cli/index.ts').A", 'imports-upwards: lib/data/a.ts → lib/cli/index.ts'],
  ['lib/data/a.ts', "await import('../login/index.ts')", 'imports-upwards: lib/data/a.ts → lib/login/index.ts'],
  ['lib/errors.ts', "export * from './plugin.ts'", 'imports-upwards: lib/errors.ts → lib/plugin.ts'],
  ['lib/data/index.ts', "import '../data/index.ts'", 'circle: lib/data/index.ts → lib/data/index.ts'],
  ['lib/helpers/a.ts', '', 'no-row: lib/helpers'],
  ['types/a.ts', "import type { A } from '../lib/data/index.ts'", 'types-import-code: types/a.ts → lib/data/index.ts']
]

function plantTree(root: string, files: Readonly<Record<string, string>>): void {
  const tree = Object.fromEntries(ROWS.flat().map((place) => [pathOf(place), "import '../../types/index.ts'"]))
  for (const [file, text] of Object.entries({ 'types/index.ts': '', ...tree, ...files })) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), text)
  }
}

function pathOf(place: string): string {
  return ['errors', 'index', 'options', 'plugin'].includes(place) ? `lib/${place}.ts` : `lib/${place}/index.ts`
}

t.test('the check of the folders notices each mistake', async (t) => {
  const root = t.testdir()
  plantTree(root, {})
  t.same((await inspectFolders(root)).problems, [], 'every folder may import types')
  for (const [index, [file, text, problem]] of MISTAKES.entries()) {
    const spoiled = join(root, String(index))
    plantTree(spoiled, { [file]: text })
    t.same((await inspectFolders(spoiled)).problems, [problem])
  }
})

t.test('the check of the folders notices a circle of folders in one row', async (t) => {
  const root = t.testdir()
  plantTree(root, {
    'lib/util/a.ts': "import '../owners/a.ts'",
    'lib/owners/a.ts': '',
    'lib/owners/b.ts': "import '../util/b.ts'",
    'lib/util/b.ts': ''
  })
  t.same((await inspectFolders(root)).problems, [
    'circle-of-folders: lib/owners → lib/util',
    'circle-of-folders: lib/util → lib/owners'
  ])
})

t.test('CONTRIBUTING.md has the rows of the check', async (t) => {
  const page = readFileSync(join(LIB, '..', 'CONTRIBUTING.md'), 'utf8')
  t.same(
    [...page.matchAll(/^\| \d+ \| (`.*?`) \|/gm)].map(([, names]) => names),
    ROWS.map((row) => row.map((name) => `\`${name}\``).join(', '))
  )
})

t.test('every source has a test of its own name', async (t) => {
  const sources = readdirSync(LIB, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  const tests = sources.filter((file) => !isExempt(file)).map((file) => `test/${file.replace(/\.ts$/, '.test.ts')}`)
  t.same(
    tests.filter((file) => !existsSync(join(LIB, '..', file))),
    []
  )
  t.ok(tests.length > 0)
})

/** Stories cover `lib/request/` as a whole. A file of types alone has nothing to run. */
function isExempt(file: string): boolean {
  if (file.startsWith('request/')) return true
  const { code } = transformSync(readFileSync(join(LIB, file), 'utf8'), { mode: 'strip-only' })
  return code.replace(/\/\*[\s\S]*?\*\//g, '').trim() === ''
}
