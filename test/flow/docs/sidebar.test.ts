import t from 'tap'
import { SECTIONS, summaryOf } from '../../../site/.vitepress/pages.ts'
import { filesOf, read } from '../../helpers/pages.ts'

const PAGES = filesOf('docs', '.md')

t.test('the sidebar of the site has every page once', async (t) => {
  const listed = SECTIONS.flatMap(({ pages }) => pages).map((page) => `docs/${page}.md`)
  t.same(listed.sort(), [...PAGES].sort())
})

t.test('every page has one title, and says in its first paragraph what it is about', async (t) => {
  for (const page of PAGES) {
    t.equal(
      read(page)
        .replace(/^```[\s\S]*?^```$/gm, '')
        .match(/^# /gm)?.length,
      1,
      `${page}: titles`
    )
    const summary = summaryOf(page)
    t.ok(summary.length >= 30 && summary.length <= 170, `${page}: ${summary}`)
    t.notMatch(summary, /[[\]`|]|\(http/, page)
  }
  t.equal(new Set(PAGES.map(summaryOf)).size, PAGES.length)
})
