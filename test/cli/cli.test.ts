import t from 'tap'
import { runCli } from '../../lib/cli/cli.ts'
import { RandomPool } from '../../lib/crypto/random.ts'
import { resolveOptions } from '../../lib/options.ts'
import { GuardedStore } from '../../lib/stores/guarded.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { createTransport } from '../../lib/transport/modes.ts'
import { CIPHER } from '../format/samples.ts'
import { SECRET } from '../helpers/app.ts'

const NOW = 1_763_640_000

async function run(
  args: string[],
  env: Record<string, string> = {}
): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []]
  const code = await runCli(args, {
    env,
    log: (text) => out.push(text),
    error: (text) => err.push(text),
    clock: () => NOW * 1000
  })
  return { code, out: out.join('\n'), err: err.join('\n') }
}

function seal(encrypt: boolean, id = 'A'.repeat(22), ownerId?: string): string {
  const transport = createTransport(
    resolveOptions({ secret: SECRET, encrypt }),
    undefined,
    new RandomPool(),
    encrypt ? CIPHER : undefined
  )
  const json = '{"userId":7,"name":"Ana\\u009b"}'
  const record = {
    id,
    createdAt: NOW - 60,
    lastSeenAt: NOW - 30,
    permanent: true,
    ownerId,
    extensions: undefined,
    json
  }
  return transport.seal(record)
}

t.test('secret prints 32 random bytes that the plugin accepts', async (t) => {
  t.match((await run(['secret'])).out, /^[0-9a-f]{64}$/)
  t.match((await run(['secret', '--format', 'hex'])).out, /^[0-9a-f]{64}$/)
  t.match((await run(['secret', '--format=base64url'])).out, /^[\w-]{43}$/)
  t.not((await run(['secret'])).out, (await run(['secret'])).out)
  for (const format of ['hex', 'base64url']) {
    const { out } = await run(['secret', '--format', format])
    t.doesNotThrow(() => resolveOptions({ secret: out }))
  }
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
  const times = { createdAt: NOW + 5, lastSeenAt: NOW + 5, extensions: undefined }
  const json = '{}'
  const cookie = transport.seal({ id: 'A'.repeat(22), ...times, permanent: false, ownerId: undefined, json })
  t.match((await run(['inspect', cookie])).out, /created +2025-11-20T12:00:05\.000Z \(in 5 s\)\n[\s\S]*permanent +no\n/)
})

t.test('the secret and the control characters of a forged cookie never reach the terminal', async (t) => {
  const hostile = seal(false, `\u001b[31m${'A'.repeat(17)}`, '\u001b]0;x')
  const { out } = await run(['inspect', hostile, '--name', 'a\u0007'], { SESSION_SECRET: SECRET })
  t.notMatch(out, /[^\P{Cc}\n]/u)
  t.notMatch(out, SECRET)
})

t.test('a wrong command line is explained, with exit code 2', async (t) => {
  t.match(await run([]), { code: 2, err: /A command is missing\.[\s\S]*Usage:/ })
  t.match(await run(['doctor', 'x']), { code: 2, err: /Unknown command: doctor x/ })
  t.match(await run(['inspect']), { code: 2, err: /inspect takes exactly one cookie/ })
  t.match(await run(['secret', 'extra']), { code: 2 })
  t.match(await run(['secret', '--format', 'base32']), { code: 2, err: /--format must be hex or base64url/ })
  t.match(await run(['secret', '--name', 'x']), { code: 2, err: /secret has no option --name/ })
  t.match(await run(['inspect', 'x', '--format', 'hex']), { code: 2, err: /inspect has no option --format/ })
  t.match(await run(['secret', '--bogus']), { code: 2, err: /--bogus/ })
  t.match(await run(['inspect', 'x', '--idle-timeout', 'soon']), { code: 2, err: /idleTimeout must be a whole number/ })
  t.match(await run(['inspect', 'x'], { SESSION_SECRET: 'short' }), { code: 2, err: /at least 32 characters/ })
})

t.test('--help prints the usage', async (t) => {
  t.match(await run(['--help']), { code: 0, out: /^Usage:/ })
})

t.test('a bug is not reported as a usage error', async (t) => {
  const broken = {
    env: {},
    log: () => {
      throw new RangeError('bug')
    },
    error: () => {},
    clock: () => 0
  }
  await t.rejects(runCli(['secret'], broken), { message: 'bug' })
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
