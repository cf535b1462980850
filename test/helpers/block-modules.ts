import type { Block } from './pages.ts'
import { commentBlocks, filesOf, isProgram, isQuoted, isTypeScript, pageBlocks, read } from './pages.ts'

/** A block as a module. */
export interface BlockModule {
  readonly file: string
  /** The block, with the same line numbers as on the page. */
  readonly code: string
  readonly isProgram: boolean
}

/** The folder of the declarations that every block may use. */
export const SURROUNDINGS = 'test/flow/docs-compile'

/** Values that a block may use, and the modules that export them. */
type Names = ReadonlyMap<string, string>

const EXAMPLES = filesOf('example', '.ts').map(read)
const always = namesIn('surroundings')
const withUsers = new Map([...always, ...namesIn('users')])
const withPackage = new Map([...withUsers, ...(await namesInPackage())])

/**
 * Returns the blocks of a page as modules. A program is complete, but for what it imports from files that the page shows above
 * it. Any other block also sees the surroundings, and what the blocks above it import and declare. Quotations from an example are left out, because the example is compiled itself.
 */
export function pageModules(page: string, content: string): BlockModule[] {
  // Only for the login kit: passport declares the same members of a request.
  let names: Names = content.includes("'fastify-typed-session/login'") ? withUsers : always
  const blocks = pageBlocks(content).filter((block) => isTypeScript(block) && !isQuoted(block.code, EXAMPLES))
  return blocks.map((block) => {
    const module = toModule(page, block, names)
    const own = valuesOf(block.code).map(({ name }): [string, string] => [name, `./${block.line}.ts`])
    names = new Map([...names, ...own])
    return module
  })
}

/** Returns the blocks of the doc comments of a source as modules. They need not import what the package exports. */
export function commentModules(source: string, content: string): BlockModule[] {
  const blocks = commentBlocks(content).filter(isTypeScript)
  return blocks.map((block) => toModule(source, block, withPackage))
}

function toModule(source: string, block: Block, names: Names): BlockModule {
  const own = valuesOf(block.code)
  const needed = isProgram(block) ? ownImportsOf(block.code) : [...names.keys()]
  const others = [...names].filter(([name]) => needed.includes(name) && own.every((value) => value.name !== name))
  const imports = others.map(([name, module]) => `import { ${name} } from '${module}'`).join('; ')
  const exported = own.flatMap(({ name, isExported }) => (isExported ? [] : [name])).join(', ')
  // An import of the reader's own file stands for a block above, or for the surroundings.
  const code = block.code.replace(/^import .* from '\.\/.*'$/gm, '')
  return {
    file: `${source}/${block.line}.ts`,
    code: `${imports}${'\n'.repeat(block.line - 1)}${code}\nexport { ${exported} }\n`,
    isProgram: isProgram(block)
  }
}

/** Returns the values that code imports from the reader's own files. */
function ownImportsOf(code: string): string[] {
  return [...code.matchAll(/^import (?!type )([^']+) from '\.\//gm)].flatMap(([, list = '']) => boundBy(list))
}

/** Returns the values that code declares or imports, except from relative paths. A missing one is a compiler error. */
function valuesOf(code: string): { name: string; isExported: boolean }[] {
  const imports = code.matchAll(/^import (?!type )([^']+) from '(?!\.\/)/gm)
  const declarations = code.matchAll(
    /^(export )?(?:declare )?(?:async )?(?:const|let|class|function\*?) (\w+|(?:\{.*?\}|\[.*?\])(?= =))/gm
  )
  return [
    ...[...imports].flatMap(([, list = '']) => boundBy(list).map((name) => ({ name, isExported: false }))),
    ...[...declarations].flatMap(([, exported, list = '']) =>
      boundBy(list).map((name) => ({ name, isExported: exported !== undefined }))
    )
  ]
}

/** Returns the names that a pattern or an import list binds, without types. */
function boundBy(list: string): string[] {
  return list
    .split(/[{}[\],]/)
    .filter((item) => !/^\s*type /.test(item))
    .flatMap((item) => /(\w+)$/.exec(item.replace(/=.*/, '').trim())?.[1] ?? [])
}

/** Returns the exports of a file of the surroundings. */
function namesIn(module: string): Names {
  const values = valuesOf(read(`${SURROUNDINGS}/${module}.ts`)).filter(({ isExported }) => isExported)
  return new Map(values.map(({ name }) => [name, module]))
}

/** Returns the exports of all entry points of the package. */
async function namesInPackage(): Promise<Names> {
  const { name, exports } = JSON.parse(read('package.json')) as { name: string; exports: Record<string, unknown> }
  const names = new Map<string, string>()
  for (const path of Object.keys(exports).filter((path) => path !== './package.json')) {
    const module = name + path.slice(1)
    for (const value of Object.keys(await import(module))) if (value !== 'default') names.set(value, module)
  }
  return names
}
