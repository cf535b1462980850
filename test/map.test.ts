import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { transformSync } from 'amaro'
import t from 'tap'

const ROOT = join(import.meta.dirname, '..')

const { default: map } = (await import(String(new URL('./map.mjs', import.meta.url)))) as {
  default: (test: string) => string | null
}

function files(folder: string, ending: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => `${folder}/${file}`)
}

/** Whether anything is left of a source without its types. */
function hasCode(source: string): boolean {
  const { code } = transformSync(readFileSync(join(ROOT, source), 'utf8'), { mode: 'strip-only' })
  return /^(?!\s*(\/\/|\*|\/\*|$))/m.test(code)
}

const tests = files('test', '.test.ts')
const sources = [...files('lib', '.ts'), ...files('histories/checks', '.ts')]

// Coverage is of what a test loads: a source without a test would not be missed.
t.test('every source is covered by the test of its path, or by the stories of its folder', async (t) => {
  const covered = tests.map(map)
  for (const source of sources.filter(hasCode)) {
    const wanted = source.startsWith('lib/request/') ? 'lib/request/**/*.ts' : source
    t.ok(covered.includes(wanted), source)
  }
})

t.test('every test that covers something has a source', async (t) => {
  for (const test of tests) {
    const source = map(test)
    if (source !== null && !source.includes('*')) t.ok(sources.includes(source), test)
  }
  t.equal(map('test/flow/replies.test.ts'), null)
  t.equal(map('test/browser/tabs.test.ts'), null)
  t.equal(map('test/histories/mutants.test.ts'), null)
})
