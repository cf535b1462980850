import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { getSession } from '../../lib/index.ts'
import { parseCookie } from '../../lib/inspect-cookie.ts'
import { createApp } from '../helpers/app.ts'

const ROOT = join(import.meta.dirname, '../..')
const PAGES = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', 'example/README.md'],
  ...readdirSync(join(ROOT, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`)
]

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8')
}

/** The contents of the code blocks in a language. */
function blocks(text: string, language: string): string[] {
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, of, code = '']) =>
    of === language ? [code] : []
  )
}

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

t.test('the program of the README does what the transcript shows', async (t) => {
  const [program = ''] = blocks(read('README.md'), 'ts')
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
  const url = `http://127.0.0.1:${port}`

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
})

t.test('every snippet of docs/session.md gives what stands behind its arrows', async (t) => {
  const AsyncFunction: FunctionConstructor = Object.getPrototypeOf(async () => undefined).constructor
  const snippets = blocks(read('docs/session.md'), 'ts').filter((code) => !code.startsWith('import '))
  t.ok(snippets.length > 20)
  let arrows = 0
  for (const snippet of snippets) {
    const code = snippet.replace(
      /^(.+?) \/\/ => (.+)$/gm,
      (_line, actual: string, expected: string) => `same(${actual}, ${expected}, ${JSON.stringify(actual)})`
    )
    const { app, warnings } = await createApp()
    app.get('/', async (request, reply) => {
      const same = (actual: unknown, expected: unknown, label: string): void => {
        arrows++
        t.same(actual, expected, label)
      }
      const run = new AsyncFunction('request', 'reply', 'session', 'getSession', 'same', code)
      await run(request, reply, request.session, getSession, same)
      return reply.sent ? reply : ''
    })
    t.equal((await app.inject('/')).statusCode, 200, snippet)
    t.same(warnings(), [], snippet)
  }
  t.equal(arrows, read('docs/session.md').match(/ \/\/ => /g)?.length)
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

t.test('every option, cookie attribute and member of a session is described', async (t) => {
  const [, options = ''] = read('types/options.ts').split('export interface CommonSessionOptions')
  for (const [, option = ''] of options.split('\n}', 1)[0]?.matchAll(/^ {2}(\w+)\??:/gm) ?? []) {
    t.ok(read('docs/options.md').includes(`\n## \`${option}\``), option)
    t.ok(read('README.md').includes(`\n| \`${option}\` |`), option)
  }
  const attributes = read('types/options.ts').split('export interface CookieAttributes')[1]?.split('\n}', 1)[0] ?? ''
  for (const [, attribute = ''] of attributes.matchAll(/^ {2}(\w+)\?:/gm)) {
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

t.test('CONTRIBUTING.md has the table of test/imports.test.ts, and a line for each file', async (t) => {
  const page = read('CONTRIBUTING.md')
  const [, table = ''] = read('test/imports.test.ts').split('const ROWS')
  const rows = [...(table.split('\n]\n', 1)[0] ?? '').matchAll(/^ {2}\[([^\]]*)\]/gm)]
  t.ok(rows.length > 5)
  rows.forEach(([, row = ''], index) => {
    const names = [...row.matchAll(/'([^']+)'/g)].map(([, name = '']) => name)
    t.ok(page.includes(`\n| ${index} | ${names.map((name) => `\`${name}\``).join(', ')} |\n`), `row ${index}`)
    const [, files = ''] = page.split('| file | |')
    for (const name of names) t.ok(files.includes(`\`${name}\``), name)
  })
})

t.test('every test that docs/security.md names is there', async (t) => {
  const table = read('docs/security.md').split('## Requirements and tests')[1] ?? ''
  const files = [...table.matchAll(/`(test\/[\w./-]+)`(?:: ([^|`]+?))?(?=\s*(?:\||; `))/g)]
  t.ok(files.length > 25, `${files.length} tests`)
  for (const [, file = '', names = ''] of files) {
    for (const name of names.split('; ')) t.ok(read(file).includes(name), `${file}: ${name}`)
  }
})
