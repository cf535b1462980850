import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { text } from 'node:stream/consumers'
import type * as Tap from 'tap'
import t from 'tap'
import type { BlockModule } from '../helpers/block-modules.ts'
import { commentModules, pageModules, SURROUNDINGS } from '../helpers/block-modules.ts'
import { commentBlocks, filesOf, GUIDES, pageBlocks, ROOT, read } from '../helpers/pages.ts'

const SOURCES = [...filesOf('lib', '.ts'), ...filesOf('types', '.ts').filter((file) => !file.startsWith('types/test/'))]

/** Each program alone, and the other modules together: they bring along those that they use. */
function group(modules: readonly BlockModule[]): BlockModule[][] {
  const parts = modules.filter(({ isProgram }) => !isProgram)
  const programs = modules.filter(({ isProgram }) => isProgram).map((program) => [program])
  return parts.length === 0 ? programs : [parts, ...programs]
}

/** Compiles groups of modules, each for itself, in one go. Gives the errors, as `page(line,column): …`. */
async function compile(t: Tap.Test, groups: readonly (readonly BlockModule[])[]): Promise<string[]> {
  // Within the work tree, where the package finds itself by its name.
  const folder = t.testdir({})
  const settings = relative(folder, join(ROOT, SURROUNDINGS, 'tsconfig.json'))
  const configs = groups.map((modules, index) => {
    for (const { file, code } of modules) {
      mkdirSync(join(folder, dirname(file)), { recursive: true })
      writeFileSync(join(folder, file), code)
    }
    const config = { extends: settings, files: modules.map(({ file }) => file), include: [] }
    writeFileSync(join(folder, `${index}.json`), JSON.stringify(config))
    return `${index}.json`
  })
  // Not bin/tsc, whose missing extension stops it under tap. One checker for each group: they are small.
  const parameters = [join(ROOT, 'node_modules/typescript/lib/tsc.js'), '-b', '--checkers', '1', ...configs]
  const tsc = spawn(process.execPath, parameters, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  const [output, [status]] = await Promise.all([text(tsc.stdout), once(tsc, 'close')])
  // The lines of an error but for the first are indented.
  const errors = output.split(/\n(?! )/).filter((error) => error !== '')
  t.equal(status === 0, errors.length === 0, `exit ${status}`)
  return [...new Set(errors.map((error) => error.replace(/\/\d+\.ts\(/, '(')))]
}

t.test('every block of TypeScript compiles', async (t) => {
  const pages = GUIDES.map((page) => pageModules(page, read(page)))
  const comments = SOURCES.flatMap((source) => commentModules(source, read(source)))
  t.ok(pages.flat().length > 90, `${pages.flat().length} blocks of pages`)
  t.ok(comments.length > 30, `${comments.length} blocks of doc comments`)
  t.same(await compile(t, [...pages, comments].flatMap(group)), [])
})

t.test('no block of TypeScript has another name, and what must not compile in one says why', async (t) => {
  const blocks = [
    ...GUIDES.flatMap((page) => pageBlocks(read(page))),
    ...SOURCES.flatMap((source) => commentBlocks(read(source)))
  ]
  const languages = new Set(blocks.map(({ language }) => language.split(' ', 1)[0]))
  t.same([...languages].sort(), ['console', 'js', 'json', 'md', 'mermaid', 'python', 'sh', 'sql', 'text', 'ts'])
  const marks = blocks.flatMap(({ code }) => code.match(/@ts-.*/g) ?? [])
  t.ok(marks.length > 0)
  for (const mark of marks) t.match(mark, /^@ts-expect-error: ./)
})

/** What is broken, and what the compiler says. */
const BROKEN: readonly (readonly [file: string, from: string, to: string, code: string])[] = [
  // A program finds nothing around it.
  ['README.md', "import session from 'fastify-typed-session'\n", '', 'TS2304'],
  ['docs/options.md', 'session.visits', 'session.visit', 'TS2551'],
  // What stands below is not there yet.
  ['docs/concurrency.md', "app.post('/address'", "testStore\napp.post('/address'", 'TS2304'],
  // Nothing is wrong where an error is expected.
  ['docs/typescript.md', "domain: 'example.com'", "path: '/'", 'TS2578'],
  // It is no quotation any more.
  ['docs/from-flask.md', "session.role = 'admin'", 'session.role = 1', 'TS2339'],
  [
    'lib/stores/file/index.ts',
    ' * const store = new FileStore({ directory:',
    ' * const store = new FileStore({ folder:',
    'TS2353'
  ]
]

t.test('a block that does not compile is noticed', async (t) => {
  const modules = BROKEN.map(([file, from, to]) => {
    const content = read(file)
    t.ok(content.includes(from), file)
    return (file.endsWith('.md') ? pageModules : commentModules)(file, content.replace(from, to))
  })
  const errors = await compile(t, modules.flatMap(group))
  for (const [file, , , code] of BROKEN) {
    const isNoticed = errors.some((error) => error.startsWith(`${file}(`) && error.includes(`: error ${code}: `))
    t.ok(isNoticed, `${file}: ${code}`)
  }
})
