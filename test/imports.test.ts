import { readdirSync, readFileSync } from 'node:fs'
import { join, normalize } from 'node:path'
import t from 'tap'

// From the ground up. A folder, or a file beside the folders, imports from its own row and from rows above it in this list.
const ROWS: readonly (readonly string[])[] = [
  ['crypto', 'errors'],
  ['format'],
  ['data', 'util', 'owners'],
  ['cookie', 'stores'],
  ['options'],
  ['transport'],
  ['diagnostics'],
  ['request'],
  ['guard', 'cli'],
  ['plugin', 'inspector'],
  ['login', 'index'],
  ['testing']
]

const ROOT = join(import.meta.dirname, '..')

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.startsWith('test/'))
    .map((file) => `${folder}/${file}`)
}

function placeOf(file: string): string {
  return file
    .replace(/^lib\//, '')
    .replace(/\.ts$/, '')
    .split('/')[0] as string
}

function rowOf(file: string): number {
  return ROWS.findIndex((places) => places.includes(placeOf(file)))
}

/** Violations of the order in one file. */
function violations(file: string, text: string): string[] {
  if (rowOf(file) === -1) return [`${file} has no row`]
  return [...text.matchAll(/from '(\.[^']+)'/g)].flatMap(([, path = '']) => {
    const target = normalize(join(file, '..', path))
    if (target.startsWith('types/') || rowOf(target) <= rowOf(file)) return []
    return [`${file} must not import ${path}`]
  })
}

t.test('folders import from their own row and from rows below', async (t) => {
  t.same(
    sources('lib').flatMap((file) => violations(file, readFileSync(join(ROOT, file), 'utf8'))),
    []
  )
  t.same([...new Set(sources('lib').map(placeOf))].sort(), ROWS.flat().toSorted(), 'every row names what exists')
})

t.test('the check can fail', async (t) => {
  t.equal(violations('lib/data/snapshot.ts', "import { x } from '../request/manager.ts'").length, 1)
  t.equal(violations('lib/request/manager.ts', "import { x } from '../data/snapshot.ts'").length, 0)
  t.equal(violations('lib/unknown.ts', '').length, 1)
})

t.test('types import no code', async (t) => {
  for (const file of sources('types')) {
    t.notMatch(readFileSync(join(ROOT, file), 'utf8'), /from '[./]*lib\//, file)
  }
})

t.test('every source has a test of its own name', async (t) => {
  const typesOnly = ['lib/format/format.ts', 'lib/transport/transport.ts']
  for (const file of sources('lib').filter((file) => !typesOnly.includes(file))) {
    const own = file.replace(/^lib\//, 'test/').replace(/\.ts$/, '.test.ts')
    t.doesNotThrow(() => readFileSync(join(ROOT, own)), own)
  }
})
