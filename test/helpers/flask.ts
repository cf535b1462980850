import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type * as Tap from 'tap'
import { cannotTest } from './service.ts'

/** Debian's, which has the packages of Debian. */
export const PYTHON: string = process.env.PYTHON ?? '/usr/bin/python3'

/** Where `.ci/run` installs what Debian has not. */
const PACKAGES = join(import.meta.dirname, '../flow/flask/packages')

/** Whether there is a Python with these modules for the tests of a file. Reports it if there is none. */
export function hasPython(t: Tap.Test, what: string, ...modules: readonly string[]): boolean {
  const { status } = spawnSync(PYTHON, ['-c', `import ${modules.join(', ')}`], {
    env: { ...process.env, PYTHONPATH: PACKAGES },
    stdio: 'ignore'
  })
  if (status === 0) return true
  cannotTest(t, what, `${PYTHON} cannot import ${modules.join(', ')}; set PYTHON to one that can`)
  return false
}

/** Starts a Python program, which prints its URL, until the end of the test. Gives the URL. */
export async function startFlask(t: Tap.Test, file: string, env: Readonly<Record<string, string>>): Promise<string> {
  const flask = spawn(PYTHON, [file], {
    env: { ...process.env, PYTHONPATH: PACKAGES, PYTHONDONTWRITEBYTECODE: '1', ...env },
    stdio: ['ignore', 'pipe', 'ignore']
  })
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
