// Runs the suites of other packages against the packed package, through adapters. The suites come from npm each time and are no
// part of this repository. A test fails if, and only if, it stands in differences.mjs.

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { run as runTests } from 'node:test'
import { install, run } from '../package/npm.mjs'
import { DIFFERENCES } from './differences.mjs'

const NAME = 'fastify-typed-session'
const ROOT = join(import.meta.dirname, '..', '..')
const DEPENDENCIES = {
  '@fastify/cookie': '11.1.5',
  '@fastify/csrf-protection': '8.0.2',
  '@sinonjs/fake-timers': '15.5.0',
  cookie: '2.0.2',
  fastify: '5.12.8',
  'fastify-plugin': '6.0.1',
  proxyquire: '2.1.3',
  sinon: '22.1.0'
}
/** Only its tests are of interest. */
const SECURE_SESSION = '@fastify/secure-session@8.4.0'

if (!existsSync(join(ROOT, 'dist', 'lib', 'index.js'))) throw new Error('There is no dist: run `npm run build` first.')
const started = performance.now()
const folder = realpathSync(mkdtempSync(join(tmpdir(), `${NAME}-peers-`)))
try {
  const { passed, failed } = await runFiles(await prepare())
  const problems = compare(passed, failed)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(
    `${passed.size} tests pass, ${failed.size} fail; ${problems.length} of these outcomes are a surprise. ${seconds} s`
  )
  if (problems.length > 0) {
    console.error(problems.join('\n'))
    process.exitCode = 1
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** Installs everything, and puts the adapters where the suites look for what they test. Returns the files of the suites. */
async function prepare() {
  const packed = join(folder, 'packed')
  mkdirSync(packed)
  const flags = ['--ignore-scripts', '--loglevel=error', '--pack-destination', packed]
  await run('npm', ['pack', ...flags, ROOT, SECURE_SESSION], { cwd: folder })
  const tarballOf = (name) =>
    join(
      packed,
      readdirSync(packed).find((file) => file.startsWith(name))
    )
  const modules = join(folder, 'node_modules')
  await install(folder, { [NAME]: `file:${tarballOf(NAME)}`, ...DEPENDENCIES })
  adapt('session', join(modules, '@fastify', 'session'))
  adapt('secure-session', join(modules, '@fastify', 'secure-session'))
  adapt('sodium-native', join(modules, 'sodium-native'))

  const suite = join(folder, 'secure-session')
  await run('tar', ['-xzf', tarballOf('fastify-secure-session')], { cwd: folder })
  // Beside the adapter, because the tests load `../`.
  adapt('secure-session', suite)
  cpSync(join(folder, 'package', 'test'), join(suite, 'test'), { recursive: true })
  for (const path of testsOf(suite)) writeFileSync(path, adjust(readFileSync(path, 'utf8')))
  return [...testsOf(suite), ...testsOf(join(modules, '@fastify', 'csrf-protection'))]
}

function adapt(name, to) {
  mkdirSync(to, { recursive: true })
  writeFileSync(join(to, 'package.json'), JSON.stringify({ name, type: 'commonjs' }))
  cpSync(join(import.meta.dirname, 'adapters', `${name}.cjs`), join(to, 'index.js'))
}

/**
 * Many tests store something as `data`, which is a method of our sessions: what else they test is worth knowing. Some fail in a
 * callback, which then ends only when Fastify has waited long enough.
 */
function adjust(test) {
  return test.replace(/\.([gs]et)\('data'/g, ".$1('payload'").replaceAll("('fastify')({", '$& pluginTimeout: 1000,')
}

function testsOf(suite) {
  return readdirSync(join(suite, 'test')).map((name) => join(suite, 'test', name))
}

/** Runs the files. Returns the names of the tests that passed and failed, the latter with their errors. */
async function runFiles(files) {
  const [passed, failed] = [new Set(), new Map()]
  const running = new Map()
  for await (const { type, data } of runTests({ files, concurrency: true })) {
    const { name, nesting, file = name, details } = data
    if (type === 'test:start') running.set(file, [...(running.get(file) ?? []).slice(0, nesting), name])
    if (type !== 'test:pass' && type !== 'test:fail') continue
    const above = (running.get(file) ?? []).slice(0, nesting)
    const suite = basename(dirname(dirname(file)))
    const title = `${suite}/${basename(file, '.test.js')}: ${[...above, name].join(' > ')}`
    if (type === 'test:pass') passed.add(title)
    else if (details.error.failureType !== 'subtestsFailed') failed.set(title, details.error.cause ?? details.error)
  }
  return { passed, failed }
}

function compare(passed, failed) {
  const expected = new Set(DIFFERENCES.flatMap(({ tests }) => tests))
  const surprises = [...failed].filter(([title]) => !expected.has(title))
  return [
    ...surprises.map(([title, error]) => `${title}\n${String(error?.stack ?? error).replace(/^/gm, '    ')}`),
    ...[...expected].filter((title) => passed.has(title)).map((title) => `${title}\n    passes: take it off the list`),
    ...[...expected]
      .filter((title) => !passed.has(title) && !failed.has(title))
      .map((title) => `${title}\n    has not run`)
  ]
}
