import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type * as Tap from 'tap'
import t from 'tap'
import { blocks, ROOT, read, runSnippet } from '../helpers/pages.ts'
import { startProgram } from '../helpers/program.ts'

const PAGE = read('docs/from-flask.md')
const LESSONS = readdirSync(join(ROOT, 'example/lessons'))
  .filter((file) => /^\d+\.ts$/.test(file))
  .map((file) => read(`example/lessons/${file}`))

/** Each TypeScript block of the page is one of these. */
const all = blocks(PAGE, 'ts')
const [declaration = ''] = all.filter((code) => code.startsWith('import type {}'))
const programs = all.filter((code) => code.includes('.listen('))
const snippets = all.filter((code) => code.includes(' // => '))
const quotations = all.filter((code) => ![declaration, ...programs, ...snippets].includes(code))

/** What the compiler says of a program of one file. */
async function compile(t: Tap.Test, name: string, code: string): Promise<string> {
  const config = { extends: join(ROOT, 'tsconfig.json'), files: [name], include: [] }
  // Within the work tree, where the package finds itself by its name.
  const folder = t.testdir({ [name]: code, 'tsconfig.json': JSON.stringify(config) })
  // Not bin/tsc, whose missing extension stops it under tap.
  const tsc = spawn(process.execPath, [join(ROOT, 'node_modules/typescript/lib/tsc.js'), '-p', folder])
  let said = ''
  for (const stream of [tsc.stdout, tsc.stderr]) {
    stream.on('data', (chunk) => {
      said += chunk
    })
  }
  await once(tsc, 'close')
  return said
}

t.test('what is quoted from the lessons stands there', async (t) => {
  const unindented = (code: string): string => code.replace(/^ +/gm, '')
  t.ok(quotations.length >= 12)
  for (const quotation of quotations) {
    t.ok(
      LESSONS.some((lesson) => unindented(lesson).includes(unindented(quotation))),
      quotation
    )
  }
})

t.test('every snippet compiles, and gives what stands behind its arrows', async (t) => {
  const handlers = snippets.map(
    (code, index) => `export async function snippet${index}({ session }: FastifyRequest) {\n${code}}\n`
  )
  const file = [declaration, "import type { FastifyRequest } from 'fastify'\n", ...handlers].join('\n')
  t.equal(await compile(t, 'snippets.ts', file), '')
  t.match(await compile(t, 'snippets.ts', file.replace('nomes: string[]', 'nomes: number[]')), /error TS2322/)
  let arrows = 0
  for (const snippet of snippets) arrows += await runSnippet(t, snippet)
  t.equal(arrows, snippets.join('').match(/ \/\/ => /g)?.length)
  t.ok(arrows > 5)
})

t.test('the program compiles and counts visits', async (t) => {
  const [code = '', ...others] = programs
  t.same(others, [])
  t.equal(await compile(t, 'program.mts', code), '')
  const file = join(t.testdir({ 'program.mts': code }), 'program.mts')
  const program = await startProgram(['--import=tsx', file], { SESSION_SECRET: randomBytes(32).toString('hex') })
  t.teardown(() => program.stop())
  const first = await fetch(`${program.url}`)
  t.equal(await first.text(), 'visit 1')
  const [cookie = ''] = first.headers.getSetCookie()[0]?.split(';', 1) ?? []
  t.equal(await fetch(`${program.url}`, { headers: { cookie } }).then((reply) => reply.text()), 'visit 2')
})

t.test('every row that the README has for Flask is on the page', async (t) => {
  const [, section = ''] = read('README.md').split('### From Flask\n')
  const rows = section.split('\n#', 1)[0]?.match(/^\| .* \|$/gm) ?? []
  t.ok(rows.length > 30)
  for (const row of rows) t.ok(PAGE.includes(`\n${row.replaceAll('](docs/', '](')}\n`), row)
})
