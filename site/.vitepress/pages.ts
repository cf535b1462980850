import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')
const DOCS = join(ROOT, 'docs')
const API = join(ROOT, 'site/api')

export interface Section {
  readonly text: string
  /** Pages of `docs/`, without `.md`. */
  readonly pages: readonly string[]
}

/** The pages of `docs/`, in the order in which to read them. */
export const SECTIONS: readonly Section[] = [
  { text: 'Start', pages: ['tutorial', 'transcript', 'from-flask', 'migrating'] },
  {
    text: 'Guides',
    pages: [
      'modes',
      'flask-cookie',
      'revocation',
      'device-bound',
      'guards',
      'login',
      'passport',
      'plugins',
      'websocket',
      'typescript',
      'testing',
      'inspector',
      'why-no-cookie'
    ]
  },
  { text: 'Recipes', pages: recipes() },
  {
    text: 'Stores',
    pages: [
      'stores',
      'stores/memory',
      'stores/file',
      'stores/sqlite',
      'stores/redis',
      'stores/postgres',
      'stores/mysql',
      'stores/express'
    ]
  },
  { text: 'Reference', pages: ['options', 'session', 'schema', 'errors', 'command-line', 'cookie-format'] },
  {
    text: 'Explanations',
    pages: [
      'why-signed',
      'why-operations',
      'threat-model',
      'security',
      'concurrency',
      'endings',
      'reliability',
      'capacity',
      'compared',
      'limits'
    ]
  }
]

/** The index of the recipes, then the others in the order in which it links to them. */
function recipes(): string[] {
  const folder = join(DOCS, 'recipes')
  if (!existsSync(folder)) return []
  const index = readFileSync(join(folder, 'index.md'), 'utf8')
  const names = new Set([...index.matchAll(/\(([\w-]+)\.md/g)].map(([, name = '']) => name))
  return ['index', ...names].map((name) => `recipes/${name}`)
}

interface Item {
  readonly text: string
  readonly link?: string
  readonly collapsed?: boolean
  items?: Item[]
}

/** The sidebars, by the start of the paths of their pages. */
export function sidebars(): Record<string, Item[]> {
  const entries = entriesOfApi()
  const sections = SECTIONS.filter(({ pages }) => pages.length > 0).map(({ text, pages }) => ({
    text,
    items: pages.map((page) => ({ text: titleOf(page), link: `/${page.replace(/\bindex$/, '')}` }))
  }))
  return {
    '/': [...sections, { text: 'API', items: entries.map(({ items, ...entry }) => entry) }],
    '/api/': entries
  }
}

/** The first heading of a page. */
function titleOf(page: string): string {
  const [, title] = /^# (.+)$/m.exec(readFileSync(join(DOCS, `${page}.md`), 'utf8')) ?? []
  if (title === undefined) throw new Error(`docs/${page}.md has no heading`)
  return title.replaceAll('`', '')
}

/** One group for each entry of the package, in the order of package.json. */
function entriesOfApi(): Item[] {
  const { name, exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    name: string
    exports: Record<string, unknown>
  }
  const paths = Object.keys(exports).filter((path) => path !== './package.json')
  return paths.map((path) => {
    const folder = path === '.' ? 'index' : path.slice(2)
    const files = readdirSync(join(API, folder), { recursive: true, encoding: 'utf8' })
    const pages = files.filter((file) => file.endsWith('.md') && file !== 'index.md').map((file) => file.slice(0, -3))
    const items = pages.map((page) => ({ text: page.split('/')[1] ?? '', link: `/api/${folder}/${page}` }))
    return { text: name + path.slice(1), link: `/api/${folder}/`, collapsed: true, items: items.sort(byText) }
  })
}

function byText(a: Item, b: Item): number {
  return a.text.localeCompare(b.text, 'en')
}

/** The first paragraph of a page without its Markdown, as long as search engines show it. */
export function summaryOf(file: string): string {
  const text = readFileSync(join(ROOT, file), 'utf8')
  const paragraphs = text.replace(/^```[\s\S]*?^```$/gm, '').split(/\n{2,}/)
  const [first = ''] = paragraphs.filter((paragraph) => /^[\w`*[]/.test(paragraph))
  const plain = first
    .replace(/\s+/g, ' ')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[`*\\]/g, '')
  return plain.length <= 160 ? plain : `${plain.slice(0, 160).replace(/\W+\w*$/, '')} …`
}
