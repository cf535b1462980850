// The package as a stranger gets it: packed, looked through, installed elsewhere, compiled against, run. The declarations of
// other packages that claim `request.session` are tried in matrix.mjs; `--write-matrix` writes matrix.md instead of comparing.

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { brokenLinks, linksOf } from '../../tools/links.ts'
import { differences, inPairs, openCompiler, wantedErrors } from '../../types/test/compile.mjs'
import { inspectContents, listFiles } from './contents.mjs'
import { compileMatrix, installPeers, toMarkdown } from './matrix.mjs'
import { install, run } from './npm.mjs'

const NAME = 'fastify-typed-session'
const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '..', '..')
const COMPILERS = { 5.5: 'typescript-5.5', 5.9: 'typescript-5.9', '6.0': 'typescript-6.0', '7.0': 'typescript' }
const MATRIX_VERSIONS = ['5.9', '7.0']
const NEWEST = '7.0'

/** What each door but the root has. None of them loads a client: the strangers have none. */
const SUBPATHS = [
  'stores/file: FileRevocations FileStore',
  'stores/sqlite: SqliteRevocations SqliteStore',
  'stores/redis: RedisRevocations RedisStore',
  'stores/postgres: PostgresRevocations PostgresStore',
  'stores/mysql: MySqlRevocations MySqlStore',
  'stores/express: ExpressStore Store',
  'login: default getLogin getLoginGuards login',
  'adopt: cachelibFiles cookieSession expressSession fastifySession flask flaskSession ironSession secureSession',
  'flask: flaskCookie tag untag',
  'device-bound: default deviceBound deviceRequired',
  'inspector: default inspectSession inspector',
  'testing: CookieJar FakeClock createClient readSession sessionCookie testRaces testRevocations testStore'
].join('\n')

const failures = []
const started = performance.now()
const temporary = realpathSync(mkdtempSync(join(tmpdir(), `${NAME}-check-`)))
try {
  await check()
} finally {
  rmSync(temporary, { recursive: true, force: true })
}
console.log(`${((performance.now() - started) / 1000).toFixed(1)} s`)
if (failures.length > 0) {
  console.error(`\n${failures.length} failed:\n${failures.join('\n')}`)
  process.exit(1)
}

async function check() {
  if (!existsSync(join(root, 'dist', 'lib', 'index.js')))
    throw new Error('There is no dist: run `npm run build` first.')
  const compilers = Object.fromEntries(
    Object.entries(COMPILERS).map(([version, name]) => {
      const { version: actual } = manifestOf(join(root, 'node_modules', name))
      if (!actual.startsWith(`${version}.`)) throw new Error(`node_modules/${name} is not TypeScript ${version}`)
      return [version, { folder: join(root, 'node_modules', name), actual, native: version === NEWEST }]
    })
  )
  const tarball = await pack()
  const common = {
    [NAME]: `file:${tarball}`,
    fastify: installedVersion('fastify'),
    '@types/node': installedVersion('@types/node')
  }
  const stranger = join(temporary, 'stranger')
  const others = join(temporary, 'others')
  await install(stranger, common)
  const peers = installPeers(others, common)

  const unpacked = join(stranger, 'node_modules', NAME)
  const { files, problems } = inspectContents(unpacked, root)
  report('contents of the tarball', problems, `${files.length} files`)
  noticeSpoiledContents(unpacked)
  checkLinks(unpacked, files)
  checkManifest(unpacked)
  cpSync(join(here, 'stranger'), stranger, { recursive: true })
  await compileStranger(stranger, compilers)
  await runStranger(stranger)
  await refuseDeepImports(stranger, unpacked)
  await peers
  await checkMatrix(others, compilers, common)
}

async function pack() {
  const destination = join(temporary, 'packed')
  mkdirSync(destination)
  await run('npm', ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', destination], { cwd: root })
  const [file] = listFiles(destination)
  return join(destination, file)
}

/** The control of the check before: what must not be in a package is put there, and what must be is taken away. */
function noticeSpoiledContents(unpacked) {
  const spoiled = join(temporary, 'spoiled')
  cpSync(unpacked, spoiled, { recursive: true })
  const plant = (file, text) => {
    mkdirSync(dirname(join(spoiled, file)), { recursive: true })
    writeFileSync(join(spoiled, file), text)
  }
  plant('dist/lib/session.test.js', '')
  plant('bench/run.js', '')
  plant('example/server.ts', '')
  plant('lib/plugin.ts', '')
  plant('dist/types/index.js', '')
  plant('dist/lib/index.js.map', '{}')
  plant('dist/lib/old.js', '')
  plant('.env', `SESSION_SECRET=${'0123456789abcdef'.repeat(4)}`)
  plant('dist/lib/plugin.js', "import '/home/somebody/plugin.js'")
  plant('dist/lib/options.js', '//# sourceMappingURL=options.js.map')
  plant('docs/images/start.png', '')
  plant('docs/old.md', '# Old')
  rmSync(join(spoiled, 'docs', 'stores', 'file.md'))
  rmSync(join(spoiled, 'dist', 'lib', 'crypto', 'keys.js'))
  rmSync(join(spoiled, 'dist', 'types', 'session.d.ts'))
  const { problems } = inspectContents(spoiled, root)
  const wanted = [
    /^dist\/lib\/session\.test\.js belongs to the tests/,
    /^bench\/run\.js belongs to/,
    /^example\/server\.ts belongs to/,
    /^lib\/plugin\.ts has no business/,
    /^dist\/types\/index\.js has no business/,
    /^dist\/lib\/index\.js\.map has no business/,
    /^dist\/lib\/old\.js was built from a source that is gone/,
    /^\.env has no business/,
    /^\.env has a session secret/,
    /^dist\/lib\/plugin\.js has a path of a machine/,
    /^dist\/lib\/options\.js names a map that is not there/,
    /^docs\/images\/start\.png has no business/,
    /^docs\/old\.md has no business/,
    /^docs\/stores\/file\.md is missing/,
    /^dist\/lib\/crypto\/keys\.js is missing/,
    /^dist\/types\/session\.d\.ts is missing/
  ]
  const missed = wanted.filter((pattern) => !problems.some((problem) => pattern.test(problem)))
  report('a spoiled tarball is noticed', missed.map(String), `${wanted.length} ways`)
}

/** What a page or a message of the package leads to is in the package; or in the repository, where it says so. */
function checkLinks(unpacked, files) {
  const reader = (folder) => (file) => {
    const path = join(folder, file)
    if (!existsSync(path)) return undefined
    return statSync(path).isDirectory() ? '' : readFileSync(path, 'utf8')
  }
  const sources = files.filter((file) => /\.(md|js)$/.test(file))
  const read = reader(unpacked)
  // The pictures of a page are in the repository only.
  const broken = brokenLinks(sources, read, reader(root)).filter((problem) => !problem.endsWith('.png'))
  const relative = linksOf('README.md', read('README.md')).filter((link) => !link.startsWith('https://'))
  const ofMessages = sources.filter((file) => file.endsWith('.js')).flatMap((file) => linksOf(file, read(file)))
  const problems = [...broken, ...relative.map((link) => `README.md links to ${link}, which npmjs.com does not have`)]
  if (ofMessages.length < 2) problems.push(`the messages have ${ofMessages.length} links`)
  report('links of the README, of the pages and of messages', problems, `${sources.length} files`)
}

function checkManifest(unpacked) {
  const manifest = manifestOf(unpacked)
  const problems = []
  const expect = (what, actual, expected) => {
    if (isDeepStrictEqual(actual, expected)) return
    problems.push(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`)
  }
  expect('dependencies', Object.keys(manifest.dependencies ?? {}).sort(), [
    '@fastify/cookie',
    '@fastify/error',
    'fastify-plugin',
    'libsodium'
  ])
  const isOptional = (name) => manifest.peerDependenciesMeta?.[name]?.optional === true
  expect(
    'peerDependencies',
    Object.keys(manifest.peerDependencies ?? {}).filter((name) => !isOptional(name)),
    ['fastify']
  )
  expect('optionalDependencies', manifest.optionalDependencies, undefined)
  expect('bundleDependencies', manifest.bundleDependencies, undefined)
  expect('type', manifest.type, 'module')
  for (const script of ['preinstall', 'install', 'postinstall']) {
    expect(`scripts.${script}`, manifest.scripts?.[script], undefined)
  }
  report('dependencies and manifest', problems, Object.keys(manifest.dependencies ?? {}).join(', '))
}

async function compileStranger(stranger, compilers) {
  const wanted = wantedErrors(stranger, NEWEST)
  await inPairs(
    Object.values(compilers).map((settings) => async () => {
      const compiler = openCompiler(settings)
      const { errors, seconds } = await compiler.compile(stranger, settings.native ? [] : ['--noEmit'])
      await compiler.close()
      report(
        `TypeScript ${settings.actual} on a stranger's program`,
        differences(errors, wanted),
        `${seconds.toFixed(1)} s`
      )
    })
  )
}

async function runStranger(stranger) {
  const cli = (...args) => run('npx', ['--no-install', NAME, ...args], { cwd: stranger })
  const secret = (await cli('secret')).trim()
  const hex = (await cli('secret', '--format', 'hex')).trim()
  const base64url = (await cli('secret', '--format', 'base64url')).trim()
  const keys = [secret, hex, base64url]
  const printed = [/^[0-9a-f]{64}$/, /^[0-9a-f]{64}$/, /^[\w-]{43}$/].map((shape, index) => shape.test(keys[index]))
  expectOutput('npx fastify-typed-session secret', [printed, new Set(keys).size], [[true, true, true], 3])

  const env = { SESSION_SECRET: secret }
  const node = (...args) =>
    run(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], { cwd: stranger, env })
  const lines = (await node('built/app.js')).trim().split('\n')
  const [cookie] = lines.splice(5, 1)
  expectOutput("a stranger's program, compiled", lines, [
    'GET /me: 401 Who are you?',
    'GET /: 200 visit 1',
    'GET /: 200 visit 2',
    'POST /login: 200 {"visits":2,"userId":7,"cart":{"apple":2}}',
    'GET /me: 200 user 7, 2 apples',
    'POST /logout: 200 bye',
    'GET /me: 401 Who are you?'
  ])
  expectOutput('two kits of a stranger, compiled', (await node('built/kits.js')).trim().split('\n'), [
    '{"admin":"root@shop.test"}',
    '/admin: root@shop.test',
    '/me: 401'
  ])
  const guards = 'guardsFor isSessionError loginRequired requireSession safeNext sameOriginOnly'
  const root = `MemoryRevocations MemoryStore and default getSession getSessions ${guards} session sessionOf true ${NAME}`
  expectOutput('import', (await node('import.mjs')).trim(), `200 import ${root}\n${SUBPATHS}`)
  expectOutput('require', (await node('require.cjs')).trim(), `200 require 200 require ${root}\n${SUBPATHS}`)

  const shown = await run('npx', ['--no-install', NAME, 'inspect', cookie], { cwd: stranger, env })
  const facts = ['opens        yes', '"visits": 2', '"userId": 7'].filter((fact) => !shown.includes(fact))
  report(
    'npx fastify-typed-session inspect',
    facts.map((fact) => `no ${fact} in\n${shown}`),
    'opens, and shows the data'
  )
  const forged = `${cookie.slice(0, -1)}${cookie.endsWith('A') ? 'B' : 'A'}`
  const refused = await run('npx', ['--no-install', NAME, 'inspect', forged], { cwd: stranger, env, status: 1 })
  expectOutput('npx fastify-typed-session inspect, forged', /opens +no: [\w-]+/.test(refused), true)
}

/** Every file of the package, by every spelling that could reach it: what the exports do not name must not resolve. */
async function refuseDeepImports(stranger, unpacked) {
  const { exports } = manifestOf(unpacked)
  const open = Object.keys(exports).map((key) => `${NAME}${key.slice(1)}`)
  const closed = listFiles(unpacked)
    .filter((file) => /\.(js|ts|json|md)$/.test(file) && file !== 'package.json')
    .flatMap((file) => [file, file.replace(/^dist\//, ''), file.replace(/(\.d)?\.(js|ts)$/, ''), dirname(file)])
    .map((path) => `${NAME}/${path}`)
    .filter((specifier) => !open.includes(specifier) && !specifier.endsWith('/.'))
  const codes = JSON.parse(
    await run(process.execPath, ['deep.mjs', ...new Set([...open, ...closed])], { cwd: stranger })
  )
  const problems = []
  for (const [specifier, [imported, required]] of Object.entries(codes)) {
    const isOpen = open.includes(specifier)
    const wanted = isOpen ? 'resolved' : 'ERR_PACKAGE_PATH_NOT_EXPORTED'
    // JSON needs an attribute to be imported; stranger/import.mjs does that.
    const attribute = isOpen && specifier.endsWith('.json')
    if (imported !== wanted && !attribute) problems.push(`import '${specifier}': ${imported}`)
    if (required !== wanted) problems.push(`require('${specifier}'): ${required}`)
  }
  report(
    'no way in but the exports',
    problems,
    `${open.length} open, ${Object.keys(codes).length - open.length} refused`
  )
}

async function checkMatrix(folder, compilers, common) {
  const used = Object.fromEntries(MATRIX_VERSIONS.map((version) => [version, compilers[version]]))
  const rows = await compileMatrix(folder, used)
  const file = join(here, 'matrix.md')
  const fastify = `fastify ${common.fastify}`
  const markdown = toMarkdown(
    rows,
    [fastify],
    Object.values(used).map(({ actual }) => actual)
  )
  console.log(`\n${markdown}`)
  if (process.argv.includes('--write-matrix')) writeFileSync(file, markdown)
  const stolen = rows.filter(({ results }) => results.some(({ safe }) => safe !== NAME))
  report(
    'getSession(request) is ours in every program',
    stolen.map(({ peer }) => `not beside ${peer}`),
    `${rows.length} programs`
  )
  const kept = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const changed = markdown.split('\n').filter((line) => !kept.split('\n').includes(line))
  const advice =
    changed.length === 0 && kept === markdown ? [] : ['test/package/matrix.md is not this table:', ...changed]
  report('matrix.md', advice, 'as expected')
}

function manifestOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
}

function installedVersion(name) {
  return manifestOf(join(root, 'node_modules', name)).version
}

function expectOutput(what, actual, expected) {
  const same = isDeepStrictEqual(actual, expected)
  report(
    what,
    same ? [] : [`printed  ${JSON.stringify(actual)}`, `expected ${JSON.stringify(expected)}`],
    'as expected'
  )
}

function report(what, problems, detail) {
  if (problems.length === 0) {
    console.log(`ok      ${what}  (${detail})`)
    return
  }
  console.log(`FAILED  ${what}`)
  failures.push(`${what}\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
}
