import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type * as Tap from 'tap'
import t from 'tap'
import * as errors from '../../lib/errors.ts'
import type { Session, SessionStore } from '../../lib/index.ts'
import { MemoryStore } from '../../lib/index.ts'
import { parseCookie } from '../../lib/inspect-cookie.ts'
import { createApp } from '../helpers/app.ts'
import { setCookies, Visitor } from '../helpers/jar.ts'
import { blocks, ROOT, read, runSnippet } from '../helpers/pages.ts'

const PAGES = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', 'example/README.md'],
  ...['docs', 'docs/stores'].flatMap((folder) =>
    readdirSync(join(ROOT, folder))
      .filter((file) => file.endsWith('.md'))
      .map((file) => `${folder}/${file}`)
  )
]

interface Exchange {
  method: string
  path: string
  status: number
  headers: [name: string, value: string][]
  body: string
}

/** The requests of the transcript, with the replies below them. */
function exchanges(): Exchange[] {
  const [transcript = ''] = blocks(read('README.md'), 'console')
  return transcript.split(/^\$ /m).flatMap((part) => {
    const [command = '', statusLine = '', ...lines] = part.split('\n')
    const [, method = 'GET', path = ''] =
      /^curl -i -b jar -c jar (?:-X (\w+) )?http:\/\/127\.0\.0\.1:3000(\/\S*)$/.exec(command) ?? []
    if (path === '') return []
    const blank = lines.indexOf('')
    const headers = lines.slice(0, blank).map((line): [string, string] => {
      const colon = line.indexOf(': ')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 2)]
    })
    return { method, path, status: Number(statusLine.split(' ')[1]), headers, body: `${lines[blank + 1]}\n` }
  })
}

/** A Set-Cookie line without what no two runs have in common. */
function attributesOf(line: string | undefined): string | undefined {
  return line?.replace(/^session=[\w.-]+;/, 'session=…;')
}

/** Runs in the program's process before the program, and tells its parent the port. */
const TELL_PORT = `
  import { Server } from 'node:net'
  const { listen } = Server.prototype
  Server.prototype.listen = function (...args) {
    this.once('listening', () => this.address()?.port && process.send(this.address().port))
    return listen.apply(this, args)
  }
`

/** Runs a program of the README and gives its address. */
async function start(t: Tap.Test, program: string): Promise<string> {
  // Within the work tree, where the package finds itself by its name.
  const file = join(t.testdir({ 'server.mts': program }), 'server.mts')
  const env = { ...process.env, PORT: '0', SESSION_SECRET: randomBytes(32).toString('hex') }
  const preload = `--import=data:text/javascript,${encodeURIComponent(TELL_PORT)}`
  const child = spawn(process.execPath, ['--import=tsx', preload, file], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc']
  })
  const ended = once(child, 'exit')
  t.teardown(async () => {
    child.kill()
    await ended
  })
  const [port] = await Promise.race([once(child, 'message'), ended])
  return `http://127.0.0.1:${port}`
}

t.test('the program of the README does what the transcript shows', async (t) => {
  const [program = ''] = blocks(read('README.md'), 'ts')
  const url = await start(t, program)

  let cookie = ''
  const shown = exchanges()
  t.same(
    shown.map(({ method, path }) => `${method} ${path}`),
    ['GET /', 'POST /login', 'GET /', 'POST /logout']
  )
  for (const { method, path, status, headers, body } of shown) {
    const response = await fetch(url + path, { method, headers: cookie === '' ? {} : { cookie } })
    const label = `${method} ${path}`
    t.equal(response.status, status, label)
    t.equal(await response.text(), body, label)
    for (const [name, value] of headers) {
      const actual = response.headers.get(name) ?? undefined
      if (name === 'set-cookie') t.equal(attributesOf(actual), attributesOf(value), label)
      else if (name === 'date') t.ok(actual)
      else t.equal(actual, value, `${label}: ${name}`)
    }
    t.same([...response.headers.keys()].sort(), headers.map(([name]) => name).sort(), label)
    const [line = ''] = response.headers.getSetCookie()
    cookie = line.includes('Max-Age=0') ? '' : (line.split(';', 1)[0] ?? '')
  }
  t.equal(cookie, '', 'the logout cleared the cookie')
  t.equal(await fetch(url).then((response) => response.text()), 'visit 1 of a stranger\n')
})

t.test('the program with a store does what its comments say', async (t) => {
  const [program = ''] = blocks(read('README.md'), 'ts').filter((code) => /new MemoryStore\([\s\S]*listen\(/.test(code))
  const url = await start(t, program)
  const visitor = (browser: string) => {
    let cookie = ''
    return async (path: string, method = 'GET') => {
      const headers = { 'user-agent': browser, ...(cookie === '' ? {} : { cookie }) }
      const response = await fetch(url + path, { method, headers })
      cookie = response.headers.getSetCookie()[0]?.split(';', 1)[0] ?? cookie
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

t.test('the program of docs/inspector.md shows a session, and tells it as data', async (t) => {
  const page = read('docs/inspector.md')
  const [program = '', route = ''] = blocks(page, 'ts')
  const url = await start(t, program.replace('await app.listen(', `${route}$&`))
  const first = await fetch(`${url}/add/Ada`)
  const [cookie = ''] = first.headers.getSetCookie()[0]?.split(';', 1) ?? []
  const shown = await fetch(`${url}/session-inspector`, { headers: { cookie } }).then((reply) => reply.text())
  t.match(shown, '<code>[&#34;Ada&#34;]</code>')
  t.match(shown, '<code>GET /add/Ada</code>')
  const why = await fetch(`${url}/why`, { headers: { cookie } }).then((reply) => reply.json())
  t.match(why, { bytes: cookie.length - 1, why: 'created' })

  const described = [...membersOf('types/inspector.ts', 'InspectorOptions'), 'layout']
  t.ok(described.includes('allowInProduction'))
  for (const member of [...described, ...membersOf('types/inspector.ts', 'SessionInspection')]) {
    t.ok(page.includes(`\n| \`${member}\` |`), member)
  }
  for (const name of ['CookiePart', 'InspectedCookie', 'InspectedSession', 'SessionDecision']) {
    for (const member of membersOf('types/inspector.ts', name))
      t.ok(page.includes(`\`${member}\``), `${name}.${member}`)
  }
})

t.test('the cookies of the transcript hold what the page says', async (t) => {
  const bodies = exchanges().map(({ headers }) => {
    const { value } = parseCookie(headers.find(([name]) => name === 'set-cookie')?.[1] ?? '', '')
    return Buffer.from(value.split('.')[1] ?? '', 'base64url').toString()
  })
  const data = bodies.map((body) => body.slice(33))
  t.same(data, ['{"visits":1}', '{"visits":1,"userId":7}', '{"visits":2,"userId":7}', ''])
  const ids = bodies.map((body) => body.slice(11, 33))
  t.not(ids[0], ids[1], 'the login changed the id')
  t.equal(ids[1], ids[2])
})

t.test('the sizes in the README are the largest that are sent', async (t) => {
  const [, signed, encrypted] = /up to (\d+) bytes of JSON \|.* up to (\d+) bytes of JSON/.exec(read('README.md')) ?? []
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
  const [, reference] = /a MAC: (\d+) bytes with the name `session`/.exec(read('README.md')) ?? []
  const { app } = await createApp({ store: new MemoryStore() })
  app.get('/', async ({ session }) => {
    session.name = 'x'.repeat(100_000)
    return ''
  })
  const { name, value } = parseCookie(String((await app.inject('/')).headers['set-cookie']), '')
  t.equal(name.length + value.length, Number(reference))
})

t.test('every snippet of docs/session.md gives what stands behind its arrows', async (t) => {
  const page = read('docs/session.md')
  const bare = blocks(page, 'ts').filter((code) => !code.startsWith('import '))
  const stored = blocks(page, 'ts with a store')
  t.ok(bare.length > 20)
  t.ok(stored.length > 3)
  let arrows = 0
  for (const snippet of bare) arrows += await runSnippet(t, snippet)
  for (const snippet of stored) arrows += await runSnippet(t, snippet, { store: (clock) => new MemoryStore({ clock }) })
  t.equal(arrows, page.match(/ \/\/ => /g)?.length)
})

/** The names that headings of a page have in links, as GitHub makes them. */
function anchors(text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```$/gm, '')
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-')
  )
}

t.test('every link within the repository leads somewhere', async (t) => {
  let links = 0
  for (const page of PAGES) {
    const prose = read(page).replace(/^```[\s\S]*?^```$/gm, '')
    for (const [, target = ''] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue
      const [path = '', anchor] = target.split('#', 2)
      const file = path === '' ? page : join(dirname(page), path)
      links++
      if (!existsSync(join(ROOT, file))) t.fail(`${page} links to ${target}`)
      else if (anchor !== undefined) t.ok(anchors(read(file)).includes(anchor), `${page}: ${target}`)
    }
  }
  t.ok(links > 50, `${links} links`)
})

/** The members of a union of literals in types/. */
function literals(file: string): string[] {
  return [...read(file).matchAll(/^ {2}\| '([\w-]+)'/gm)].map(([, literal = '']) => literal)
}

t.test('every error code and every reason has its row', async (t) => {
  const codes = literals('types/errors.ts')
  t.ok(codes.length >= 12)
  for (const code of codes) t.ok(read('docs/errors.md').includes(`\n| \`${code}\` |`), code)
  const reasons = new Set(literals('types/diagnostics.ts'))
  t.ok(reasons.size >= 20)
  for (const reason of reasons) t.ok(read('docs/why-no-cookie.md').includes(`\n| \`${reason}\` |`), reason)
  for (const page of PAGES) {
    const unknown = [...read(page).matchAll(/ERR_SESSION_[A-Z_]+[A-Z]/g)].filter(([code]) => !codes.includes(code))
    t.same(unknown, [], page)
  }
})

/** The properties of an interface, as they are declared. */
function membersOf(file: string, name: string): string[] {
  const body =
    read(file)
      .split(new RegExp(`export interface ${name}\\b`))[1]
      ?.split('\n}', 1)[0] ?? ''
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??:/gm)].map(([, member = '']) => member)
}

t.test('every option, cookie attribute and member of a session is described', async (t) => {
  const options = ['CommonSessionOptions', 'CookieSessionOptions', 'StoredSessionOptions'].flatMap((name) =>
    membersOf('types/options.ts', name)
  )
  t.ok(options.includes('secret') && options.includes('store') && options.includes('encrypt'))
  for (const option of new Set([...options, 'cookieName', 'cookie'])) {
    t.ok(read('docs/options.md').includes(`\n## \`${option}\``), option)
    t.ok(read('README.md').includes(`\n| \`${option}\` |`), option)
  }
  for (const attribute of membersOf('types/options.ts', 'CookieAttributes')) {
    t.ok(read('docs/options.md').includes(`\n| \`${attribute}\` |`), attribute)
    t.ok(read('README.md').includes(`\n| \`${attribute}\` |`), attribute)
  }
  const methods = read('types/session.ts').split('class SessionMethods')[1]?.split('\n}', 1)[0] ?? ''
  const names = new Set([...methods.matchAll(/^ {2}(?:get |set )?(\w+)(?=[(<])/gm)].map(([, name = '']) => name))
  t.ok(names.size >= 24, [...names].join(' '))
  for (const name of names) {
    t.match(read('docs/session.md'), new RegExp(`^###.*\`${name}[(\`]`, 'm'), name)
    t.match(read('README.md'), new RegExp(`^\\|.*\`${name}[(\`].*\\|`, 'm'), name)
  }
})

t.test('the status of each error with a store is the one that it has', (t) => {
  const rows = [...read('docs/errors.md').matchAll(/^\| `(ERR_SESSION_\w+)` \| (\d+) \|/gm)]
  const actual = Object.values(errors)
    .flatMap((value) => (value.prototype instanceof Error ? [new (value as typeof errors.GoneError)('')] : []))
    .filter(({ statusCode }) => statusCode !== 500)
  t.same(
    rows.map(([, code, status]) => `${code} ${status}`).sort(),
    actual.map(({ code, statusCode }) => `${code} ${statusCode}`).sort()
  )
  t.end()
})

t.test('every store has its page, with its options, and the same row in both tables', async (t) => {
  const { exports } = JSON.parse(read('package.json')) as { exports: Record<string, unknown> }
  const paths = Object.keys(exports).filter((path) => path.startsWith('./stores/'))
  t.ok(paths.length >= 5)
  const rowsOf = (page: string): string[] =>
    [...read(page).matchAll(/^\| \[`\w+Store`\]\(.*$/gm)].map(([row]) => row.replace('(docs/stores/', '(stores/'))
  const rows = rowsOf('README.md')
  t.same(rows, rowsOf('docs/stores.md'))
  t.equal(rows.length, paths.length + 1)
  for (const name of ['memory', ...paths.map((path) => path.slice('./stores/'.length))]) {
    const title = `${name.charAt(0).toUpperCase()}${name.slice(1)}Store`
    const start = `| [\`${title}\`](stores/${name}.md)`
    t.ok(
      rows.some((row) => row.startsWith(start)),
      title
    )
    const options = membersOf(`lib/store/${name}.ts`, `${title}Options`)
    t.ok(options.includes('clock'), title)
    for (const option of options) {
      t.ok(read(`docs/stores/${name}.md`).includes(`\n| \`${option}\` |`), `${title}: ${option}`)
    }
  }
})

/** What leads to the calls of each row. */
const REQUESTS: Readonly<Record<string, (session: Session) => unknown>> = {
  'nobody looks at the session, or it is only read': (session) => session.visits,
  'data change': (session) => {
    session.visits = 2
  },
  '`update()`': (session) =>
    session.update((data) => {
      data.visits = 2
    }),
  '`reload()`': (session) => session.reload(),
  '`renew()`, or `assign()` of another owner': (session) => session.renew(),
  '`regenerate()`': (session) => session.regenerate(['visits']),
  '`destroy()`': (session) => session.destroy()
}

t.test('each kind of request calls the store as docs/stores.md says, and no more', async (t) => {
  const calls: string[] = []
  const noting = (store: SessionStore): SessionStore =>
    new Proxy(store, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name)
        if (typeof method !== 'function') return method
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

  const seen = new Map<string, string>()
  const note = async (row: string, run: () => Promise<string>): Promise<void> => {
    calls.length = 0
    const cookie = await run()
    seen.set(row, `${calls.join(', ') || 'none'} | ${cookie}`.trim())
  }
  const visitor = new Visitor(app)
  const get = async (path = '/'): Promise<string> => {
    const [line] = setCookies(await visitor.get(path))
    if (line === undefined) return 'no'
    return line.includes('Max-Age=0') ? 'cleared' : 'yes'
  }
  const remember = async (): Promise<string> => {
    handle = (session) => {
      session.visits = 1
    }
    return get()
  }

  await note('without a cookie of ours', get)
  await note('data are stored in a new session', remember)
  await note('to a route with `session: false`', () => get('/off'))
  for (const [row, run] of Object.entries(REQUESTS)) {
    await remember()
    handle = run
    await note(row, get)
  }
  await remember()
  handle = (session) => session.assign('ada')
  await note('`renew()`, or `assign()` of another owner', get)
  await note('nobody looks at the session, or it is only read', () => get('/unseen'))
  clock.advance(60)
  await note('the same, when activity is to be noted', () => get('/unseen'))
  await note('with a forged or malformed cookie', async () => {
    visitor.jar.cookies.set('session', `r1${'A'.repeat(136)}`)
    return get('/seen')
  })
  for (const [row, run] of Object.entries({
    'app.sessions.list()': () => app.sessions.list('ada'),
    'app.sessions.revoke()': () => app.sessions.revoke('A'.repeat(43)),
    'app.sessions.revokeAll()': () => app.sessions.revokeAll('ada')
  })) {
    await note(`\`${row}\``, async () => {
      await run()
      return ''
    })
  }

  const [, section = ''] = read('docs/stores.md').split('### The calls of a request\n')
  const [table = ''] = section.split('\n#', 1)
  const rows = [...table.matchAll(/^\| (.+?) \| (.+?) \|(.*)\|$/gm)].slice(2)
  t.same(
    Object.fromEntries(rows.map(([, row = '', made, cookie = '']) => [row, `${made} | ${cookie.trim()}`.trim()])),
    Object.fromEntries(seen)
  )
})

t.test('CONTRIBUTING.md has the table of test/imports.test.ts, and a line for each file', async (t) => {
  const page = read('CONTRIBUTING.md')
  const [, table = ''] = read('test/imports.test.ts').split('const ROWS')
  const rows = [...(table.split('\n]\n', 1)[0] ?? '').matchAll(/^ {2}\[(?:[^\n]+\]|\n.*?\n {2}\]),?$/gms)]
  t.ok(rows.length > 5)
  const [, files = ''] = page.split('| file | |')
  // In a line whose first file has its folder, those after it may do without.
  const described = [...files.matchAll(/^\| (`.*?`) \|/gm)].flatMap(([, cell = '']) => {
    const [first = '', ...others] = cell.replaceAll('`', '').split(', ')
    const folder = first.slice(0, first.lastIndexOf('/') + 1)
    return [first, ...others.map((name) => (name.includes('/') ? name : folder + name))]
  })
  rows.forEach(([row], index) => {
    const names = [...row.matchAll(/'([^']+)'/g)].map(([, name = '']) => name)
    t.ok(page.includes(`\n| ${index} | ${names.map((name) => `\`${name}\``).join(', ')} |\n`), `row ${index}`)
    for (const name of names) t.ok(described.includes(name), name)
  })
})

t.test('every test that docs/security.md names is there', async (t) => {
  const table = read('docs/security.md').split('## Requirements and tests')[1] ?? ''
  const files = [...table.matchAll(/`((?:test|lib\/testing)\/[\w./-]+)`(?:: ([^|`]+?))?(?=\s*(?:\||; `))/g)]
  t.ok(files.length > 25, `${files.length} tests`)
  for (const [, file = '', names = ''] of files) {
    for (const name of names.split('; ')) t.ok(read(file).includes(name), `${file}: ${name}`)
  }
})
