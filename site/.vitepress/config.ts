import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MarkdownRenderer } from 'vitepress'
import { defineConfig } from 'vitepress'
import { slugOf } from '../../tools/links.ts'
import { sidebars, summaryOf } from './pages.ts'

const MODULES = join(import.meta.dirname, '../node_modules')
const { description, homepage, repository } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')
)
const source: string = repository.url.replace(/^git\+|\.git$/g, '')

export default defineConfig({
  title: 'fastify-typed-session',
  description,
  lang: 'en',
  base: `${new URL(homepage).pathname}/`,
  cleanUrls: true,
  metaChunk: true,
  srcDir: '..',
  srcExclude: ['*.md', '!(docs|site)/**', 'site/node_modules/**'],
  rewrites: { 'docs/:path*': ':path*', 'site/index.md': 'index.md', 'site/api/:path*': 'api/:path*' },
  markdown: {
    // The pages are read on GitHub, too: a link leads to the same heading there.
    anchor: { slugify: slugOf },
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config(markdown) {
      showBraces(markdown)
      skipEmptyHeaders(markdown)
    }
  },
  transformPageData(page) {
    page.description ||= summaryOf(page.filePath)
    // Those are written from the sources.
    if (page.relativePath.startsWith('api/')) page.frontmatter.editLink = false
  },
  themeConfig: {
    nav: [
      { text: 'Start', link: '/tutorial', activeMatch: '/tutorial' },
      { text: 'Options', link: '/options' },
      { text: 'Session', link: '/session' },
      { text: 'API', link: '/api/index/', activeMatch: '/api/' },
      { text: 'GitHub', link: source }
    ],
    sidebar: sidebars(),
    outline: [2, 3],
    externalLinkIcon: true,
    search: { provider: 'local' },
    notFound: {
      title: 'There is no such page',
      quote: 'It has moved, or the address has a mistake.',
      linkText: 'Start',
      linkLabel: 'Start'
    },
    editLink: { pattern: `${source}/edit/main/:path`, text: 'Edit this page' },
    footer: { message: `<a href="${source}/blob/main/LICENSE">MIT License</a>` }
  },
  vite: {
    // The pages are outside of the folder that has these packages.
    resolve: {
      alias: [
        { find: /^vue$/, replacement: join(MODULES, 'vue/dist/vue.runtime.esm-bundler.js') },
        { find: /^vue\/server-renderer$/, replacement: join(MODULES, 'vue/server-renderer/index.mjs') }
      ]
    },
    // The index of the search is one file, which is fetched when somebody searches.
    build: { chunkSizeWarningLimit: 2000 }
  }
})

/** Braces in a text are braces, and no expression of Vue. */
function showBraces(markdown: MarkdownRenderer): void {
  for (const rule of ['text', 'code_inline'] as const) {
    const render = markdown.renderer.rules[rule]
    markdown.renderer.rules[rule] = (...parameters) => render?.(...parameters).replaceAll('{{', '&#123;&#123;') ?? ''
  }
}

/** A column without a name has no header for screen readers. */
function skipEmptyHeaders(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push('skip-empty-headers', ({ tokens }) => {
    for (const [index, { content, type }] of tokens.entries()) {
      const [before, after] = [tokens[index - 1], tokens[index + 1]]
      if (type !== 'inline' || content !== '' || before?.type !== 'th_open' || after === undefined) continue
      before.tag = after.tag = 'td'
    }
  })
}
