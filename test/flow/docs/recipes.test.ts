import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { isQuoted, pageBlocks, RECIPES, ROOT, read, recipeFiles } from '../../helpers/pages.ts'

const INDEX = 'docs/recipes/index.md'
const PAGES = RECIPES.filter((page) => page !== INDEX)

t.test('the index leads to every recipe', (t) => {
  t.ok(PAGES.length > 0)
  for (const page of PAGES) t.ok(read(INDEX).includes(`](${basename(page)})`), page)
  t.end()
})

t.test('every recipe has a test', (t) => {
  for (const page of PAGES) t.ok(existsSync(join(ROOT, 'test/recipes', `${basename(page, '.md')}.test.ts`)), page)
  t.end()
})

t.test('all code of a recipe is in its files, which the test runs', (t) => {
  for (const page of PAGES) {
    const files = recipeFiles(read(page)).map(({ code }) => code)
    const code = pageBlocks(read(page)).filter(({ language }) => !['sh', 'console'].includes(language))
    t.ok(code.length > 0, page)
    for (const { code: text, line } of code) t.ok(isQuoted(text, files), `${page}:${line}`)
  }
  t.end()
})
