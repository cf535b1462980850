// Runs the tests on the newest Node.js that is supported, and on the oldest those that use most of Node.js itself, through the npm
// package `node`, which ships the binary. It leaves out the stories, which other steps of CI have told.
// `--all` runs all tests on every version, `22` on that one; all other arguments go to tap.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const VERSIONS = ['20.19.0', '22', '24', '26']

const given = process.argv.slice(2)
const named = given.filter(isVersion)
const forTap = given.filter((argument) => argument !== '--all' && !isVersion(argument))
const isWhole = given.includes('--all') || named.length > 0 || forTap.length > 0
const versions = given.includes('--all') ? VERSIONS : named.length > 0 ? named : [VERSIONS.at(0), VERSIONS.at(-1)]
/** What uses most of Node.js: cryptography, files, sockets, SQLite. */
const PART = ['test/*.test.ts', 'test/crypto/*.test.ts', 'test/stores/*.test.ts', 'test/stores/{file,sqlite}/*.test.ts']

const manifest = createRequire(import.meta.url).resolve('tap/package.json')
const tap = join(dirname(manifest), 'dist/esm/run.mjs')
// What browsers do, and what documentation says, is the same on all of them.
const never = ['test/browser/**', 'test/recipes/**', 'test/flow/docs/**', 'test/flow/docs-*.test.ts']
const STORIES = ['test/flow/**', 'test/histories/**']
const excluded = [...never, ...(isWhole ? [] : STORIES)].map((glob) => `--exclude=${glob}`)
const options = ['--disable-coverage', '--reporter=terse', ...excluded, ...forTap]

const results = versions.map((version) => {
  console.log(`\nNode ${version}`)
  const part = isWhole || version !== VERSIONS[0] ? [] : PART
  const record = join(import.meta.dirname, '..', '.tap', `matrix-${version}.tap`)
  const run = [
    '--yes',
    '--package',
    `node@${version}`,
    '--',
    'node',
    tap,
    `--output-file=${record}`,
    ...options,
    ...part
  ]
  const { status, signal, error } = spawnSync('npx', run, { stdio: 'inherit' })
  if (error) throw error
  if (status !== 0) console.log(failures(record))
  return { version, passed: status === 0, end: signal ?? `exit code ${status}` }
})

function isVersion(argument) {
  return /^\d+(\.\d+)*$/.test(argument)
}

/** Each failed test with its details: the reporter says nothing of a file that took too long or whose process ended early. */
function failures(record) {
  return (readFileSync(record, 'utf8').match(/^ *not ok .*\n(?: *---\n[\s\S]*?\n *\.\.\.$)?/gm) ?? []).join('\n')
}

for (const { version, passed, end } of results) console.log(`Node ${version}: ${passed ? 'passed' : `FAILED, ${end}`}`)
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1
