import { join } from 'node:path/posix'
import t from 'tap'
import { filesOf, read } from '../../test/helpers/pages.ts'
import { linksOf, SITE } from '../../tools/links.ts'
import { BASE, filesOfSite, readFile } from './site.ts'

const PAGES = filesOfSite('.html')
const FILES = new Set(filesOfSite(''))
const IDS = new Map(PAGES.map((page) => [page, new Set(valuesOf(readFile(page), / id="([^"]*)"/g))]))

function valuesOf(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, value = '']) => value.replaceAll('&amp;', '&'))
}

/** The page at an address of the site, or undefined. */
function pageAt(path: string): string | undefined {
  const file = path.slice(BASE.length + 1)
  return [`${file}.html`, join(file, 'index.html')].find((candidate) => IDS.has(candidate))
}

t.test('every page of docs/ and every entry of the package is there', async (t) => {
  for (const page of filesOf('docs', '.md'))
    t.ok(pageAt(`${BASE}/${page.slice('docs/'.length).replace(/(\bindex)?\.md$/, '')}`), page)
  const { exports } = JSON.parse(read('package.json')) as { exports: Record<string, unknown> }
  for (const entry of Object.keys(exports).filter((entry) => entry !== './package.json')) {
    t.ok(pageAt(`${BASE}/api/${entry === '.' ? 'index' : entry.slice(2)}/`), entry)
  }
  t.ok(pageAt(`${BASE}/api/index/interfaces/SessionMethods`))
})

t.test('every page has a title and a description', async (t) => {
  for (const page of PAGES.filter((page) => page !== '404.html')) {
    const html = readFile(page)
    t.match(html, /<title>.{5,80}<\/title>/, page)
    if (!page.startsWith('api/')) t.match(html, /<meta name="description" content="[^"]{30,}">/, page)
  }
})

t.test('every link within the site leads to a page and a heading that are there', async (t) => {
  let links = 0
  const check = (from: string, href: string): void => {
    const { pathname, hash, host } = new URL(href, `http://site${BASE}/${from.replace(/(index)?\.html$/, '')}`)
    if (host !== 'site') return
    links++
    const page = pageAt(pathname)
    if (page === undefined) t.ok(FILES.has(pathname.slice(BASE.length + 1)), `${from}: ${href}`)
    // The content of a page without a heading is filled in by the browser.
    else if (hash.length > 1) t.ok(IDS.get(page)?.has(decodeURIComponent(hash.slice(1))), `${from}: ${href}`)
  }
  for (const page of PAGES) for (const href of valuesOf(readFile(page), /<a [^>]*href="([^"]*)"/g)) check(page, href)
  for (const link of linksOf('README.md', read('README.md'))) {
    if (link.startsWith(SITE)) check('README.md', link.slice(SITE.length - BASE.length))
  }
  t.ok(links > 1000, `${links} links`)
})

t.test('nothing is loaded from elsewhere', async (t) => {
  for (const page of PAGES) {
    const html = readFile(page)
    const loaded = [
      ...valuesOf(html, /<(?:script|img|iframe|source|link)\b[^>]* (?:src|href)="([^"]*)"/g),
      ...valuesOf(html, /\burl\(["']?([^"')]*)/g)
    ]
    t.ok(loaded.length > 0, page)
    for (const address of loaded) t.match(address, /^(\/(?!\/)|data:)/, page)
  }
  const styles = filesOfSite('.css')
  t.ok(styles.length > 0)
  for (const file of styles) {
    const style = readFile(file)
    t.notMatch(style, /@import/, file)
    for (const address of valuesOf(style, /\burl\(["']?([^"')]*)/g)) t.match(address, /^(\/(?!\/)|data:)/, file)
  }
})
