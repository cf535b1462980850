import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { AuthorizationServer, CLIENT } from '../../helpers/authorization-server.ts'
import { browse, startPageProgram } from '../../helpers/page-programs.ts'
import { blocks, membersOf, ROOT, read } from '../../helpers/pages.ts'
import { shakeHands } from '../../helpers/sockets.ts'

t.test('the program with a form of docs/passport.md logs in', async (t) => {
  const [program = ''] = blocks(read('docs/passport.md'), 'ts')
  const send = browse(await startPageProgram(t, program))
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
    await startPageProgram(t, program, {
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
  const url = await startPageProgram(t, chat)
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

  const streams = await startPageProgram(t, ticks)
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
  t.match(visitor, /^session=s2/)
})

t.test('the program of docs/inspector.md shows a session, on a page and as data', async (t) => {
  const page = read('docs/inspector.md')
  const [program = '', route = ''] = blocks(page, 'ts')
  const url = await startPageProgram(t, program.replace('await app.listen(', `${route}$&`), {
    NODE_ENV: 'development'
  })
  const first = await fetch(`${url}/add/Ada`)
  const [cookie = ''] = first.headers.getSetCookie()[0]?.split(';', 1) ?? []
  const shown = await fetch(`${url}/session-inspector`, { headers: { cookie } }).then((reply) => reply.text())
  t.match(shown, '<code>[&#34;Ada&#34;]</code>')
  t.match(shown, '<code>GET /add/Ada</code>')
  const why = await fetch(`${url}/why`, { headers: { cookie } }).then((reply) => reply.json())
  t.match(why, { bytes: cookie.length - 1, why: 'created' })

  const described = [...membersOf('types/inspector.ts', 'InspectorOptions'), 'layout']
  t.ok(described.includes('allowOutsideDevelopment'))
  for (const member of [...described, ...membersOf('types/inspector.ts', 'SessionInspection')]) {
    t.ok(page.includes(`\n| \`${member}\` |`), member)
  }
  for (const name of ['CookiePart', 'InspectedCookie', 'InspectedSession', 'SessionDecision']) {
    for (const member of membersOf('types/inspector.ts', name))
      t.ok(page.includes(`\`${member}\``), `${name}.${member}`)
  }
})

/** Runs Node.js within the work tree, and returns what it printed. */
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
  t.same(rows, [
    'ownerId',
    'user',
    'permanent',
    'idleTimeout',
    'absoluteTimeout',
    'createdAt',
    'lastSeenAt',
    'schemaVersion',
    'data',
    'cookies',
    'followRedirects'
  ])
  for (const row of [...rows, 'decorator']) t.ok(page.includes(`\n| \`${row}\` |`), row)
  const [, opened = ''] = /^\| `'opened'` \| (.*) \|$/m.exec(page) ?? []
  for (const member of membersOf('lib/testing/read-session.ts', 'OpenedSession')) {
    if (member !== 'reason') t.ok(opened.includes(`\`${member}\``), member)
  }
})
