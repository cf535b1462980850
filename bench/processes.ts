import type { ChildProcess, StdioOptions } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'

const CHILDREN: URL = new URL('dist/', import.meta.url)
/** Higher than other processes of the machine. */
const PRIORITY = -18

/** The cores to which processes are pinned. */
export interface Cores {
  readonly server: string
  /** Of Redis, and of what sends requests. */
  readonly other: string
}

/** Returns two cores that this process may use. If it cannot pin processes, it warns and returns undefined. */
export function findCores(): Cores | undefined {
  const hasTaskset = spawnSync('taskset', ['--version']).status === 0
  if (!hasTaskset) {
    console.warn('There is no taskset: processes are not pinned to cores, so the figures vary more.')
    return undefined
  }
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? ''
  const allowed = list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
  const [other, server] = allowed.slice(-2)
  return other === undefined || server === undefined ? undefined : { server: String(server), other: String(other) }
}

/** Starts a program on a core, with a priority that keeps other work away from it. */
export function spawnOn(core: string | undefined, command: readonly string[], stdio: StdioOptions): ChildProcess {
  const [file = '', ...parameters] = core === undefined ? command : ['taskset', '-c', core, ...command]
  // Detached, so that it is in a process session of its own: see prioritise().
  const child = spawn(file, parameters, { stdio, detached: true })
  prioritise(child.pid)
  return child
}

let hasWarnedOfPriority = false

/** Sets the priority of a process, and of its group where Linux groups processes by session (autogroup). */
function prioritise(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    setPriority(pid, PRIORITY)
    const group = `/proc/${pid}/autogroup`
    if (existsSync(group)) writeFileSync(group, String(PRIORITY))
  } catch {
    if (!hasWarnedOfPriority)
      console.warn('This process cannot raise priorities: the figures vary more on a busy machine.')
    hasWarnedOfPriority = true
  }
}

/** A child process that answers each message with one. It ends when the channel closes. */
export class Child {
  readonly #process: ChildProcess
  readonly #name: string

  constructor(core: string | undefined, script: string, ...parameters: readonly string[]) {
    this.#name = [script, ...parameters].join(' ')
    const node = [process.execPath, fileURLToPath(new URL(script, CHILDREN)), ...parameters]
    this.#process = spawnOn(core, node, ['ignore', 'inherit', 'inherit', 'ipc'])
  }

  async ask(message: object): Promise<unknown> {
    this.#process.send(message)
    return this.reply()
  }

  /** Resolves with the next message, which at the start nobody has to ask for. */
  reply(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const onMessage = (message: unknown): void => {
        this.#process.off('exit', onExit)
        resolve(message)
      }
      const onExit = (code: number | null): void => {
        this.#process.off('message', onMessage)
        reject(new Error(`${this.#name} ended with ${code}`))
      }
      this.#process.once('message', onMessage)
      this.#process.once('exit', onExit)
    })
  }

  async stop(): Promise<void> {
    const gone = once(this.#process, 'exit')
    this.#process.disconnect()
    await gone
  }
}
