import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const NODE_ARGUMENTS = [`--import=${join(import.meta.dirname, 'strip-types.mjs')}`, '--no-warnings']

/** Starts a script of this folder in a new process. Its standard input and output are pipes. */
export function startScript(script: string, parameters: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [...NODE_ARGUMENTS, join(import.meta.dirname, script), ...parameters], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // Without coverage: a killed process would write an incomplete report.
    env: { ...process.env, NODE_V8_COVERAGE: undefined, NODE_OPTIONS: undefined }
  })
  const kill = (): boolean => child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  return child
}

/** Returns the lines that a child prints. */
export async function* linesOf(child: ChildProcess): AsyncGenerator<string> {
  if (child.stdout !== null) yield* createInterface({ input: child.stdout })
}

/** Waits for the end of a child. Returns its exit code or its signal. */
export async function ended(child: ChildProcess): Promise<number | string | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.exitCode ?? child.signalCode
}

/** Kills a writer after `lines` lines. Returns the last number that it printed. */
export async function killAfter(child: ChildProcess, lines: number): Promise<number> {
  let last = 0
  for await (const line of linesOf(child)) {
    last = Number(line)
    if (last === lines) child.kill('SIGKILL')
  }
  await ended(child)
  return last
}
