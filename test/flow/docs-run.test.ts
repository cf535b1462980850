import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type * as Tap from 'tap'
import t from 'tap'
import { SECRET } from '../helpers/app.ts'
import { reachMySql } from '../helpers/mysql.ts'
import type { Block } from '../helpers/pages.ts'
import { blocks, commentBlocks, filesOf, GUIDES, isProgram, pageBlocks, read } from '../helpers/pages.ts'
import { reachPostgres } from '../helpers/postgres.ts'
import { startProgram } from '../helpers/program.ts'
import { startRedis } from '../helpers/redis.ts'
import { cannotTest } from '../helpers/service.ts'
import { importNodeSqlite } from '../helpers/sqlite.ts'

/** How many programs each page has, and which test runs them. */
const RUN_BY: Readonly<Record<string, readonly [programs: number, test: string]>> = {
  'README.md': [1, 'readme'],
  'docs/from-flask.md': [1, 'from-flask'],
  'docs/guards.md': [1, 'docs/guards'],
  'docs/inspector.md': [1, 'docs/programs'],
  'docs/login.md': [1, 'login-page'],
  'docs/passport.md': [2, 'docs/programs'],
  'docs/stores.md': [1, 'docs/stores'],
  'docs/stores/express.md': [1, 'docs-run'],
  'docs/stores/file.md': [1, 'docs-run'],
  'docs/stores/memory.md': [1, 'docs-run'],
  'docs/stores/mysql.md': [1, 'docs-run'],
  'docs/stores/postgres.md': [1, 'docs-run'],
  'docs/stores/redis.md': [1, 'docs-run'],
  'docs/stores/sqlite.md': [1, 'docs-run'],
  'docs/testing.md': [1, 'docs/programs'],
  'docs/tutorial.md': [10, 'docs/tutorial'],
  'docs/websocket.md': [2, 'docs/programs'],
  'docs/why-no-cookie.md': [1, 'docs-run'],
  'lib/login/login.ts': [1, 'docs-run'],
  'lib/plugin.ts': [1, 'docs-run']
}

t.test('every program of the pages and of the doc comments is run by a test', async (t) => {
  const found = [...GUIDES, ...filesOf('lib', '.ts'), ...filesOf('types', '.ts')].flatMap((file) => {
    const { length } = programsOf(file)
    return length === 0 ? [] : [[file, length]]
  })
  t.same(Object.fromEntries(found), Object.fromEntries(Object.entries(RUN_BY).map(([file, [count]]) => [file, count])))
  for (const [file, [, test]] of Object.entries(RUN_BY))
    t.ok(read(`test/flow/${test}.test.ts`).includes(`'${file}'`), file)
})

function programsOf(file: string): Block[] {
  const content = read(file)
  return (file.endsWith('.md') ? pageBlocks(content) : commentBlocks(content)).filter(isProgram)
}

process.env.SESSION_SECRET = SECRET

/** Runs the program of a page in this process, without listening, and with other words in it. */
async function run(t: Tap.Test, file: string, words: Readonly<Record<string, string>> = {}): Promise<FastifyInstance> {
  const [{ code = '' } = {}] = programsOf(file)
  const changed = Object.entries(words).reduce((text, [from, to]) => {
    t.ok(text.includes(from), `${file}: ${from}`)
    return text.replace(from, to)
  }, code)
  // Within the work tree, where the package finds itself by its name.
  const { app } = await import(join(t.testdir({ 'program.ts': `${changed}\nexport { app }\n` }), 'program.ts'))
  t.teardown(() => app.close())
  return app
}

/** Counts the visits of one visitor. */
async function countVisits(t: Tap.Test, app: FastifyInstance): Promise<void> {
  const first = await app.inject('/')
  t.equal(first.body, 'visit 1')
  const [cookie = ''] = String(first.headers['set-cookie']).split(';')
  t.equal((await app.inject({ url: '/', headers: { cookie } })).body, 'visit 2')
}

/** The program of a page about a store. */
async function runStore(t: Tap.Test, file: string, words?: Readonly<Record<string, string>>): Promise<void> {
  const app = await run(t, file, words)
  app.get('/', async ({ session }) => {
    session.visits = (session.visits ?? 0) + 1
    return `visit ${session.visits}`
  })
  await countVisits(t, app)
}

t.test('the program of docs/stores/memory.md keeps sessions', (t) => runStore(t, 'docs/stores/memory.md'))

t.test('the program of docs/stores/file.md keeps sessions', (t) =>
  runStore(t, 'docs/stores/file.md', { '/var/lib/shop/sessions': join(t.testdirName, 'sessions') })
)

t.test('the program of docs/stores/sqlite.md keeps sessions', async (t) => {
  // Where there is no node:sqlite, the page says, better-sqlite3 takes its place.
  const other = { "{ DatabaseSync } from 'node:sqlite'": "DatabaseSync from 'better-sqlite3'" }
  const library = (await importNodeSqlite()) === undefined ? other : {}
  await runStore(t, 'docs/stores/sqlite.md', { ...library, '/var/lib/shop/sessions.db': ':memory:' })
})

t.test('the programs with Redis keep sessions', async (t) => {
  const redis = await startRedis()
  if (redis === undefined) return cannotTest(t, 'the programs with Redis', 'no redis-server')
  t.teardown(() => redis.end())
  const words = { 'redis://127.0.0.1:6379': `redis://127.0.0.1:${redis.ports[0]}` }
  for (const file of ['docs/stores/redis.md', 'docs/stores/express.md']) {
    await t.test(file, (t) => runStore(t, file, words))
  }
})

t.test('the program of docs/stores/postgres.md keeps sessions, and the statements of the page run', async (t) => {
  const postgres = await reachPostgres(t)
  if (postgres === undefined) return
  t.teardown(() => postgres.end())
  const url = new URL(postgres.url)
  url.searchParams.set('options', `-c search_path=${postgres.schema}`)
  await t.test('the program', (t) =>
    runStore(t, 'docs/stores/postgres.md', {
      'process.env.DATABASE_URL': JSON.stringify(url),
      '{ logger: true }': ''
    })
  )
  const pool = postgres.pool()
  const statements = blocks(read('docs/stores/postgres.md'), 'sql')
    // What the `migrate()` of the program has run.
    .filter((code) => !code.startsWith('CREATE TABLE'))
    .flatMap((code) => code.match(/[^;]+;/g) ?? [])
    // Of an extension, which has to be loaded when the server starts.
    .filter((statement) => !statement.includes('pg_stat_statements'))
  t.ok(statements.length > 10)
  for (const statement of statements) await t.resolves(pool.query(statement), statement)
})

t.test('the program of docs/stores/mysql.md keeps sessions, and the statements of the page run', async (t) => {
  const mysql = await reachMySql(t)
  if (mysql === undefined) return
  t.teardown(() => mysql.end())
  await t.test('the program', (t) =>
    runStore(t, 'docs/stores/mysql.md', {
      'process.env.MYSQL_URL': JSON.stringify(mysql.url),
      '{ logger: true }': ''
    })
  )
  const pool = mysql.pool()
  const statements = blocks(read('docs/stores/mysql.md'), 'sql')
    // What the `migrate()` of the program has run.
    .filter((code) => !code.startsWith('CREATE TABLE'))
    .flatMap((code) => code.match(/[^;]+;/g) ?? [])
  t.ok(statements.length > 5)
  for (const statement of statements) await t.resolves(pool.query(statement), statement)
})

t.test('the program of docs/why-no-cookie.md logs what the page shows', async (t) => {
  const file = 'docs/why-no-cookie.md'
  const [program] = programsOf(file)
  const rest = `
    app.get('/', async ({ session }) => session.isNew)
    await app.listen({ host: '127.0.0.1', port: 0 })`
  const path = join(t.testdir({ 'program.mts': `${program?.code}${rest}` }), 'program.mts')
  const { url, line, stop } = await startProgram(['--import=tsx', path], { SESSION_SECRET: SECRET })
  t.teardown(stop)
  await fetch(`${url}`)
  const [shown = ''] = blocks(read(file), 'json')
  const isShown = (line: string): boolean => {
    if (!line.startsWith('{')) return false
    const { time, pid, hostname, reqId, ...logged } = JSON.parse(line)
    return JSON.stringify(logged) === shown.trim()
  }
  await t.resolves(line(isShown))
})

t.test('the tests of docs/concurrency.md pass', async (t) => {
  const [code = '', ...others] = blocks(read('docs/concurrency.md'), 'ts').filter((code) =>
    code.includes("'node:test'")
  )
  t.same(others, [])
  const file = join(t.testdir({ 'store.test.mts': code }), 'store.test.mts')
  // Which reporter is the usual one depends on the version.
  const { lines, stop } = await startProgram(['--import=tsx', '--test-reporter=tap', file])
  t.equal(await stop(), 0)
  t.match(lines.join('\n'), /^# pass \d{2,}$/m)
})

t.test('the program of a doc comment runs: lib/plugin.ts', async (t) => countVisits(t, await run(t, 'lib/plugin.ts')))

t.test('the program of a doc comment runs: lib/login/login.ts', async (t) => {
  const app = await run(t, 'lib/login/login.ts')
  const navigation = { accept: 'text/html', 'sec-fetch-mode': 'navigate' }
  const reply = await app.inject({ url: '/me', headers: navigation })
  t.match(reply, { statusCode: 302, headers: { location: '/login' } })
})

t.test('the programs in JavaScript run as CommonJS', async (t) => {
  const programs = GUIDES.flatMap((page) => blocks(read(page), 'js'))
  t.ok(programs.length > 0)
  for (const [index, code] of programs.entries()) {
    const name = `${index}.cjs`
    const file = join(t.testdir({ [name]: `${code}\nmodule.exports = app\n` }), name)
    const app: FastifyInstance = createRequire(import.meta.url)(file)
    app.get('/', async ({ session }) => session.isNew)
    t.equal((await app.inject('/')).body, 'true')
    await app.close()
  }
})
