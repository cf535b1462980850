import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { blocks, isQuoted, ROOT, read, runSnippet } from '../helpers/pages.ts'
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

t.test('what is quoted from the lessons stands there', async (t) => {
  t.ok(quotations.length >= 12)
  for (const quotation of quotations) t.ok(isQuoted(quotation, LESSONS), quotation)
})

t.test('every snippet gives what stands behind its arrows', async (t) => {
  let arrows = 0
  for (const snippet of snippets) arrows += await runSnippet(t, snippet)
  t.equal(arrows, snippets.join('').match(/ \/\/ => /g)?.length)
  t.ok(arrows > 5)
})

t.test('the program counts visits', async (t) => {
  const [code = '', ...others] = programs
  t.same(others, [])
  const file = join(t.testdir({ 'program.mts': code }), 'program.mts')
  const program = await startProgram(['--import=tsx', file], { SESSION_SECRET: randomBytes(32).toString('hex') })
  t.teardown(() => program.stop())
  const first = await fetch(`${program.url}`)
  t.equal(await first.text(), 'visit 1')
  const [cookie = ''] = first.headers.getSetCookie()[0]?.split(';', 1) ?? []
  t.equal(await fetch(`${program.url}`, { headers: { cookie } }).then((reply) => reply.text()), 'visit 2')
})

t.test('the page has every name of Flask in one table of three', async (t) => {
  const [, section = ''] = PAGE.split("## Flask's names and ours\n")
  const [tables = ''] = section.split('\n## ', 1)
  t.same(tables.match(/^### .*$/gm), ['### The dict', '### The settings', '### Around it'])
  const names = [...tables.matchAll(/^\| (.*?) \| .* \|$/gm)]
    .map(([, name = '']) => name)
    .filter((name) => name.includes('`'))
  t.ok(names.length > 30, `${names.length} rows`)
  t.equal(new Set(names).size, names.length)
})
