import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:http'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import type * as Tap from 'tap'
import t from 'tap'
import { parseCookie } from '../../lib/diagnostics/inspect-cookie.ts'
import * as errors from '../../lib/errors.ts'
import type { Session, SessionStore } from '../../lib/index.ts'
import { MemoryStore, safeNext } from '../../lib/index.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createApp } from '../helpers/app.ts'
import { AuthorizationServer, CLIENT } from '../helpers/authorization-server.ts'
import { blocks, PAGES, ROOT, read, runSnippet } from '../helpers/pages.ts'
import { shakeHands } from '../helpers/sockets.ts'

interface Exchange {
  method: string
  path: string
  sent: Record<string, string>
  status: number
  headers: [name: string, value: string][]
  body: string
}

/** The requests of a page's transcripts, with the replies below them. */
function exchanges(page: string): Exchange[] {
  const transcripts = blocks(read(page), 'console').join('')
  return transcripts.split(/^\$ /m).flatMap((part) => {
    const [command = '', statusLine = '', ...lines] = part.split('\n')
    const [, options = '', path = ''] =
      /^curl -i -b jar -c jar (.*?)'?http:\/\/127\.0\.0\.1:3000(\/[^\s']*)'?$/.exec(command) ?? []
    if (path === '') return []
    const [, method = 'GET'] = /-X (\w+)/.exec(options) ?? []
    const sent = Object.fromEntries(
      [...options.matchAll(/-H '([^:]+): ([^']+)'/g)].map(([, name, value]) => [name, value])
    )
    const blank = lines.indexOf('')
    const headers = lines.slice(0, blank).map((line): [string, string] => {
      const colon = line.indexOf(': ')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 2)]
    })
    return { method, path, sent, status: Number(statusLine.split(' ')[1]), headers, body: lines[blank + 1] ?? '' }
  })
}

/** Sends what a page shows, with the cookie that came last, and compares. Gives the names of all headers that came. */
async function assertShown(t: Tap.Test, page: string, url: string): Promise<{ names: string[][]; cookie: string }> {
  const names: string[][] = []
  let cookie = ''
  for (const { method, path, sent, status, headers, body } of exchanges(page)) {
    const label = `${method} ${path}`
    // Not by fetch, which says that it navigates nowhere.
    const options = { method, headers: { accept: '*/*', ...sent, ...(cookie === '' ? {} : { cookie }) } }
    const [response] = (await once(request(url + path, options).end(), 'response')) as [IncomingMessage]
    t.equal(response.statusCode, status, label)
    t.equal((await text(response)).trimEnd(), body, label)
    for (const [name, value] of headers) {
      const actual = response.headers[name]
      if (name === 'set-cookie') t.equal(attributesOf(actual?.[0]), attributesOf(value), label)
      else if (name === 'date') t.ok(actual)
      else t.equal(actual, value, `${label}: ${name}`)
    }
    names.push(Object.keys(response.headers).sort())
    const line = response.headers['set-cookie']?.[0] ?? cookie
    cookie = line.includes('Max-Age=0') ? '' : (line.split(';', 1)[0] ?? '')
  }
  return { names, cookie }
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

/** Runs a program of a page and gives its address. */
async function start(t: Tap.Test, program: string, settings: Record<string, string> = {}): Promise<string> {
  // Within the work tree, where the package finds itself by its name.
  const file = join(t.testdir({ 'server.mts': program }), 'server.mts')
  const env = { ...process.env, PORT: '0', SESSION_SECRET: randomBytes(32).toString('hex'), ...settings }
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

/** Asks a program with the cookie that it has set. Follows no redirects. */
function browse(
  url: string,
  headers: Record<string, string> = {}
): (path: string, init?: RequestInit) => Promise<Response> {
  let cookie: { cookie?: string } = {}
  return async (path, init) => {
    const response = await fetch(url + path, { redirect: 'manual', ...init, headers: { ...headers, ...cookie } })
    const [line] = response.headers.getSetCookie()
    if (line !== undefined) cookie = line.includes('Max-Age=0') ? {} : { cookie: line.split(';', 1)[0] ?? '' }
    return response
  }
}

t.test('the program of the README does what the transcript shows', async (t) => {
  const [program = ''] = blocks(read('README.md'), 'ts')
  const url = await start(t, program)

  const shown = exchanges('README.md')
  t.same(
    shown.map(({ method, path }) => `${method} ${path}`),
    ['GET /', 'POST /login', 'GET /', 'POST /logout']
  )
  const { names, cookie } = await assertShown(t, 'README.md', url)
  t.same(
    names,
    shown.map(({ headers }) => headers.map(([name]) => name).sort())
  )
  t.equal(cookie, '', 'the logout cleared the cookie')
  t.equal(await fetch(url).then((response) => response.text()), 'visit 1 of a stranger\n')
})

t.test('the program of docs/guards.md does what its transcripts show', async (t) => {
  const page = 'docs/guards.md'
  const [program = ''] = blocks(read(page), 'ts')
  const url = await start(t, program)
  t.same(
    exchanges(page).map(({ status, path }) => `${status} ${path}`),
    ['401 /orders', '302 /orders?page=2', '303 /login', '200 /orders?page=2', '403 /users']
  )
  await assertShown(t, page, url)
})

t.test('the table of docs/guards.md shows what safeNext gives', async (t) => {
  const { app } = await createApp()
  app.get('/', async (request) => safeNext(request))
  const [, table = ''] = read('docs/guards.md').split('| in `?next=` | `safeNext(request)` |\n')
  const rows = [...(table.split('\n\n', 1)[0]?.matchAll(/^\| (`.+?`(?:, `.+?`)*).*? \| `(.+?)`.* \|$/gm) ?? [])]
  t.equal(rows.length, 6)
  for (const [, addresses = '', expected] of rows) {
    for (const [, address = ''] of addresses.matchAll(/`(.+?)`/g)) {
      t.equal((await app.inject(`/?next=${encodeURIComponent(address)}`)).body, expected, address)
    }
  }
  t.equal((await app.inject('/?next=/a&next=/a')).body, '/', 'two of them')
})

t.test('the program with a store does what its comments say', async (t) => {
  const [program = ''] = blocks(read('README.md'), 'ts').filter((code) => /new MemoryStore\([\s\S]*listen\(/.test(code))
  const url = await start(t, program)
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

t.test('the program with a form of docs/passport.md logs in', async (t) => {
  const [program = ''] = blocks(read('docs/passport.md'), 'ts')
  const send = browse(await start(t, program))
  const logIn = (username: string, password: string): Promise<Response> =>
    send('/login', { method: 'POST', body: new URLSearchParams({ username, password }) })
  const leadsTo = async (response: Promise<Response>): Promise<string | null> =>
    (await response).headers.get('location')
  const page = async (path: string): Promise<string> => (await send(path)).text()

  t.equal(await leadsTo(send('/?from=mail')), '/login')
  for (const [name, password] of [
    ['ada', 'a guess'],
    ['nobody', 'lovelace'],
    ['ada', '']
  ] as const) {
    t.equal(await leadsTo(logIn(name, password)), '/login')
    t.match(await page('/login'), '<p>Wrong name or password.</p>')
  }
  t.match(await page('/login'), '<p></p>')
  t.equal(await leadsTo(logIn('ada', 'lovelace')), '/?from=mail')
  t.equal(await page('/'), 'hello ada\n')
  t.equal(await leadsTo(send('/logout', { method: 'POST' })), '/')
  t.equal(await leadsTo(send('/')), '/login')
})

t.test('the program with a provider of docs/passport.md logs in', async (t) => {
  const provider = await AuthorizationServer.start()
  t.teardown(() => provider.stop())
  const program = blocks(read('docs/passport.md'), 'ts').find((code) => code.includes('new OAuth2Strategy')) ?? ''
  const send = browse(
    await start(t, program, {
      PROVIDER: provider.origin,
      ORIGIN: 'http://shop.example',
      CLIENT_ID: CLIENT.id,
      CLIENT_SECRET: CLIENT.secret
    })
  )
  t.equal(await (await send('/')).text(), 'hello stranger\n')
  const { pathname, search } = await provider.visit((await send('/login')).headers.get('location') ?? '')
  t.equal(pathname, '/callback')
  t.equal((await send(pathname + search)).headers.get('location'), '/')
  t.equal(await (await send('/')).text(), 'hello ada\n')
})

t.test('the programs of docs/websocket.md do what the page says', async (t) => {
  const [chat = '', ticks = '', ...others] = blocks(read('docs/websocket.md'), 'ts')
  t.same(others, [])
  const url = await start(t, chat)
  t.equal((await shakeHands(`${url}/chat`)).status, 401)
  const login = await fetch(`${url}/login`, { method: 'POST' })
  const cookie = login.headers.getSetCookie()[0]?.split(';', 1)[0] ?? ''
  const [first, second] = [await shakeHands(`${url}/chat`, { cookie }), await shakeHands(`${url}/chat`, { cookie })]
  const say = async ({ socket }: typeof first): Promise<string> => {
    const answered = once(socket, 'message')
    socket.send('hello')
    return String((await answered)[0])
  }
  t.equal(await say(first), 'message 1 of Ada on 2 sockets')
  t.equal(await say(second), 'message 2 of Ada on 2 sockets')
  await fetch(`${url}/logout`, { method: 'POST', headers: { cookie } })
  const closed = once(first.socket, 'close')
  first.socket.send('hello')
  t.equal((await closed)[0], 1008)
  second.socket.terminate()

  const streams = await start(t, ticks)
  let visitor = ''
  for (const [path, event] of [
    ['/ticks', 'data: stream 1\n\n'],
    ['/raw-ticks', 'data: stream 2\n\n']
  ] as const) {
    const response = await fetch(streams + path, { headers: { cookie: visitor } })
    t.equal(response.headers.get('content-type'), 'text/event-stream', path)
    visitor = response.headers.getSetCookie()[0]?.split(';', 1)[0] ?? ''
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    t.equal(Buffer.from((await reader.read()).value ?? []).toString(), event)
    await reader.cancel()
  }
  t.match(visitor, /^session=s1/)
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
  const bodies = exchanges('README.md').map(({ headers }) => {
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

/** Runs Node.js within the work tree, and gives what it printed. */
async function run(...parameters: string[]): Promise<{ status: number; output: string }> {
  const child = spawn(process.execPath, parameters, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk) => chunks.push(chunk))
  const [status] = await once(child, 'close')
  return { status, output: Buffer.concat(chunks).toString() }
}

t.test('the programs of docs/testing.md pass with each runner that is installed here', async (t) => {
  const page = read('docs/testing.md')
  const [app = '', ...parts] = blocks(page, 'ts')
  const tests = parts.join('\n')
  const [usual = '', ...others] = [...page.matchAll(/^\| .* \| `(import \{ test \} from '.+')` \|$/gm)].map(
    ([, line = '']) => line
  )
  const withTap = tests.replace(usual, others.find((line) => line.endsWith("'tap'")) ?? '')
  t.not(withTap, tests)
  const folder = t.testdir({
    'app.ts': app,
    'app.test.ts': tests,
    'tap.test.ts': withTap
  })
  const count = tests.match(/^test\(/gm)?.length
  for (const file of ['app.test.ts', 'tap.test.ts']) {
    const { status, output } = await run('--test-reporter=tap', '--import=tsx', join(folder, file))
    t.equal(status, 0, file)
    t.equal(output.match(/^ok \d+ - /gm)?.length, count, file)
  }
  t.equal(count, 10)
})

t.test('every option and every result of the testing kit is described', async (t) => {
  const page = read('docs/testing.md')
  const rows = ['session-cookie SessionCookieOptions', 'create-client ClientOptions'].flatMap((place) => {
    const [file, name = ''] = place.split(' ')
    return membersOf(`lib/testing/${file}.ts`, name)
  })
  t.same(rows, ['ownerId', 'user', 'permanent', 'createdAt', 'lastSeenAt', 'data', 'cookies', 'followRedirects'])
  for (const row of [...rows, 'decorator']) t.ok(page.includes(`\n| \`${row}\` |`), row)
  const [, opened = ''] = /^\| `'opened'` \| (.*) \|$/m.exec(page) ?? []
  for (const member of membersOf('lib/testing/read-session.ts', 'OpenedSession')) {
    if (member !== 'reason') t.ok(opened.includes(`\`${member}\``), member)
  }
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
  const guardOptions = [...membersOf('types/guard.ts', 'GuardOptions'), 'onRefused']
  t.ok(guardOptions.length >= 5)
  for (const option of guardOptions) t.ok(read('docs/guards.md').includes(`\n| \`${option}\` |`), option)
  const methods = read('types/session.ts').split('class SessionMethods')[1]?.split('\n}', 1)[0] ?? ''
  const names = new Set([...methods.matchAll(/^ {2}(?:get |set )?(\w+)(?=[(<])/gm)].map(([, name = '']) => name))
  t.ok(names.size >= 24, [...names].join(' '))
  for (const name of names) {
    t.match(read('docs/session.md'), new RegExp(`^###.*\`${name}[(\`]`, 'm'), name)
    t.match(read('README.md'), new RegExp(`^\\|.*\`${name}[(\`].*\\|`, 'm'), name)
  }
})

t.test('the status of each error that has one is the one in its row', (t) => {
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
    const options = membersOf(storeFile(name), `${title}Options`)
    t.ok(options.includes('clock'), title)
    for (const option of options) {
      t.ok(read(`docs/stores/${name}.md`).includes(`\n| \`${option}\` |`), `${title}: ${option}`)
    }
  }
})

/** Stores with parts of their own have a folder. */
function storeFile(name: string): string {
  const file = `lib/stores/${name}.ts`
  return existsSync(join(ROOT, file)) ? file : `lib/stores/${name}/index.ts`
}

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
  '`renew()`, or `setOwner()` of another owner': (session) => session.renew(),
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

  await note('without a cookie of ours', get)
  await note('data are stored in a new session', remember)
  await note('to a route with `session: false`', () => get('/off'))
  for (const [row, run] of Object.entries(REQUESTS)) {
    await remember()
    handle = run
    await note(row, get)
  }
  await remember()
  handle = (session) => session.setOwner('ada')
  await note('`renew()`, or `setOwner()` of another owner', get)
  await note('nobody looks at the session, or it is only read', () => get('/unseen'))
  clock.advance(60)
  await note('the same, when activity is to be noted', () => get('/unseen'))
  await note('with a forged or malformed cookie', async () => {
    visitor.jar.set('session', `r1${'A'.repeat(136)}`)
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

t.test('CONTRIBUTING.md has the table of test/imports.test.ts, and a line for each folder', async (t) => {
  const page = read('CONTRIBUTING.md')
  const [, table = ''] = read('test/imports.test.ts').split('const ROWS')
  const rows = [...(table.split('\n]\n', 1)[0] ?? '').matchAll(/^ {2}\[([^\]]+)\],?$/gm)]
  t.ok(rows.length > 5)
  rows.forEach(([row], index) => {
    const names = [...row.matchAll(/'([^']+)'/g)].map(([, name = '']) => name)
    t.ok(page.includes(`\n| ${index} | ${names.map((name) => `\`${name}\``).join(', ')} |\n`), `row ${index}`)
    for (const name of names.filter((name) => !existsSync(join(ROOT, `lib/${name}.ts`)))) {
      t.ok(page.includes(`\n| \`${name}/\` | `), name)
    }
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
