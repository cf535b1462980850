import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ICruiseResult, IForbiddenRuleType } from 'dependency-cruiser'

const ROOT = join(import.meta.dirname, '..')

/** Folders of `lib/`, and files beside them, from the ground up. Each imports from its own row and from the rows before it. */
export const ROWS: readonly (readonly string[])[] = [
  ['crypto', 'errors'],
  ['format'],
  ['data', 'util', 'endings', 'owners'],
  ['cookie', 'stores', 'schema', 'revocations', 'flask', 'adopt'],
  ['options'],
  ['transport'],
  ['diagnostics'],
  ['request'],
  ['guard'],
  ['plugin', 'inspector'],
  ['login', 'device-bound', 'index'],
  ['testing', 'cli']
]

const RULES: readonly IForbiddenRuleType[] = [
  ...ROWS.slice(0, -1).map(
    (row, index): IForbiddenRuleType => ({
      name: 'imports-upwards',
      severity: 'error',
      from: { path: patternOf(row) },
      to: { path: patternOf(ROWS.slice(index + 1).flat()) }
    })
  ),
  { name: 'types-import-code', severity: 'error', from: { path: '^types/' }, to: { path: '^lib/' } },
  { name: 'circle', severity: 'error', from: {}, to: { circular: true } },
  {
    name: 'circle-of-folders',
    severity: 'error',
    scope: 'folder',
    from: { path: '^lib/' },
    to: { path: '^lib/', circular: true }
  }
]

export interface Folders {
  /** What breaks a rule, as lines of text. */
  readonly problems: readonly string[]
  /** From each folder of `lib/`, or file beside them, to those that it imports from. */
  readonly imports: ReadonlyMap<string, ReadonlySet<string>>
}

/** Reads the imports below `lib/` and `types/`, those of types included. */
export async function inspectFolders(root: string = ROOT): Promise<Folders> {
  const { modules, summary } = await cruiseFolders(root)
  const imports = new Map<string, Set<string>>()
  for (const { source, dependencies } of modules.filter(({ source }) => source.startsWith('lib/'))) {
    const from = placeOf(source)
    const targets = imports.get(from) ?? new Set()
    imports.set(from, targets)
    for (const { resolved } of dependencies) {
      if (resolved.startsWith('lib/') && placeOf(resolved) !== from) targets.add(placeOf(resolved))
    }
  }
  const read = new Set(modules.map(({ source }) => source))
  return {
    imports,
    problems: [
      ...summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`),
      ...[...imports.keys()].filter((place) => !ROWS.flat().includes(place)).map((place) => `no-row: lib/${place}`),
      ...ROWS.flat()
        .filter((place) => !imports.has(place))
        .map((place) => `nothing-there: lib/${place}`),
      ...sourcesOf(root)
        .filter((file) => !read.has(file))
        .map((file) => `not-read: ${file}`)
    ]
  }
}

async function cruiseFolders(root: string): Promise<ICruiseResult> {
  provideCompiler()
  const { cruise } = await import('dependency-cruiser')
  const { output } = await cruise(['lib', 'types'], {
    baseDir: root,
    includeOnly: '^(lib|types)/',
    exclude: '^types/test/',
    // Without it, imports of types alone would not be seen.
    tsPreCompilationDeps: true,
    validate: true,
    ruleSet: { forbidden: [...RULES] }
  })
  if (typeof output === 'string') throw new Error('dependency-cruiser did not return its result as an object.')
  return output
}

/** dependency-cruiser parses with the API of TypeScript's compiler, which TypeScript 7 does not have: it finds TypeScript 6. */
function provideCompiler(): void {
  const modules = join(ROOT, 'node_modules')
  const link = join(modules, 'dependency-cruiser', 'node_modules', 'typescript')
  if (existsSync(link)) return
  mkdirSync(dirname(link), { recursive: true })
  symlinkSync(join(modules, 'typescript-6.0'), link, 'junction')
}

function sourcesOf(root: string): string[] {
  return ['lib', 'types'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !(folder === 'types' && file.startsWith('test/')))
      .map((file) => `${folder}/${file}`)
  )
}

/** The folder of `lib/` that a file is in, or the name of a file beside the folders. */
function placeOf(file: string): string {
  return file.replace(/^lib\//, '').replace(/(\/.*|\.ts)$/, '')
}

function patternOf(places: readonly string[]): string {
  return `^lib/(${places.join('|')})(/|\\.ts$)`
}
