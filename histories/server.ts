import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, Service, until } from '../test/helpers/service.ts'

type Command = (directory: string, port: number) => readonly string[]

/** What starts a server, and tells when it answers. */
export interface ServerSettings {
  readonly command: Command
  readonly ping: (port: number) => Promise<unknown>
  /** The user that it runs as. */
  readonly as?: { readonly uid?: number; readonly gid?: number }
}

/** A server with a folder of its own, which can be frozen and killed, and started again with its data. */
export class Server {
  readonly port: number
  readonly directory: string = mkdtempSync(join(tmpdir(), 'session-histories-'))
  readonly #settings: ServerSettings
  #service: Service | undefined

  private constructor(port: number, settings: ServerSettings) {
    this.port = port
    this.#settings = settings
  }

  /** `prepare` gets the folder ready. */
  static async start(settings: ServerSettings, prepare: (directory: string) => unknown = () => {}): Promise<Server> {
    const server = new Server(await freePort(), settings)
    prepare(server.directory)
    await server.start()
    return server
  }

  async start(): Promise<void> {
    const { command, ping, as = {} } = this.#settings
    this.#service = await Service.start(() => command(this.directory, this.port), as)
    await until(() => ping(this.port))
  }

  /** Connections stay open, and nothing is answered. */
  freeze(): void {
    this.#signal('SIGSTOP')
  }

  thaw(): void {
    this.#signal('SIGCONT')
  }

  async kill(): Promise<void> {
    const children = this.#signal('SIGKILL')
    await this.#service?.end()
    // PostgreSQL does not start again while one of them is there.
    await until(async () => {
      if (children.some(isThere)) throw new Error('A killed server does not end.')
    })
  }

  async end(): Promise<void> {
    await this.kill()
    rmSync(this.directory, { recursive: true, force: true })
  }

  /** Signals the process, and those that it has started: PostgreSQL has one for each connection. Returns the latter. */
  #signal(signal: NodeJS.Signals): number[] {
    const parent = this.#service?.process
    if (parent === undefined || parent.exitCode !== null || parent.signalCode !== null) return []
    const children = childrenOf(parent.pid as number)
    parent.kill(signal)
    for (const pid of children) if (isThere(pid)) process.kill(pid, signal)
    return children
  }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function childrenOf(pid: number): number[] {
  try {
    const listed = execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
    return listed.split('\n').filter(Boolean).map(Number)
  } catch {
    // It has none.
    return []
  }
}
