import t from 'tap'
import type { Results } from '../../bench/report.ts'
import { findCookies } from '../../lib/diagnostics/inspect-cookie.ts'
import { MemoryStore } from '../../lib/index.ts'
import { createApp } from '../helpers/app.ts'
import { startPageProgram } from '../helpers/page-programs.ts'
import { blocks, read } from '../helpers/pages.ts'
import { assertShown, exchanges } from '../helpers/transcripts.ts'

const PAGE = read('README.md')
const MODES = read('docs/modes.md')
const COMPARED = read('docs/compared.md')
const TRANSCRIPT = 'docs/transcript.md'

const NONE = { name: '', value: '' }

t.test('the README has at most 165 lines, and few of them are in tables', async (t) => {
  const lines = PAGE.trimEnd().split('\n')
  t.ok(lines.length <= 165, `${lines.length} lines`)
  const rows = lines.filter((line) => line.startsWith('|'))
  t.ok(rows.length <= 8, `${rows.length} rows`)
})

t.test('the README has both commands for a clone, word for word', async (t) => {
  const lines = blocks(PAGE, 'sh').flatMap((code) => code.split('\n'))
  t.ok(lines.includes('npm ci && npm start'))
  t.ok(lines.includes('npm ci && npm test'))
})

t.test('the program of the README does what the transcript shows', async (t) => {
  const [program = ''] = blocks(PAGE, 'ts')
  const url = await startPageProgram(t, program)

  const shown = exchanges(TRANSCRIPT)
  t.same(
    shown.map(({ method, path }) => `${method} ${path}`),
    ['GET /', 'POST /login', 'GET /', 'POST /logout']
  )
  const { names, cookie } = await assertShown(t, TRANSCRIPT, url)
  t.same(
    names,
    shown.map(({ headers }) => headers.map(([name]) => name).sort())
  )
  t.equal(cookie, '', 'the logout cleared the cookie')
  t.equal(await fetch(url).then((response) => response.text()), 'visit 1 of a stranger\n')
})

t.test('the cookies of the transcript hold what the page says', async (t) => {
  const bodies = exchanges(TRANSCRIPT).map(({ headers }) => {
    const [{ value } = NONE] = findCookies(headers.find(([name]) => name === 'set-cookie')?.[1] ?? '', '')
    return Buffer.from(value.split('.')[1] ?? '', 'base64url').toString()
  })
  const data = bodies.map((body) => body.slice(33))
  t.same(data, ['{"visits":1}', '{"visits":1,"userId":7}', '{"visits":2,"userId":7}', ''])
  for (const json of data) t.ok(json === '' || read(TRANSCRIPT).includes(`\`${json}\``), json)
  const ids = bodies.map((body) => body.slice(11, 33))
  t.not(ids[0], ids[1], 'the login changed the id')
  t.equal(ids[1], ids[2])
})

t.test('the sizes in docs/modes.md are the largest that are sent', async (t) => {
  const [, signed, encrypted] = /up to (\d+) bytes of JSON \|.* up to (\d+) bytes of JSON/.exec(MODES) ?? []
  for (const [size, encrypt] of [
    [Number(signed), false],
    [Number(encrypted), true]
  ] as const) {
    const { app } = await createApp({ encrypt })
    app.get<{ Params: { size: number } }>('/:size', async ({ session, params }) => {
      session.name = 'x'.repeat(params.size - '{"name":""}'.length)
      return ''
    })
    t.equal((await app.inject(`/${size}`)).statusCode, 200)
    t.equal((await app.inject(`/${size + 1}`)).json().code, 'ERR_SESSION_TOO_LARGE')
  }
  const [, reference] = /a MAC: (\d+) bytes with the name `session`/.exec(MODES) ?? []
  const { app } = await createApp({ store: new MemoryStore() })
  app.get('/', async ({ session }) => {
    session.name = 'x'.repeat(100_000)
    return ''
  })
  const [{ name, value } = NONE] = findCookies(String((await app.inject('/')).headers['set-cookie']), '')
  t.equal(name.length + value.length, Number(reference))
})

/** The least and the most that a read or a write costs in one system, in small and large sessions, as a share of another. */
function ratios(all: Readonly<Record<string, Results>>, system: string, peer: string): string {
  const shares = Object.values(all).flatMap(({ tables }) =>
    ['200 bytes of data', '2 KB of data'].flatMap((title) =>
      (tables[title] ?? [])
        .flatMap(({ comparisons }) => comparisons)
        .filter((comparison) => comparison.system === system && comparison.peer === peer)
        .flatMap(({ ratios: { read, write } }) => [read.value, write.value])
    )
  )
  return `${Math.min(...shares).toFixed(2)} to ${Math.max(...shares).toFixed(2)}`
}

t.test('the CPU times of docs/compared.md are those of bench/results.json', async (t) => {
  const results: Readonly<Record<string, Results>> = JSON.parse(read('bench/results.json'))
  const [, fact = ''] = /^(- \*\*CPU time that a read or a write adds[\s\S]*?)\n\n/m.exec(COMPARED) ?? []
  t.same(fact.replace(/\s+/g, ' ').match(/\d\.\d\d to \d\.\d\d/g), [
    ratios(results, 'memory', 'fastify-session'),
    ratios(results, 'redis', 'fastify-session-redis'),
    ratios(results, 'signed', 'secure-session'),
    ratios(results, 'encrypted', 'secure-session')
  ])
})

/** The cells of a row of the table in docs/concurrency.md, by column, without bold. */
function race(name: string): Map<string, string> {
  const rows = read('docs/concurrency.md')
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('**', '')))
  const [header = []] = rows.filter((cells) => cells.includes('ours, MemoryStore'))
  const [cells = []] = rows.filter(([, label]) => label === name)
  return new Map(header.map((column, index) => [column, cells[index] ?? '']))
}

t.test('docs/compared.md says of requests that overlap what docs/concurrency.md shows', async (t) => {
  const theirs = [...race('100 × `n++`').keys()].filter((column) => /^(@fastify\/session|express-session)/.test(column))
  t.equal(theirs.length, 4)
  const keys = race('20 requests write 20 keys')
  const updates = race('100 × `update()`, or `n++` where there is none')
  const logout = race('a logout, then a slower writer ends')
  for (const column of theirs) {
    t.equal(keys.get(column), '1 kept', column)
    t.equal(updates.get(column), '1', column)
    t.equal(logout.get(column), 'logged in', column)
  }
  t.equal(logout.get('@fastify/secure-session'), 'logged in')
  for (const column of ['ours, MemoryStore', 'ours, RedisStore']) {
    t.equal(keys.get(column), '20 kept', column)
    t.equal(updates.get(column), '100', column)
    t.equal(logout.get(column), 'logged out', column)
  }
  t.match(COMPARED, /20 requests that write 20 keys keep 20, and 100 `update\(\)` calls at once\s+add 100/)
  t.match(COMPARED, /`@fastify\/session` and `express-session` keep 1 and add 1/)
  t.match(COMPARED, /in all three others a slower\s+writer does/)
})
