import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import type { Reply, Target } from './perform.ts'
import { NotSentError } from './perform.ts'
import type { Recorder } from './recorder.ts'
import type { Command, WorkerSettings } from './worker.ts'

const LOADER = join(import.meta.dirname, '../test/helpers/strip-types.mjs')

/** A running application process. */
export class WorkerProcess implements Target {
  readonly process: string
  readonly #child: ChildProcess
  readonly #port: number
  readonly #recorder: Recorder
  readonly #agent: Agent = new Agent({ keepAlive: true })

  private constructor(name: string, child: ChildProcess, port: number, recorder: Recorder) {
    this.process = name
    this.#child = child
    this.#port = port
    this.#recorder = recorder
  }

  static async start(name: string, settings: WorkerSettings, recorder: Recorder): Promise<WorkerProcess> {
    const child = fork(join(import.meta.dirname, 'worker.ts'), [JSON.stringify(settings)], {
      execArgv: [`--import=${LOADER}`, '--no-warnings']
    })
    const ended = once(child, 'exit').then(() => Promise.reject(new Error(`${name} did not start.`)))
    const [port] = (await Promise.race([once(child, 'message'), ended])) as [number]
    ended.catch(() => {})
    return new WorkerProcess(name, child, port, recorder)
  }

  post(path: string, body: string, cookie: string): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), cookie }
      const options = { port: this.#port, host: '127.0.0.1', agent: this.#agent, method: 'POST', path, headers }
      const sent = request(options, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const setCookie = response.headers['set-cookie'] ?? []
          resolve({ status: response.statusCode ?? 0, setCookie, body: Buffer.concat(chunks).toString() })
        })
      })
      sent.on('error', (error: NodeJS.ErrnoException) => {
        reject(error.code === 'ECONNREFUSED' ? new NotSentError(error.message) : error)
      })
      sent.end(body)
    })
  }

  /** Lets the process carry out a command, and waits until it has. */
  async tell(command: Command): Promise<void> {
    const done = once(this.#child, 'message')
    const from = performance.now()
    this.#child.send(command)
    await done
    if (command.kind === 'stall') this.#recorder.interrupted(this.process, from, performance.now())
  }

  /** Stops it wherever it is, with requests half done, until `thawed` resolves. */
  async freeze(thawed: Promise<unknown>): Promise<void> {
    const from = performance.now()
    this.#child.kill('SIGSTOP')
    await thawed
    this.#child.kill('SIGCONT')
    this.#recorder.interrupted(this.process, from, performance.now())
  }

  async kill(): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#recorder.interrupted(this.process, performance.now())
    this.#child.kill('SIGKILL')
    await ended
    this.#agent.destroy()
  }
}
