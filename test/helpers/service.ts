import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Returns a free port of the loopback interface. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Repeats `check` until it succeeds, for services that need time to start. After `seconds` it throws the last error. */
export async function until<T>(check: () => Promise<T>, seconds = 20): Promise<T> {
  const deadline = Date.now() + seconds * 1000
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (Date.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

/** A server process of a test, in a temporary folder. */
export class Service {
  readonly directory: string
  readonly process: ChildProcess

  /** `command` receives the folder, and returns the program and its arguments. Rejects if there is no such program. */
  static async start(
    command: (directory: string) => readonly string[],
    as: { uid?: number; gid?: number } = {}
  ): Promise<Service> {
    const service = new Service(command, as)
    await once(service.process, 'spawn')
    return service
  }

  private constructor(command: (directory: string) => readonly string[], as: { uid?: number; gid?: number }) {
    this.directory = mkdtempSync(join(tmpdir(), 'session-test-'))
    const [program = '', ...parameters] = command(this.directory)
    this.process = spawn(program, parameters, { stdio: 'ignore', cwd: this.directory, ...as })
    const end = (): boolean => this.process.kill('SIGKILL')
    process.once('exit', end)
    this.process.once('exit', () => process.off('exit', end))
  }

  /** Freezes the process: connections stay open, but it answers nothing. A thread goes on until the signal reaches it. */
  pause(): void {
    this.process.kill('SIGSTOP')
    for (let looks = 0; looks < 10_000 && !isStopped(this.process); looks++);
  }

  resume(): void {
    this.process.kill('SIGCONT')
  }

  /** Ends the process, and waits for its end. */
  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill(signal)
      this.process.kill('SIGCONT')
      await once(this.process, 'exit')
    }
    rmSync(this.directory, { recursive: true, force: true })
  }
}

interface Skippable {
  test(name: string, options: { skip: string }, run: () => Promise<void>): unknown
  fail(message: string): unknown
}

/** Prints what cannot be tested here, and why. In CI this fails the test. */
export function cannotTest(t: Skippable, what: string, reason: string): void {
  console.error(`\n*** NOT TESTED: ${what}: ${reason} ***\n`)
  if (process.env.CI) t.fail(`not tested: ${what}: ${reason}`)
  else t.test(what, { skip: reason }, async () => {})
}

/** Whether no thread of a process runs. Only Linux tells. */
function isStopped({ pid }: ChildProcess): boolean {
  const threads = `/proc/${pid}/task`
  // A number, the name in parentheses, and the state.
  const isStill = (thread: string): boolean => / T [^)]*$/.test(readFileSync(join(threads, thread, 'stat'), 'utf8'))
  try {
    return !existsSync(threads) || readdirSync(threads).every(isStill)
  } catch {
    // The thread has ended since it was listed.
    return false
  }
}
