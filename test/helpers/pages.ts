import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type * as Tap from 'tap'
import { getSession } from '../../lib/index.ts'
import type { LooseOptions } from './app.ts'
import { createApp } from './app.ts'

export const ROOT = join(import.meta.dirname, '../..')

export function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8')
}

/** The contents of the code blocks in a language, or with whatever else stands behind the fence. */
export function blocks(text: string, language: string): string[] {
  return [...text.matchAll(/^```(\w[\w ]*)\n([\s\S]*?)^```$/gm)].flatMap(([, of, code = '']) =>
    of === language ? [code] : []
  )
}

const AsyncFunction: FunctionConstructor = Object.getPrototypeOf(async () => undefined).constructor

/**
 * Runs a snippet as the handler of a new visitor's request. What stands behind each `// =>` must come out, and nothing is
 * warned of. Gives how many arrows there were.
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
    const run = new AsyncFunction('app', 'request', 'reply', 'session', 'getSession', 'same', code)
    await run(app, request, reply, request.session, getSession, same)
    return reply.sent ? reply : ''
  })
  t.equal((await app.inject('/')).statusCode, 200, snippet)
  t.same(warnings(), [], snippet)
  return arrows
}
