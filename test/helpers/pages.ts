import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type * as Tap from 'tap'
import { getSession, sessionOf } from '../../lib/index.ts'
import type { LooseOptions } from './app.ts'
import { createApp } from './app.ts'

export const ROOT = join(import.meta.dirname, '../..')

export function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8')
}

/** The files under a folder of the repository whose names end with `ending`. */
export function filesOf(folder: string, ending: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => `${folder}/${file}`)
}

/** The pages of the repository. */
export const PAGES: readonly string[] = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', 'example/README.md', 'bench/README.md'],
  ...filesOf('docs', '.md')
]

/** The pages whose programs need packages of their own: `npm run test:recipes` compiles and runs them. */
export const RECIPES: readonly string[] = PAGES.filter((page) => page.startsWith('docs/recipes/'))

/** The other pages. */
export const GUIDES: readonly string[] = PAGES.filter((page) => !RECIPES.includes(page))

/** A code block. */
export interface Block {
  /** The text after the fence: a language, or a language and more. */
  readonly language: string
  readonly code: string
  /** Where the code begins, counted from 1. */
  readonly line: number
}

export function pageBlocks(text: string): Block[] {
  return [...text.matchAll(/^```(\w.*)\n([\s\S]*?)^```$/gm)].map(({ 1: language = '', 2: code = '', index }) => ({
    language,
    code,
    line: text.slice(0, index).split('\n').length + 1
  }))
}

/** A file of a recipe: a block after a paragraph that ends with the name of the file. */
export interface RecipeFile {
  readonly name: string
  readonly code: string
}

export function recipeFiles(text: string): RecipeFile[] {
  return [...text.matchAll(/`([\w.-]+)`:\n\n```\w.*\n([\s\S]*?)^```$/gm)].map(([, name = '', code = '']) => ({
    name,
    code
  }))
}

/** The blocks in the doc comments of a source. */
export function commentBlocks(source: string): Block[] {
  return pageBlocks(source.replace(/^ *\* ?/gm, ''))
}

/** The contents of the code blocks that have exactly `language` after the fence. */
export function blocks(text: string, language: string): string[] {
  return pageBlocks(text).flatMap((block) => (block.language === language ? [block.code] : []))
}

export function isTypeScript({ language }: Block): boolean {
  return /^ts\b/.test(language)
}

/** A block that imports fastify is a complete program. Any other is a part of one. */
export function isProgram(block: Block): boolean {
  return isTypeScript(block) && /^import fastify\b.* from 'fastify'$/im.test(block.code)
}

/** Whether one of the sources contains the code, with any indentation. */
export function isQuoted(code: string, sources: readonly string[]): boolean {
  const unindented = (text: string): string => text.replace(/^ +/gm, '')
  return sources.some((source) => unindented(source).includes(unindented(code)))
}

/** The names of the properties that an interface declares. */
export function membersOf(file: string, name: string): string[] {
  const body =
    read(file)
      .split(new RegExp(`export interface ${name}\\b`))[1]
      ?.split('\n}', 1)[0] ?? ''
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??:/gm)].map(([, member = '']) => member)
}

const AsyncFunction: FunctionConstructor = Object.getPrototypeOf(async () => undefined).constructor

/**
 * Runs a snippet as the handler of a new visitor's request. The text after each `// =>` must be the result of the line, and the
 * log must have no warning. Returns the number of arrows.
 */
export async function runSnippet(t: Tap.Test, snippet: string, options: LooseOptions = {}): Promise<number> {
  const code = snippet.replace(
    /^(.+?) \/\/ => (.+)$/gm,
    (_line, actual: string, expected: string) => `same(${actual}, ${expected}, ${JSON.stringify(actual)})`
  )
  let arrows = 0
  const { app, warnings } = await createApp(options)
  app.get('/', async (request, reply) => {
    const same = (actual: unknown, expected: unknown, label: string): void => {
      arrows++
      t.same(actual, expected, label)
    }
    const run = new AsyncFunction('app', 'request', 'reply', 'session', 'getSession', 'sessionOf', 'same', code)
    await run(app, request, reply, request.session, getSession, sessionOf, same)
    return reply.sent ? reply : ''
  })
  t.equal((await app.inject('/')).statusCode, 200, snippet)
  t.same(warnings(), [], snippet)
  return arrows
}
