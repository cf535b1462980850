import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Session, SessionStore } from '../../../lib/index.ts'
import { MemoryStore, requireSession } from '../../../lib/index.ts'
import { createClient } from '../../../lib/testing/create-client.ts'
import { sessionCookie } from '../../../lib/testing/session-cookie.ts'
import { setCookieLines } from '../../../lib/testing/set-cookie.ts'
import { SITE } from '../../../lib/util/site.ts'
import { createApp } from '../../helpers/app.ts'
import { browse, startPageProgram } from '../../helpers/page-programs.ts'
import { blocks, membersOf, ROOT, read } from '../../helpers/pages.ts'

const PAGE = read('docs/stores.md')

t.test('the program of docs/stores.md does what its comments say', async (t) => {
  const [program = ''] = blocks(PAGE, 'ts').filter((code) => code.includes('.listen('))
  const url = await startPageProgram(t, program)
  const visitor = (browser: string) => {
    const send = browse(url, { 'user-agent': browser })
    return async (path: string, method = 'GET') => {
      const response = await send(path, { method })
      return { status: response.status, text: await response.text() }
    }
  }
  const [laptop, phone] = [visitor('laptop'), visitor('phone')]
  t.same(await laptop('/'), { status: 200, text: 'visit 1\n' })
  const counted = await Promise.all(Array.from({ length: 20 }, () => laptop('/')))
  t.same(
    counted.map(({ text }) => text).sort(),
    Array.from({ length: 20 }, (_, index) => `visit ${index + 2}\n`).sort()
  )
  t.equal((await laptop('/devices')).status, 401)
  t.equal((await laptop('/logout-others', 'POST')).status, 401)
  await laptop('/login', 'POST')
  await phone('/login', 'POST')
  t.equal((await laptop('/')).text, 'visit 22\n', 'the login kept what was there')
  const devices = JSON.parse((await laptop('/devices')).text) as {
    handle: string
    current: boolean
    description: unknown
  }[]
  t.same(
    devices
      .map(({ current, description }) => ({ current, description }))
      .sort((a, b) => Number(a.current) - Number(b.current)),
    [
      { current: false, description: { browser: 'phone' } },
      { current: true, description: { browser: 'laptop' } }
    ]
  )
  const other = devices.find(({ current }) => !current)?.handle
  t.equal((await visitor('stranger')(`/devices/${other}`, 'DELETE')).status, 404, 'only their own')
  t.equal((await phone('/news')).text, 'news for user 7\n')
  t.equal((await laptop(`/devices/${other}`, 'DELETE')).status, 200)
  t.equal((await phone('/news')).text, 'news\n')
  await phone('/login', 'POST')
  t.equal((await laptop('/logout-others', 'POST')).text, '1 ended\n')
  t.equal((await phone('/news')).text, 'news\n')
  t.equal((await laptop('/news')).text, 'news for user 7\n')
})

t.test('every store has its page with its options, its row in docs/stores.md, and a link in the README', async (t) => {
  const { exports } = JSON.parse(read('package.json')) as { exports: Record<string, unknown> }
  const paths = Object.keys(exports).filter((path) => path.startsWith('./stores/'))
  t.ok(paths.length >= 5)
  const rows: readonly string[] = PAGE.match(/^\| \[`\w+Store`\]\(.*$/gm) ?? []
  const links: readonly string[] = read('README.md').match(/\[`\w+Store`\]\(.+?\/stores\/\w+\)/g) ?? []
  t.equal(rows.length, paths.length + 1)
  t.equal(links.length, paths.length + 1)
  for (const name of ['memory', ...paths.map((path) => path.slice('./stores/'.length))]) {
    const title = name === 'mysql' ? 'MySqlStore' : `${name.charAt(0).toUpperCase()}${name.slice(1)}Store`
    const start = `| [\`${title}\`](stores/${name}.md)`
    t.ok(
      rows.some((row) => row.startsWith(start)),
      title
    )
    t.ok(links.includes(`[\`${title}\`](${SITE}/stores/${name})`), title)
    const options = membersOf(storeFile(name), `${title}Options`)
    t.ok(options.includes('clock'), title)
    for (const option of options) {
      t.ok(read(`docs/stores/${name}.md`).includes(`\n| \`${option}\` |`), `${title}: ${option}`)
    }
  }
})

/** Stores with parts of their own have a folder, and some a file for their options. */
function storeFile(name: string): string {
  const files = [`lib/stores/${name}.ts`, `lib/stores/${name}/options.ts`, `lib/stores/${name}/index.ts`]
  return files.find((file) => existsSync(join(ROOT, file))) as string
}

/** The handler that makes the calls of each row. */
const REQUESTS: Readonly<Record<string, (session: Session) => unknown>> = {
  'the session is unused, or only read': (session) => session.visits,
  'data change': (session) => {
    session.visits = 2
  },
  '`update()`': (session) =>
    session.update((data) => {
      data.visits = 2
    }),
  '`reload()`': (session) => session.reload(),
  '`renew()`, `setOwner()` of another owner, or `regenerate()` with keys': (session) => session.renew(),
  '`regenerate()`': async (session) => {
    await session.regenerate()
    session.visits = 3
  },
  '`destroy()`': (session) => session.destroy()
}

t.test('each kind of request calls the store as docs/stores.md says, and no more', async (t) => {
  const calls: string[] = []
  const noting = (store: SessionStore): SessionStore =>
    new Proxy(store, {
      get(target, name) {
        // The table is for stores that take time.
        if (name === 'loadsAtOnce') return undefined
        const method: unknown = Reflect.get(target, name)
        // What is published is not in the table, because nobody waits for it.
        if (typeof method !== 'function' || name === 'publish') return method
        return (...parameters: unknown[]) => {
          calls.push(`\`${String(name)}\``)
          return method.apply(target, parameters)
        }
      }
    })
  const { app, clock } = await createApp({ store: (clock) => noting(new MemoryStore({ clock })) })
  let handle: (session: Session) => unknown = () => undefined
  app.get('/', async ({ session }) => {
    await handle(session)
    return ''
  })
  app.get('/seen', async ({ session }) => session.visits ?? '')
  app.get('/unseen', async () => '')
  app.get('/off', { config: { session: false } }, async ({ session }) => session.visits ?? '')

  const guarded = { preValidation: async () => clock.advance(1), preHandler: requireSession('visits') }
  app.get('/guarded', guarded, async () => '')

  const seen = new Map<string, string>()
  const note = async (row: string, run: () => Promise<string>): Promise<void> => {
    calls.length = 0
    const cookie = await run()
    seen.set(row, `${calls.join(', ') || 'none'} | ${cookie}`.trim())
  }
  const visitor = await createClient(app)
  const get = async (path = '/'): Promise<string> => {
    const [line] = setCookieLines(await visitor.get(path))
    if (line === undefined) return 'no'
    return line.includes('Max-Age=0') ? 'cleared' : 'yes'
  }
  const remember = async (): Promise<string> => {
    handle = (session) => {
      session.visits = 1
    }
    return get()
  }

  await note('without a session cookie', get)
  await note('data is stored in a new session', remember)
  await note('to a route with `session: false`', () => get('/off'))
  for (const [row, run] of Object.entries(REQUESTS)) {
    await remember()
    handle = run
    await note(row, get)
  }
  await remember()
  handle = (session) => session.setOwner('ada')
  const renewed = '`renew()`, `setOwner()` of another owner, or `regenerate()` with keys'
  await note(renewed, get)
  const counted = seen.get(renewed)
  handle = (session) => session.regenerate(['visits'])
  await note(renewed, get)
  t.equal(seen.get(renewed), counted)
  await note('a guard, `freshness` seconds after the request started', () => get('/guarded'))
  await note('the session is unused, or only read', () => get('/unseen'))
  clock.advance(60)
  await note('the same, when `lastSeenAt` is due', () => get('/unseen'))
  handle = (session) => session.setOwner('ada')
  await get()
  await app.sessions.revokeAll('ada')
  await note('with the cookie of a session that has ended', () => get('/seen'))
  await note('with a forged or malformed cookie', async () => {
    visitor.jar.set('session', `r2${'A'.repeat(136)}`)
    return get('/seen')
  })
  const cookie = await sessionCookie(app, { visits: 1 })
  for (const [row, run] of Object.entries({
    'app.sessions.list()': () => app.sessions.list('ada'),
    'app.sessions.revoke()': () => app.sessions.revoke('A'.repeat(43)),
    'app.sessions.revokeAll()': () => app.sessions.revokeAll('ada'),
    'app.sessions.ofRaw()': () => app.sessions.ofRaw({ headers: { cookie } })
  })) {
    await note(`\`${row}\``, async () => {
      await run()
      return ''
    })
  }

  const [, section = ''] = PAGE.split('### The calls of a request\n')
  const [table = ''] = section.split('\n#', 1)
  const rows = [...table.matchAll(/^\| (.+?) \| (.+?) \|(.*)\|$/gm)].slice(2)
  t.same(
    Object.fromEntries(rows.map(([, row = '', made, cookie = '']) => [row, `${made} | ${cookie.trim()}`.trim()])),
    Object.fromEntries(seen)
  )
})
