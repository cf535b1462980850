import t from 'tap'
import { CHECKS } from '../../../histories/checks/index.ts'
import { read } from '../../helpers/pages.ts'

const CONCURRENCY = read('docs/concurrency.md')
const RELIABILITY = read('docs/reliability.md')
/** `testRaces` is a suite for a store that is well; the others are checks of `npm run histories`. */
const KNOWN = [...Object.keys(CHECKS), 'testRaces']

/** The rows of the first table below a heading. */
function rowsBelow(page: string, heading: string): string[][] {
  const [, section = ''] = page.split(`\n## ${heading}\n`)
  const [table = ''] = /(?:^\|.*\|\n)+/m.exec(section) ?? []
  return table
    .trim()
    .split('\n')
    .map((line) => line.slice(1, -1).split('|'))
}

function namesIn(text = ''): string[] {
  return [...text.matchAll(/`([\w-]+)`/g)].map(([, name = '']) => name)
}

t.test('each promise of docs/concurrency.md names a check that there is', async (t) => {
  const [head = [], , ...rows] = rowsBelow(CONCURRENCY, 'What is guaranteed')
  t.match(head.at(-1), 'checked by')
  t.ok(rows.length >= 10)
  for (const [promise = '', ...cells] of rows) {
    const names = namesIn(cells.at(-1))
    t.ok(names.length > 0, promise)
    t.same(
      names.filter((name) => !KNOWN.includes(name)),
      [],
      promise
    )
  }
})

t.test('each check holds a promise of docs/concurrency.md', async (t) => {
  for (const name of KNOWN) t.ok(CONCURRENCY.includes(`\`${name}\``), name)
})

t.test('docs/reliability.md says what each check looks for', async (t) => {
  const [, , ...rows] = rowsBelow(RELIABILITY, 'What is checked')
  t.same(
    rows.map(([name]) => namesIn(name).join()),
    Object.keys(CHECKS)
  )
})
