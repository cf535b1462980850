// Checks the order of the folders, and that the drawing of it in CONTRIBUTING.md is up to date; `--write` draws it.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspectFolders, ROWS } from './folders.ts'

const PAGE = join(import.meta.dirname, '..', 'CONTRIBUTING.md')
const DRAWING = /(?<=<!-- npm run graph -->\n)[\s\S]*(?=<!-- end of the graph -->)/

const { problems, imports } = await inspectFolders()
if (problems.length === 0) compareDrawing()
else fail(problems.join('\n'))

function compareDrawing(): void {
  const page = readFileSync(PAGE, 'utf8')
  if (!DRAWING.test(page)) throw new Error('CONTRIBUTING.md has no place for the graph.')
  const drawn = page.replace(DRAWING, () => draw(imports))
  if (process.argv.includes('--write')) writeFileSync(PAGE, drawn)
  else if (drawn !== page) fail('The graph in CONTRIBUTING.md is not that of lib/: run `npm run graph`.')
}

function fail(message: string): void {
  console.error(message)
  process.exitCode = 1
}

function draw(imports: ReadonlyMap<string, ReadonlySet<string>>): string {
  const places = ROWS.flat().toReversed()
  const arrows = places.flatMap((from) => {
    const targets = directOf(from, imports)
    return places.filter((to) => targets.has(to)).map((to) => `  ${from} --> ${to}`)
  })
  return ['```mermaid', 'flowchart TD', ...arrows, '```', ''].join('\n')
}

/** What a folder imports from, without what it reaches by another one: there would be too many arrows to read. */
function directOf(from: string, imports: ReadonlyMap<string, ReadonlySet<string>>): Set<string> {
  const targets = imports.get(from) ?? new Set()
  const indirect = new Set([...targets].flatMap((to) => [...reachedFrom(to, imports)]))
  return new Set([...targets].filter((to) => !indirect.has(to)))
}

function reachedFrom(from: string, imports: ReadonlyMap<string, ReadonlySet<string>>): Set<string> {
  const targets = imports.get(from) ?? new Set<string>()
  return new Set([...targets, ...[...targets].flatMap((to) => [...reachedFrom(to, imports)])])
}
