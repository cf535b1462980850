import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type * as Tap from 'tap'
import t from 'tap'
import { blocks, ROOT, read } from '../helpers/pages.ts'
import { freePort, until } from '../helpers/service.ts'
import { recipeText } from './start.ts'

interface Reply {
  readonly status: number | undefined
  /** The first `Set-Cookie`. */
  readonly cookie: string
  readonly trace: string | undefined
  readonly body: string
}

/** Sends a request to localhost, with the certificate of the folder if the program speaks HTTPS. */
async function send(folder: string, url: string, headers: Record<string, string> = {}): Promise<Reply> {
  const outgoing = url.startsWith('https:')
    ? requestHttps(url, { headers, agent: false, ca: readFileSync(join(folder, 'cert.pem')) })
    : requestHttp(url, { headers, agent: false })
  outgoing.end()
  const [incoming] = await once(outgoing, 'response')
  const { 'set-cookie': [cookie = ''] = [], 'session-trace': trace } = incoming.headers
  return { status: incoming.statusCode, cookie, trace, body: await text(incoming) }
}

/** Returns the block of the page whose first command is this. */
function commands(first: string): string {
  return blocks(read('docs/recipes/development.md'), 'sh').find((block) => block.startsWith(`${first} `)) ?? ''
}

/** Starts the program in a folder, as the page does, and waits until it answers. Returns what stops it. */
async function start(
  t: Tap.Test,
  folder: string,
  url: string,
  settings: Readonly<Record<string, string>> = {}
): Promise<() => Promise<void>> {
  const [, ...parameters] = commands('node').trim().split(' ')
  const { NODE_ENV: _, SESSION_SECRET: __, ...env } = process.env
  const child = spawn(process.execPath, ['--import=tsx', ...parameters], {
    cwd: folder,
    env: { ...env, PORT: new URL(url).port, LOG_LEVEL: 'silent', ...settings },
    stdio: ['ignore', 'ignore', 'inherit']
  })
  const ended = once(child, 'exit')
  const stop = async (): Promise<void> => {
    child.kill()
    await ended
  }
  t.teardown(stop)
  await until(() => send(folder, url))
  return stop
}

function shell(folder: string, script: string): void {
  const cli = `node ${join(ROOT, 'dist/lib/cli/bin.js')}`
  execFileSync('sh', ['-c', script.replace('npx fastify-typed-session', cli)], { cwd: folder, stdio: 'pipe' })
}

t.test('development', async (t) => {
  const program = recipeText('development', 'server.mts')
  // Within the work tree, where the package finds itself by its name.
  const folder = t.testdir({ 'server.mts': program })
  const port = await freePort()
  shell(folder, commands('cat'))
  t.match(readFileSync(join(folder, '.gitignore'), 'utf8'), '.env\n')

  const plain = `http://localhost:${port}/`
  const stop = await start(t, folder, plain)
  const first = await send(folder, plain)
  t.match(first.cookie, /^session=.*; HttpOnly; SameSite=Lax$/, 'not Secure')
  t.match(first.trace, /^session; open=no-cookie; commit=/)
  t.equal(first.body, 'visit 1\n')
  t.equal((await send(folder, `${plain}session-inspector`)).status, 200)
  const cookie = first.cookie.split(';')[0] ?? ''
  writeFileSync(join(folder, 'server.mts'), program.replace('visit $', 'Visit $'))
  await until(async () => {
    if ((await send(folder, plain)).body !== 'Visit 1\n') throw new Error('The program was not started again.')
  })
  t.equal((await send(folder, plain, { cookie })).body, 'Visit 2\n', 'the session goes on')
  await stop()

  shell(folder, commands('openssl'))
  const safe = `https://localhost:${port}/`
  const stopSafe = await start(t, folder, safe)
  t.match((await send(folder, safe)).cookie, /^__Host-session=.*; HttpOnly; Secure; SameSite=Lax$/)
  await stopSafe()

  await start(t, folder, safe, { NODE_ENV: 'production' })
  const published = await send(folder, safe)
  t.match(published.cookie, /^__Host-session=/)
  t.equal(published.trace, undefined)
  t.equal((await send(folder, `${safe}session-inspector`)).status, 404)
  t.ok(existsSync(join(folder, '.sessions')))
})
