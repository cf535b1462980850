import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { RandomPool } from '../../lib/crypto/random.ts'
import { resolveOptions } from '../../lib/options.ts'
import { GuardedStore } from '../../lib/stores/guarded.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { createTransport } from '../../lib/transport/modes.ts'
import { CIPHER } from '../format/samples.ts'
import { OTHER_SECRET, SECRET } from '../helpers/app.ts'
import { run as runCli } from '../helpers/run-cli.ts'

const NOW = 1_763_640_000

function run(args: string[], env: Record<string, string> = {}, input = ''): ReturnType<typeof runCli> {
  return runCli(args, { env, input, now: NOW * 1000 })
}

function seal(encrypt: boolean, id = 'A'.repeat(22), ownerId?: string, extensions?: string): string {
  const cipher = encrypt ? CIPHER : undefined
  const transport = createTransport(resolveOptions({ secret: SECRET, encrypt }), undefined, new RandomPool(), cipher)
  const json = '{"userId":7,"name":"Ana\\u009b"}'
  const times = { createdAt: NOW - 60, lastSeenAt: NOW - 30 }
  const record = { id, ...times, permanent: true, ownerId, extensions, json }
  return transport.seal(record)
}

t.test('inspect shows the version of the schema', async (t) => {
  t.match((await run(['inspect', seal(false, undefined, undefined, ':v3')])).out, /^schema +version 3$/m)
  t.notMatch((await run(['inspect', seal(false)])).out, /schema/)
})

t.test('inspect shows the timeouts that a session has of its own, and judges by them, up to the caps', async (t) => {
  const env = { SESSION_SECRET: SECRET }
  const cookie = seal(false, undefined, undefined, ':I29:L4000000')
  const { code, out } = await run(['inspect', cookie], env)
  t.equal(code, 1)
  t.match(out, /^opens +no: expired-idle$/m)
  t.match(out, /^idle timeout +29 s, its own$/m)
  t.match(out, /^absolute timeout +4000000 s, its own$/m)
  const long = seal(false, undefined, undefined, ':I5000')
  t.match((await run(['inspect', long, '--idle-timeout', '10'], env)).out, /no: expired-idle\n/)
  const caps = ['--idle-timeout', '10', '--max-idle-timeout', '5000', '--max-absolute-timeout', '2592000']
  t.match((await run(['inspect', long, ...caps], env)).out, /opens +yes\n/)
  t.notMatch((await run(['inspect', seal(false)])).out, /its own/)
})

t.test('inspect shows a signed cookie without the secret', async (t) => {
  const { code, out } = await run(['inspect', `Set-Cookie: session=${seal(false, undefined, 'ana')}; Path=/`])
  t.equal(code, 0)
  t.match(out, /mode +signed\n/)
  t.match(out, /opens +not checked: set SESSION_SECRET/)
  t.match(out, /last active +2025-11-20T11:59:30\.000Z \(30 s ago\)/)
  t.match(out, /owner +ana\n/)
  t.match(out, /permanent +yes\n/)
  t.match(out, / {2}userId +10 bytes\n/)
  t.match(out, /"userId": 7/)
})

t.test('inspect says whether a cookie opens, and if not, why', async (t) => {
  const env = { SESSION_SECRET: SECRET }
  t.match(await run(['inspect', seal(true)], env), { code: 0, out: /opens +yes\n/ })
  t.match(await run(['inspect', seal(true)]), { code: 0, out: /opens +not checked/ })
  t.notMatch((await run(['inspect', seal(true)])).out, /userId/)
  t.match(await run(['inspect', seal(false), '--name', 'other'], env), { code: 1, out: /opens +no: bad-signature\n/ })
  t.match(await run(['inspect', seal(false), '--idle-timeout', '10'], env), {
    code: 1,
    out: /opens +no: expired-idle\n/
  })
  t.match(await run(['inspect', seal(false), '--absolute-timeout', '50'], env), {
    code: 1,
    out: /no: expired-absolute\n/
  })
  t.match(await run(['inspect', 'junk'], env), { code: 1, out: /opens +no: malformed/ })
  t.match(await run(['inspect', seal(false)], { SESSION_SECRET: 'another secret that is long enough 01' }), {
    code: 1,
    out: /no: unknown-key/
  })
})

t.test('for a session in a store inspect shows the key in the store, never the id', async (t) => {
  const id = 'A'.repeat(43)
  const store = new MemoryStore({ pruneInterval: 0 })
  const transport = createTransport(
    resolveOptions({ secret: SECRET, store }),
    new GuardedStore(store, 60),
    new RandomPool()
  )
  const times = { createdAt: NOW - 60, lastSeenAt: NOW - 30 }
  const cookie = transport.seal({
    id,
    ...times,
    permanent: false,
    ownerId: 'ana',
    extensions: undefined,
    json: '{"a":1}'
  })
  for (const env of [{}, { SESSION_SECRET: SECRET }]) {
    const { code, out } = await run(['inspect', cookie], env)
    t.equal(code, 0)
    t.match(out, /mode +stored\n/)
    t.ok(out.includes(`store key    ${transport.handleOf(id)}`))
    t.notMatch(out, new RegExp(`${id}|ana|data`))
  }
})

t.test('a time in the future is shown as such', async (t) => {
  const transport = createTransport(resolveOptions({ secret: SECRET }), undefined, new RandomPool())
  const times = { createdAt: NOW + 5, lastSeenAt: NOW + 5 }
  const json = '{}'
  const cookie = transport.seal({
    id: 'A'.repeat(22),
    ...times,
    permanent: false,
    ownerId: undefined,
    extensions: undefined,
    json
  })
  t.match((await run(['inspect', cookie])).out, /created +2025-11-20T12:00:05\.000Z \(in 5 s\)\n[\s\S]*permanent +no\n/)
})

t.test('the secret and the control characters of a forged cookie never reach the terminal', async (t) => {
  const hostile = seal(false, `\u001b[31m${'A'.repeat(17)}`, '\u001b]0;x')
  const { out } = await run(['inspect', hostile, '--name', 'a\u0007'], { SESSION_SECRET: SECRET })
  t.notMatch(out, /[^\P{Cc}\n]/u)
  t.notMatch(out, SECRET)
})

t.test('control and bidi characters of a cookie are escaped, wherever they stand', async (t) => {
  const bad = '\u001b[2J\u009b\u202e\u2066\u2028\u200f\u{e0001}\r'
  const json = JSON.stringify({ [`key${bad}`]: `value${bad}` })
  const transport = createTransport(resolveOptions({ secret: SECRET }), undefined, new RandomPool())
  const times = { createdAt: NOW - 60, lastSeenAt: NOW - 30, permanent: true, extensions: undefined }
  const cookie = transport.seal({ id: 'A'.repeat(22), ...times, ownerId: `ana${bad}`, json })
  const { code, out } = await run(['inspect', cookie], { SESSION_SECRET: SECRET })
  t.equal(code, 0)
  t.notMatch(out.replaceAll('\n', ''), /[\p{C}\p{Zl}\p{Zp}]/u)
  t.match(out, /owner +ana\\u001b\[2J\\u009b\\u202e\\u2066\\u2028\\u200f\\udb40\\udc01\\u000d\n/)
  t.same(JSON.parse(out.slice(out.indexOf('{'))), JSON.parse(json), 'the data are the same JSON')
  const named = await run(['inspect', `na${bad}me=${cookie}`])
  t.notMatch(named.out.replaceAll('\n', ''), /[\p{C}\p{Zl}\p{Zp}]/u)
  const wrong = await run([`inspect${bad}`])
  t.notMatch(wrong.err.replaceAll('\n', ''), /[\p{C}\p{Zl}\p{Zp}]/u)
})

t.test('the session is found among the cookies of a header', async (t) => {
  const env = { SESSION_SECRET: SECRET }
  for (const header of [`Cookie: theme=dark; session=${seal(false)}; lang=de`, `theme=dark; session=${seal(false)}`]) {
    t.match(await run(['inspect', header], env), { code: 0, out: /cookie +session, [\s\S]*opens +yes/ })
    t.match(await run(['inspect', header, '--name', 'sid'], env), { code: 0, out: /cookie +session,/ }, 'by its form')
  }
  const genuine = `Cookie: session=junk; session=${seal(false)}`
  t.match(await run(['inspect', genuine], env), { code: 0, out: /opens +yes/ }, 'one that opens')
  t.match(await run(['inspect', 'Cookie: theme=dark'], env), { code: 2, err: /no session cookie in it/ })
})

t.test('a cookie comes from the standard input, too', async (t) => {
  t.match(await run(['inspect', '-'], {}, `session=${seal(false)}\n`), { code: 0, out: /mode +signed/ })
})

t.test('the secrets of a rotation come from the environment or from files', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'cli-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const [first, second] = ['first', 'second'].map((name) => join(directory, name)) as [string, string]
  writeFileSync(first, `${OTHER_SECRET}\n`)
  writeFileSync(second, `${SECRET}\n`)
  const files = ['--secret-file', first, '--secret-file', second]
  t.match(await run(['inspect', seal(false), ...files]), { code: 0, out: /opens +yes/ })
  t.match(await run(['inspect', seal(false), '--secret-file', first]), { code: 1, out: /unknown-key/ })
  const several = { SESSION_SECRETS: `${OTHER_SECRET}, ${SECRET}` }
  t.match(await run(['inspect', seal(false)], several), { code: 0, out: /opens +yes/ })
})

t.test('the columns line up, also below a long key', async (t) => {
  const json = JSON.stringify({ aKeyThatIsLongerThanMost: 1, ['k'.repeat(60)]: 2 })
  const transport = createTransport(resolveOptions({ secret: SECRET }), undefined, new RandomPool())
  const record = {
    id: 'A'.repeat(22),
    createdAt: NOW,
    lastSeenAt: NOW,
    permanent: true,
    ownerId: undefined,
    extensions: undefined,
    json
  }
  const lines = (await run(['inspect', transport.seal(record)])).out.split('\n')
  const columns = lines
    .filter((line) => /^\S|^ {2}a/.test(line))
    .map((line) => /^ *\S+( active| id)? +/.exec(line)?.[0].length)
  t.same([...new Set(columns.slice(0, 8))].length, 1, lines.join('\n'))
})

t.test('a wrong command line is explained', async (t) => {
  t.match(await run(['inspect']), { code: 2, err: /inspect takes exactly one cookie/ })
  t.match(await run(['inspect', 'a', 'b']), { code: 2, err: /inspect takes exactly one cookie/ })
  t.match(await run(['inspect', 'x', '--format', 'hex']), { code: 2, err: /--format/ })
  for (const wrong of ['1h', '', '1.5', '-5']) {
    t.match(await run(['inspect', 'x', `--idle-timeout=${wrong}`]), { code: 2, err: '--idle-timeout takes seconds' })
  }
  t.match(await run(['inspect', 'x', '--absolute-timeout', 'soon']), { code: 2, err: /it got "soon"/ })
  t.match(await run(['inspect', 'x', '--idle-timeout', '9999999']), { code: 2, err: /idleTimeout .* is longer/ })
})
