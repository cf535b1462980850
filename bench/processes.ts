import type { ChildProcess } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Drive, DriverRequest, PayloadName, Sample, ServerRequest, SystemName } from './children/protocol.ts'

const CHILDREN: URL = new URL('dist/', import.meta.url)
// Higher than all other processes of the machine. The driver spins on the core of Redis, so Redis has a much higher priority.
export const REDIS_PRIORITY = -20
const SERVER_PRIORITY = -18
const DRIVER_PRIORITY = -14

/** The cores to which processes are pinned. */
export interface Cores {
  readonly server: string
  readonly driver: string
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
  const [driver, server] = allowed.slice(-2)
  if (driver === undefined || server === undefined) {
    console.warn('There is only one core: the server and the driver share it, so no slice counts as busy.')
    return undefined
  }
  return { server: String(server), driver: String(driver) }
}

/** A child process. */
class Child {
  readonly #process: ChildProcess
  readonly #name: string

  private constructor(name: string, process: ChildProcess) {
    this.#name = name
    this.#process = process
  }

  static async start(
    script: string,
    args: readonly string[],
    core: string | undefined,
    priority: number
  ): Promise<[Child, unknown]> {
    const node = [process.execPath, fileURLToPath(new URL(script, CHILDREN)), ...args]
    const [file = '', ...rest] = core === undefined ? node : ['taskset', '-c', core, ...node]
    // Detached, so that it is in a separate process session: see prioritise(). It still ends when the channel closes.
    const started = spawn(file, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], detached: true })
    const child = new Child([script, ...args].join(' '), started)
    const hello = await child.#reply()
    prioritise(started.pid, priority)
    return [child, hello]
  }

  async ask(message: ServerRequest | DriverRequest): Promise<unknown> {
    this.#process.send(message)
    return this.#reply()
  }

  async stop(): Promise<void> {
    const gone = once(this.#process, 'exit')
    this.#process.disconnect()
    await gone
  }

  #reply(): Promise<unknown> {
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
}

let hasWarnedOfPriority = false

/** Sets the priority of a process, and of its group where Linux groups processes by session (autogroup). */
export function prioritise(pid: number | undefined, priority: number): void {
  if (pid === undefined) return
  try {
    setPriority(pid, priority)
    const group = `/proc/${pid}/autogroup`
    if (existsSync(group)) writeFileSync(group, String(priority))
  } catch {
    if (!hasWarnedOfPriority)
      console.warn('This process cannot raise priorities: the figures vary more on a busy machine.')
    hasWarnedOfPriority = true
  }
}

/** A running server. */
export class Server {
  readonly system: SystemName
  readonly port: number
  readonly #child: Child

  private constructor(system: SystemName, port: number, child: Child) {
    this.system = system
    this.port = port
    this.#child = child
  }

  static async start(system: SystemName, payload: PayloadName, cores: Cores | undefined): Promise<Server> {
    const [child, hello] = await Child.start('server.js', [system, payload], cores?.server, SERVER_PRIORITY)
    return new Server(system, (hello as { port: number }).port, child)
  }

  async sample(): Promise<Sample> {
    return (await this.#child.ask({ ask: 'sample' })) as Sample
  }

  async startProfile(): Promise<void> {
    await this.#child.ask({ ask: 'start-profile' })
  }

  async stopProfile(file: string): Promise<void> {
    await this.#child.ask({ ask: 'stop-profile', file })
  }

  stop(): Promise<void> {
    return this.#child.stop()
  }
}

/** The load generator. */
export class Driver {
  readonly #child: Child

  private constructor(child: Child) {
    this.#child = child
  }

  static async start(cores: Cores | undefined): Promise<Driver> {
    const [child] = await Child.start('driver.js', [], cores?.driver, DRIVER_PRIORITY)
    return new Driver(child)
  }

  async open({ system, port }: Server, connections: number, logIn: boolean): Promise<void> {
    await this.#child.ask({ ask: 'open', server: system, port, connections, logIn })
  }

  async drive(
    { system }: Server,
    route: Extract<DriverRequest, { ask: 'drive' }>['route'],
    requests: number
  ): Promise<Drive> {
    return (await this.#child.ask({ ask: 'drive', server: system, route, requests })) as Drive
  }

  async close({ system }: Server): Promise<void> {
    await this.#child.ask({ ask: 'close', server: system })
  }

  stop(): Promise<void> {
    return this.#child.stop()
  }
}
