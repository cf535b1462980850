import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type * as Tap from 'tap'
import { cannotTest } from './service.ts'

/** Debian's, which has the packages of Debian. */
const PYTHON = process.env.PYTHON ?? '/usr/bin/python3'

/** Whether there is a Flask for the tests of a file. Reports it if there is none. */
export function hasFlask(t: Tap.Test, what: string): boolean {
  const { status } = spawnSync(PYTHON, ['-c', 'import flask, flask_login'], { stdio: 'ignore' })
  if (status === 0) return true
  cannotTest(t, what, `${PYTHON} has no Flask and no Flask-Login; set PYTHON to one that has`)
  return false
}

/** Runs a Python program, and gives what it prints. */
export function runPython(parameters: readonly string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync(PYTHON, parameters, { input, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return stdout
}

/** Starts a Flask application, which prints its URL, until the end of the test. Gives the URL. */
export async function startFlask(t: Tap.Test, file: string, env: Readonly<Record<string, string>>): Promise<string> {
  const flask = spawn(PYTHON, [file], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = once(flask, 'exit')
  t.teardown(async () => {
    flask.kill()
    await ended
  })
  for await (const line of createInterface(flask.stdout)) {
    const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(line) ?? []
    if (url !== undefined) return url
  }
  throw new Error(`${file} has ended.`)
}
