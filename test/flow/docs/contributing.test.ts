import t from 'tap'
import { read } from '../../helpers/pages.ts'

t.test('CONTRIBUTING.md has the table of test/imports.test.ts, and a line for each file', async (t) => {
  const page = read('CONTRIBUTING.md')
  const [, table = ''] = read('test/imports.test.ts').split('const ROWS')
  const rows = [...(table.split('\n]\n', 1)[0] ?? '').matchAll(/^ {2}\[(?:[^\n]+\]|\n.*?\n {2}\]),?$/gms)]
  t.ok(rows.length > 5)
  const [, files = ''] = page.split('| file | |')
  // In a line whose first file has its folder, those after it may do without.
  const described = [...files.matchAll(/^\| (`.*?`) \|/gm)].flatMap(([, cell = '']) => {
    const [first = '', ...others] = cell.replaceAll('`', '').split(', ')
    const folder = first.slice(0, first.lastIndexOf('/') + 1)
    return [first, ...others.map((name) => (name.includes('/') ? name : folder + name))]
  })
  rows.forEach(([row], index) => {
    const names = [...row.matchAll(/'([^']+)'/g)].map(([, name = '']) => name)
    t.ok(page.includes(`\n| ${index} | ${names.map((name) => `\`${name}\``).join(', ')} |\n`), `row ${index}`)
    for (const name of names) t.ok(described.includes(name), name)
  })
})
