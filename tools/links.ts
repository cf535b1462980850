import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { dirname, join as joinPath } from 'node:path/posix'

const { homepage, repository } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
  homepage: string
  repository: { url: string }
}

/** Where the site is. */
export const SITE: string = homepage

/** Where the files of the repository are. */
const FILES = `${repository.url.replace(/^git\+|\.git$/g, '')}/blob/main/`

/** The fragment that leads to a heading, as GitHub makes it. */
export function slugOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}

/** The fragments that lead to the headings of a page: the second of one text ends with `-1`. */
function anchorsOf(text: string): string[] {
  const counts = new Map<string, number>()
  return [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => {
    const anchor = slugOf(heading)
    const count = counts.get(anchor) ?? 0
    counts.set(anchor, count + 1)
    return count === 0 ? anchor : `${anchor}-${count}`
  })
}

function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```$/gm, '')
}

/** The links of a page, or those in the messages of a source: `${SITE}/errors`. */
export function linksOf(file: string, text: string): string[] {
  if (file.endsWith('.md')) return [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
  return [...text.matchAll(/\$\{SITE\}([\w/.#-]*[\w#])/g)].map(([, path = '']) => `${SITE}${path}`)
}

/** Returns the text of a file, '' for a folder, and undefined if there is neither. */
export type Read = (file: string) => string | undefined

/** The links in some files that lead to no page or no heading. Pages of the API are not there before the site is built. */
export function brokenLinks(files: readonly string[], read: Read, readRepository: Read = read): string[] {
  return files.flatMap((file) =>
    linksOf(file, read(file) ?? '')
      .filter((link) => isBroken(link, file, read, readRepository))
      .map((link) => `${file} links to ${link}`)
  )
}

function isBroken(link: string, from: string, read: Read, readRepository: Read): boolean {
  const [address = '', anchor] = link.split('#', 2)
  if (address === SITE || address.startsWith(`${SITE}/api/`)) return false
  if (address.startsWith(FILES)) return isMissing(readRepository(address.slice(FILES.length)), anchor)
  if (address.startsWith(`${SITE}/`)) return isMissing(read(pageAt(address.slice(SITE.length + 1))), anchor)
  if (/^https?:/.test(address)) return false
  return isMissing(read(address === '' ? from : joinPath(dirname(from), address)), anchor)
}

/** The file of a page of the site. A path that ends with a slash leads to the index of a folder. */
function pageAt(path: string): string {
  return `docs/${path.replace(/\/$/, '/index')}.md`
}

function isMissing(text: string | undefined, anchor: string | undefined): boolean {
  return text === undefined || (anchor !== undefined && !anchorsOf(text).includes(anchor))
}
