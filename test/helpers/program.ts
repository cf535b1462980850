import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const ROOT = join(import.meta.dirname, '../..')

/** A program that was started. */
export interface Program {
  /** What it has printed so far. */
  readonly lines: readonly string[]
  /** Where it listens, as far as it has said so. */
  readonly url: string | undefined
  /** Asks it to end, and gives its exit code when it has. */
  stop(): Promise<number | null>
}

/**
 * Starts `node` with these arguments at the root of the work tree, without a secret and on a port of the system's choice unless
 * `env` says otherwise. Resolves when the program says where it listens, or has ended.
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
  // Not 'exit', after which some of its lines may still come.
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
