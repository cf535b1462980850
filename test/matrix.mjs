// Runs the test suite on every supported Node, through the npm package `node`, which ships the binary.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const VERSIONS = ['20.19.0', '22', '24', '26']

const manifest = createRequire(import.meta.url).resolve('tap/package.json')
const tap = join(dirname(manifest), 'dist/esm/run.mjs')
const options = ['--disable-coverage', '--reporter=terse', ...process.argv.slice(2)]

const results = VERSIONS.map((version) => {
  console.log(`\nNode ${version}`)
  const run = ['--yes', '--package', `node@${version}`, '--', 'node', tap, ...options]
  const { status, error } = spawnSync('npx', run, { stdio: 'inherit' })
  if (error) throw error
  return { version, passed: status === 0 }
})

for (const { version, passed } of results) console.log(`Node ${version}: ${passed ? 'passed' : 'FAILED'}`)
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1
