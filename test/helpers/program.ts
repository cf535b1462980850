import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const ROOT = join(import.meta.dirname, '../..')

/** A running program. */
export interface Program {
  /** The lines that it has printed so far. */
  readonly lines: readonly string[]
  /** The URL that it listens on; undefined if it has not printed one. */
  readonly url: string | undefined
  /** Resolves with the first line that passes, when the program has printed it; rejects when it ends without it. */
  line(passes: (line: string) => boolean): Promise<string>
  /** Asks it to end, and gives its exit code when it has. */
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
  const printed = new EventEmitter()
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on('line', (line) => {
      lines.push(line)
      printed.emit('line')
    })
  }
  const findLine = (passes: (line: string) => boolean): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = lines.find(passes)
        if (found !== undefined) resolve(found)
      }
      printed.on('line', look)
      ended.then(() => reject(new Error(`The program ended:\n${lines.join('\n')}`)))
      look()
    })
  const urlOf = (line: string): string | undefined => /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0]
  const url = await findLine((line) => urlOf(line) !== undefined).then(urlOf, () => undefined)
  return {
    lines,
    url,
    line: findLine,
    stop: async () => {
      child.kill('SIGTERM')
      const [code] = await ended
      return code
    }
  }
}
