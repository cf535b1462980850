import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { createClient } from '../../lib/testing/create-client.ts'
import { SECRET } from '../helpers/app.ts'

const ROOT = join(import.meta.dirname, '../..')

// By a name that the compiler does not follow: the example sees the built package, these tests its sources.
const path = String(new URL('../../example/app.ts', import.meta.url))
const { buildApp } = (await import(path)) as { buildApp(options: { secret: string }): Promise<FastifyInstance> }

t.test('the example counts, lets in, shows and forgets', async (t) => {
  const visitor = await createClient(await buildApp({ secret: SECRET }))
  const post = (url: string, payload: string) =>
    visitor.post(url, { payload, headers: { 'content-type': 'application/x-www-form-urlencoded' } })
  t.match((await visitor.get('/')).body, /<strong>1<\/strong>/)
  t.match((await visitor.get('/')).body, /<strong>2<\/strong>/)
  t.match(await visitor.get('/members'), { statusCode: 302, headers: { location: '/login' } })
  t.match((await visitor.get('/login')).body, /<form method="post" action="\/login">/)
  t.match(await post('/login', 'username=%20'), { statusCode: 400, body: /Please say who you are/ })
  t.match(await post('/login', 'username=%3Cb%3EAna'), { statusCode: 303, headers: { location: '/members' } })
  const members = await visitor.get('/members')
  t.match(members.body, /<h1>Welcome, &#60;b&#62;Ana<\/h1>/)
  t.match(await post('/logout', ''), { statusCode: 303, headers: { location: '/' } })
  t.match((await visitor.get('/')).body, /<strong>1<\/strong>/)
})

/** Starts the server as `npm start` does, until it prints `awaited` or ends. */
async function start(
  env: Record<string, string>,
  awaited: RegExp
): Promise<{ lines: string[]; stop(): Promise<number | null> }> {
  const { SESSION_SECRET, NODE_ENV, ...rest } = process.env
  const child = spawn(process.execPath, ['--import=tsx', 'example/server.ts'], {
    cwd: ROOT,
    env: { ...rest, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const lines: string[] = []
  const ended = once(child, 'exit')
  await new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on('line', (line) => {
        lines.push(line)
        if (awaited.test(line)) resolve()
      })
    }
    ended.then(() => resolve())
  })
  return {
    lines,
    stop: async () => {
      child.kill('SIGTERM')
      const [code] = await ended
      return code
    }
  }
}

t.test('in development a missing secret is replaced, and said so in one line', async (t) => {
  const { lines, stop } = await start({}, /Listening/)
  t.equal(await stop(), 0)
  t.equal(lines.filter((line) => line.includes('SESSION_SECRET')).length, 1)
  t.match(lines.at(-1), /Listening on http:\/\/127\.0\.0\.1:\d+/)
})

t.test('in production a missing secret refuses to start', async (t) => {
  // It ends by itself: nothing else is waited for.
  const { lines, stop } = await start({ NODE_ENV: 'production' }, /Listening/)
  t.equal(await stop(), 1)
  t.match(lines.join('\n'), /ERR_SESSION_SECRET_MISSING/)
})
