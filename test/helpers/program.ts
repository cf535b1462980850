import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const ROOT = join(import.meta.dirname, '../..')

/** A running program. */
export interface Program {
  /** The lines that it has printed so far. */
  readonly lines: readonly string[]
  /** The URL that it listens on; undefined if it has not printed one. */
  readonly url: string | undefined
  /** Sends SIGTERM, waits for the end, and returns the exit code. */
  stop(): Promise<number | null>
}

/**
 * Starts `node` with these arguments at the root of the repository. Unless `env` says otherwise, it has no secret and listens on
 * a free port. Resolves when the program prints its URL or ends.
 */
export async function startProgram(
  parameters: readonly string[],
  env: Readonly<Record<string, string>> = {}
): Promise<Program> {
  const { SESSION_SECRET, NODE_ENV, ...rest } = process.env
  const child = spawn(process.execPath, parameters, {
    cwd: ROOT,
    env: { ...rest, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const lines: string[] = []
  // Not 'exit': further lines may come after it.
  const ended = once(child, 'close')
  const findUrl = (): string | undefined => /http:\/\/127\.0\.0\.1:\d+/.exec(lines.join('\n'))?.[0]
  await new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on('line', (line) => {
        lines.push(line)
        if (findUrl() !== undefined) resolve()
      })
    }
    ended.then(() => resolve())
  })
  return {
    lines,
    url: findUrl(),
    stop: async () => {
      child.kill('SIGTERM')
      const [code] = await ended
      return code
    }
  }
}
