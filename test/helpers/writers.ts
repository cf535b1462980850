import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const NODE_ARGUMENTS = [`--import=${join(import.meta.dirname, 'strip-types.mjs')}`, '--no-warnings']

/** Starts a script of this folder in a process of its own. Its standard streams are pipes, but for errors. */
export function startScript(script: string, parameters: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [...NODE_ARGUMENTS, join(import.meta.dirname, script), ...parameters], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // Coverage is of this process; what a killed one would report is half a file.
    env: { ...process.env, NODE_V8_COVERAGE: undefined, NODE_OPTIONS: undefined }
  })
  const kill = (): boolean => child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  return child
}

/** The lines that a child prints. */
export async function* linesOf(child: ChildProcess): AsyncGenerator<string> {
  if (child.stdout !== null) yield* createInterface({ input: child.stdout })
}

/** Waits until a child has ended by itself; how. */
export async function ended(child: ChildProcess): Promise<number | string | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.exitCode ?? child.signalCode
}

/** Kills a writer after so many lines; the last number that it had acknowledged. */
export async function killAfter(child: ChildProcess, lines: number): Promise<number> {
  let last = 0
  for await (const line of linesOf(child)) {
    last = Number(line)
    if (last === lines) child.kill('SIGKILL')
  }
  await ended(child)
  return last
}
