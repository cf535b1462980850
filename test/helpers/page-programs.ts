import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import type * as Tap from 'tap'
import { ROOT } from './pages.ts'

/** Runs in the program's process before the program, and sends the port to the parent. */
const TELL_PORT = `
  import { Server } from 'node:net'
  const { listen } = Server.prototype
  Server.prototype.listen = function (...args) {
    this.once('listening', () => this.address()?.port && process.send(this.address().port))
    return listen.apply(this, args)
  }
`

/** Runs a program of a page in a process and returns its URL. `files` lie beside the program. */
export async function startPageProgram(
  t: Tap.Test,
  program: string,
  settings: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, string>> = {}
): Promise<string> {
  // Within the work tree, where the package finds itself by its name.
  const file = join(t.testdir({ ...files, 'server.mts': program }), 'server.mts')
  return (await startProgramFile(t, file, settings)).url
}

/** A program that listens. */
export interface Running {
  readonly url: string
  readonly child: ChildProcess
  /** Resolves with its exit code and the signal that ended it. */
  readonly ended: Promise<unknown[]>
}

/** The same for a program in a file. */
export async function startProgramFile(
  t: Tap.Test,
  file: string,
  settings: Readonly<Record<string, string>> = {}
): Promise<Running> {
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
  return { url: `http://127.0.0.1:${port}`, child, ended }
}

/** Returns a function that sends requests to a program with the cookie that came last. It follows no redirects. */
export function browse(
  url: string,
  headers: Readonly<Record<string, string>> = {}
): (path: string, init?: RequestInit) => Promise<Response> {
  let cookie: { cookie?: string } = {}
  return async (path, init) => {
    const response = await fetch(url + path, { redirect: 'manual', ...init, headers: { ...headers, ...cookie } })
    const [line] = response.headers.getSetCookie()
    if (line !== undefined) cookie = line.includes('Max-Age=0') ? {} : { cookie: line.split(';', 1)[0] ?? '' }
    return response
  }
}
