import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import t from 'tap'
import { recipeFile } from './start.ts'

const { resolve } = createRequire(import.meta.filename)

/** Runs a program in the folder of the recipe. Returns its exit code and what it prints. */
function run(parameters: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<[unknown, string]> {
  const cwd = dirname(recipeFile('testing'))
  // Neither runner is to know that another one runs it.
  const { NODE_OPTIONS, NODE_TEST_CONTEXT, TAP, ...rest } = process.env
  return new Promise((end) => {
    execFile(process.execPath, parameters, { cwd, env: { ...rest, ...env } }, (error, stdout, stderr) =>
      end([error?.code ?? 0, stdout + stderr])
    )
  })
}

/** The program of a package. */
function program(name: string, path: string): string {
  return join(dirname(resolve(`${name}/package.json`)), path)
}

t.test('node:test', async (t) => {
  const [code, output] = await run(['--import=tsx', '--test-reporter=tap', '--test', 'app.test.ts'])
  t.equal(code, 0, output)
  t.match(output, /^# pass 2$/m)
})

t.test('Vitest', async (t) => {
  const [code, output] = await run([program('vitest', 'vitest.mjs'), 'run', '--root', '.', 'app.spec.ts'])
  t.equal(code, 0, output)
  t.match(output, /Tests .*1 passed/)
})

t.test('tap', async (t) => {
  const [code, output] = await run(['--import=tsx', 'app.tap.ts'])
  t.equal(code, 0, output)
  t.match(output, /^ok 1 - a user comes back/m)
})

t.test('Jest', async (t) => {
  const [code, output] = await run(['--experimental-vm-modules', program('jest', 'bin/jest.js'), '--ci'])
  t.equal(code, 0, output)
  t.match(output, /Tests: +1 passed/)
})

t.test('Jest refuses CommonJS tests of the package', { skip: canRequire() }, async (t) => {
  const folder = join(dirname(recipeFile('testing')), 'commonjs')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }')
  writeFileSync(join(folder, 'jest.config.json'), '{ "testMatch": ["<rootDir>/*.old.js"] }')
  writeFileSync(join(folder, 'app.old.js'), "test('it loads', () => void require('fastify-typed-session'))")
  const [code, output] = await run([
    program('jest', 'bin/jest.js'),
    '--ci',
    '--config',
    join(folder, 'jest.config.json')
  ])
  t.equal(code, 1)
  t.match(output, 'Must use import to load ES Module')
})

/** Whether Jest can load ES modules with `require`. */
function canRequire(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  return major > 24 || (major === 24 && minor >= 9)
}
