import { spawnSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { decodeRecord } from '../../lib/stores/file/format.ts'
import type { StoredRecord } from '../../types/store.ts'
import { NOW, SECRET } from '../format/samples.ts'
import { Coverage } from '../fuzz/coverage.ts'
import type { FuzzResult, Target } from '../fuzz/fuzz.ts'
import { fuzz } from '../fuzz/fuzz.ts'
import { seededRandom } from '../fuzz/random.ts'
import { cookieTarget, formatOf, opensIn, seedsOf } from '../fuzz/targets/cookies.ts'
import { headerTarget } from '../fuzz/targets/headers.ts'
import { allTargets } from '../fuzz/targets/index.ts'
import { pathTarget } from '../fuzz/targets/paths.ts'
import { fileTarget } from '../fuzz/targets/records.ts'
import { deriveKey, headOf, signedCookie } from '../vectors/reference.ts'

// The short part of `npm run fuzz`: the whole corpus, and the same changes in each run.

const RUNS = 10_000

function run(target: Target, runs = RUNS, coverage?: Coverage): FuzzResult {
  return fuzz(target, seededRandom(1), runs, () => false, coverage)
}

for (const target of Object.values(await allTargets()).flat()) {
  t.test(
    `${target.name}: the corpus and ${RUNS} changed texts neither throw nor are taken for something else`,
    async (t) => {
      const { runs, faults } = run(target)
      t.same(faults, [])
      t.equal(runs, RUNS)
    }
  )
}

/** A reader of signed cookies of its own. `isSame` compares the MAC with the one in the cookie. */
function readerOf(isSame: (mac: string, given: string) => boolean): (text: string) => boolean {
  const key = deriveKey(SECRET, 'signed').toString('hex')
  return (text) => {
    const dotAt = text.lastIndexOf('.')
    const mac = createHmac('sha256', key)
      .update(`session=${text.slice(0, dotAt)}`)
      .digest('base64url')
    return isSame(mac, text.slice(dotAt + 1))
  }
}

const bytesOf = (text: string): Buffer => Buffer.from(text, 'base64url')
const COMPARISONS: Readonly<Record<string, (mac: string, given: string) => boolean>> = {
  'ignores the last character': (mac, given) => mac.slice(0, -1) === given.slice(0, -1) && mac.length === given.length,
  'compares as many characters as there are': (mac, given) => mac.startsWith(given),
  'looks for the MAC anywhere': (mac, given) => given.includes(mac),
  'compares letters of either case': (mac, given) => mac.toLowerCase() === given.toLowerCase(),
  'compares the bytes that were decoded': (mac, given) => bytesOf(mac).equals(bytesOf(given)),
  'accepts everything': () => true
}

/** Readers of one genuine cookie. */
function signedBy(isSame: (mac: string, given: string) => boolean): Target {
  const genuine = [signedCookie(SECRET, 'session', headOf('s2', SECRET, NOW), '{"visits":1}')]
  return cookieTarget('signed', { genuine, others: [] }, readerOf(isSame))
}

t.test('a reader that compares the MAC exactly passes', async (t) => {
  t.same(run(signedBy((mac, given) => mac === given)).faults, [])
})

for (const [what, isSame] of Object.entries(COMPARISONS)) {
  t.test(`a reader that ${what} is found`, async (t) => {
    t.match(run(signedBy(isSame)).faults[0], { what: 'it opens, and is no genuine cookie' })
  })
}

const CARELESS: Readonly<Record<string, (text: string) => string>> = {
  'removes quotes': (text) => text.replace(/^"|"$/g, ''),
  'decodes percent signs, and throws': decodeURIComponent,
  'trims all white space': (text) => text.trim(),
  'ignores padding': (text) => text.replace(/=+$/, ''),
  'takes both alphabets': (text) => text.replaceAll('+', '-').replaceAll('/', '_'),
  'stops at a zero': (text) => text.split('\0', 1).join(''),
  'cuts at 4096 characters': (text) => text.slice(0, 4082)
}

for (const [what, read] of Object.entries(CARELESS)) {
  t.test(`a reader of encrypted cookies that ${what} is found`, async (t) => {
    const opens = opensIn(formatOf('encrypted'))
    const target = cookieTarget('encrypted', seedsOf('encrypted'), (text) => opens(read(text)))
    t.not(run(target).faults.length, 0)
  })
}

const SEARCHES: Readonly<Record<string, (header: string) => string[]>> = {
  'splits at commas': (header) => valuesOf(header.split(/[;,][ \t]*/)),
  'trims all white space': (header) => valuesOf(header.split(';').map((pair) => pair.trim())),
  'looks inside other cookies': (header) => [...header.matchAll(/session=([^;]*)/g)].map(([, value = '']) => value),
  'knows quotes': (header) => valuesOf(header.match(/("[^"]*"|[^;])+/g) ?? []),
  'takes the first alone': (header) => valuesOf(header.split(/;[ \t]*/)).slice(0, 1)
}

function valuesOf(pairs: readonly string[]): string[] {
  return pairs.filter((pair) => pair.startsWith('session=')).map((pair) => pair.slice('session='.length))
}

for (const [what, search] of Object.entries(SEARCHES)) {
  t.test(`a search for cookies that ${what} is found`, async (t) => {
    t.match(run(headerTarget(search)).faults[0], { target: 'header' })
  })
}

t.test('a check of paths that forgets a way to another server is found', async (t) => {
  for (const toPath of [
    (address: string) => (/^\/(?!\/)/.test(address) ? address : undefined),
    (address: string) =>
      /^\/(?![/\\])[!-~]*$/.test(address) ? new URL(address, 'http://localhost').pathname : undefined
  ]) {
    t.match(run(pathTarget(toPath)).faults[0], { target: 'path' })
  }
})

t.test('a reader of files that checks nothing, or quotes what it cannot read, is found', async (t) => {
  const [head, rest] = ['fastify-typed-session 1 00000000', /^[^\n]*\n([^\n]*)\n(.*)\n$/s]
  const decode = (_key: string, text: string): StoredRecord => {
    const [, facts = '', json = ''] = rest.exec(text.startsWith('f') ? text : `${head}\n${text}`) ?? []
    return { ...JSON.parse(facts), json }
  }
  for (const isEdited of [false, true]) t.match(run(fileTarget('file', decode, isEdited)).faults[0], { target: 'file' })
})

t.test('at most ten faults are told', async (t) => {
  const { runs, faults } = run(pathTarget((address) => address))
  t.equal(faults.length, 10)
  t.ok(runs < RUNS, `${runs} runs`)
})

t.test('a text that reaches code of the package which no seed reaches is changed further', async (t) => {
  const coverage = new Coverage()
  t.teardown(() => coverage.stop())
  const target: Target = {
    name: 'file',
    seeds: [''],
    tokens: ['fastify-typed-session 1 ', '00000000', '\n'],
    check(text) {
      try {
        decodeRecord('k'.repeat(43), text)
      } catch {}
      return undefined
    }
  }
  const { finds } = run(target, 20_000, coverage)
  t.match(finds[0], /^fastify-typed-session 1 /, 'it gets past the first check')
  coverage.take()
  target.check(finds[0] as string)
  t.equal(coverage.take(), false, 'the same text again reaches nothing new')
})

t.test('npm run fuzz tells its seed and what it has tried', async (t) => {
  const main = new URL('../fuzz/main.ts', import.meta.url)
  const run = (...parameters: string[]): ReturnType<typeof spawnSync> =>
    spawnSync(process.execPath, [...process.execArgv, fileURLToPath(main), ...parameters], { encoding: 'utf8' })
  const { status, stdout } = run('--runs', '2000', '--seed', '7', '--target', 'signed,path')
  t.match(stdout, /^Seed 7\nsigned: 2,000 changed texts in [\d.]+ s, .*, 0 faults\npath: 2,000 /)
  t.equal(status, 0)
  t.match(run('--target', 'cookie'), { status: 1, stderr: /There is no target cookie\. There are: signed, / })
})
