import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { SITE } from '../../../lib/util/site.ts'
import { brokenLinks, linksOf } from '../../../tools/links.ts'
import { filesOf, PAGES, ROOT, read } from '../../helpers/pages.ts'

const SOURCES = filesOf('lib', '.ts')

/** What may be there, also folders and pictures. */
function readIfThere(file: string): string | undefined {
  if (!existsSync(join(ROOT, file))) return undefined
  return statSync(join(ROOT, file)).isDirectory() ? '' : read(file)
}

t.test('every link of a page or a message leads to a page and a heading that are there', async (t) => {
  const count = (files: readonly string[]): number => files.flatMap((file) => linksOf(file, read(file))).length
  t.ok(count(PAGES) > 300, `${count(PAGES)} links of pages`)
  t.ok(count(SOURCES) >= 2, `${count(SOURCES)} links of messages`)
  t.same(brokenLinks([...PAGES, ...SOURCES], readIfThere), [])
})

t.test('the links of the README are absolute, and pages link to each other', async (t) => {
  for (const link of linksOf('README.md', read('README.md'))) t.match(link, /^https:/)
  for (const page of PAGES.filter((page) => page.startsWith('docs/'))) {
    for (const link of linksOf(page, read(page)).filter((link) => !/^(https?:|#)/.test(link))) {
      const { pathname } = new URL(link, `file:///${page}`)
      t.ok(pathname.startsWith('/docs/'), `${page}: the package has no ${link}`)
      t.notOk(link.startsWith(SITE), `${page}: ${link}`)
    }
  }
})

t.test('no message names a page by its file, which its reader does not have', async (t) => {
  for (const file of SOURCES) t.notMatch(read(file).replace(/^\s*(\/\/|\/?\*).*$/gm, ''), 'docs/', file)
})

t.test('a link that leads nowhere is noticed', async (t) => {
  const files: Record<string, string> = {
    'README.md': `[a](${SITE}/none) [b](${SITE}/login#none) [c](${SITE}/login#remember-me) [d](none.md) [e](#none) [h](${SITE}/stores/)`,
    'docs/login.md': '# Login\n\n## Remember me\n\n```md\n[code](none.md)\n```\n[f](stores/none.md) [g](../README.md)',
    'lib/a.ts': ['const text = `see $', '{SITE}/errors`'].join('')
  }
  t.same(
    brokenLinks(Object.keys(files), (file) => files[file]),
    [
      `README.md links to ${SITE}/none`,
      `README.md links to ${SITE}/login#none`,
      'README.md links to none.md',
      'README.md links to #none',
      `README.md links to ${SITE}/stores/`,
      'docs/login.md links to stores/none.md',
      `lib/a.ts links to ${SITE}/errors`
    ]
  )
})
