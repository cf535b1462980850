import type { Block } from './pages.ts'
import { commentBlocks, filesOf, isProgram, isQuoted, isTypeScript, pageBlocks, read } from './pages.ts'

/** A block as a module. */
export interface BlockModule {
  readonly file: string
  /** The block, with its lines where they are on the page. */
  readonly code: string
  readonly isProgram: boolean
}

/** Where the things are that every reader has. */
export const SURROUNDINGS = 'test/flow/docs-compile'

/** Values that a block may use, each with the module that has it. */
type Names = ReadonlyMap<string, string>

const EXAMPLES = filesOf('example', '.ts').map(read)
const always = namesIn('surroundings')
const withUsers = new Map([...always, ...namesIn('users')])
const withPackage = new Map([...withUsers, ...(await namesInPackage())])

/**
 * The blocks of a page. A program has all that it needs. Any other block is a part of one: it sees what the blocks above it
 * import and declare, and the surroundings. What is quoted from an example is left out, because it is compiled there.
 */
export function pageModules(page: string, content: string): BlockModule[] {
  // Not beside passport: it and the login kit declare the same members of a request.
  let names: Names = content.includes("'fastify-typed-session/login'") ? withUsers : always
  const blocks = pageBlocks(content).filter((block) => isTypeScript(block) && !isQuoted(block.code, EXAMPLES))
  return blocks.map((block) => {
    const module = toModule(page, block, names)
    const own = valuesOf(block.code).map(({ name }): [string, string] => [name, `./${block.line}.ts`])
    names = new Map([...names, ...own])
    return module
  })
}

/** The blocks of the doc comments of a source. They are about what the package exports, and need not import it. */
export function commentModules(source: string, content: string): BlockModule[] {
  const blocks = commentBlocks(content).filter(isTypeScript)
  return blocks.map((block) => toModule(source, block, withPackage))
}

function toModule(source: string, block: Block, names: Names): BlockModule {
  const own = valuesOf(block.code)
  const others = isProgram(block) ? [] : [...names].filter(([name]) => own.every((value) => value.name !== name))
  const imports = others.map(([name, module]) => `import { ${name} } from '${module}'`).join('; ')
  const exported = own.flatMap(({ name, isExported }) => (isExported ? [] : [name])).join(', ')
  // What a page calls a file of the reader's stands above as a block, or is in the surroundings.
  const code = block.code.replace(/^import .* from '\.\/.*'$/gm, '')
  return {
    file: `${source}/${block.line}.ts`,
    code: `${imports}${'\n'.repeat(block.line - 1)}${code}\nexport { ${exported} }\n`,
    isProgram: isProgram(block)
  }
}

/** The values that code imports, but from files beside it, or declares. One that is overlooked is an error of the compiler. */
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

/** The names that a pattern, or what stands before `from` in an import, binds: not types. */
function boundBy(list: string): string[] {
  return list
    .split(/[{}[\],]/)
    .filter((item) => !/^\s*type /.test(item))
    .flatMap((item) => /(\w+)$/.exec(item.replace(/=.*/, '').trim())?.[1] ?? [])
}

/** What a file of the surroundings exports. */
function namesIn(module: string): Names {
  const values = valuesOf(read(`${SURROUNDINGS}/${module}.ts`)).filter(({ isExported }) => isExported)
  return new Map(values.map(({ name }) => [name, module]))
}

/** What the package exports, through whichever door. */
async function namesInPackage(): Promise<Names> {
  const { name, exports } = JSON.parse(read('package.json')) as { name: string; exports: Record<string, unknown> }
  const names = new Map<string, string>()
  for (const path of Object.keys(exports).filter((path) => path !== './package.json')) {
    const module = name + path.slice(1)
    for (const value of Object.keys(await import(module))) if (value !== 'default') names.set(value, module)
  }
  return names
}
