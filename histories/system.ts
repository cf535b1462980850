import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../test/helpers/service.ts'
import { Link } from './link.ts'
import { startMySql } from './mysql.ts'
import type { Place } from './open-store.ts'
import { startPostgres } from './postgres.ts'
import type { Recorder } from './recorder.ts'
import { startRedis } from './redis.ts'
import type { Server } from './server.ts'
import type { WorkerSettings } from './worker.ts'
import { WorkerProcess } from './worker-process.ts'

export const STORES = ['memory', 'file', 'sqlite', 'redis', 'postgres', 'mysql'] as const
export type StoreName = (typeof STORES)[number]

const PROCESSES = 3
/** Each process of Redis has another client. */
const REDIS_CLIENTS = ['ioredis', 'ioredis-defaults', 'node-redis'] as const

/** An application process with its way to the server. It is started again when it has been killed. */
export class Slot {
  readonly link: Link | undefined
  readonly #name: string
  readonly #settings: WorkerSettings
  readonly #recorder: Recorder
  #starts = 0
  #worker: WorkerProcess | undefined

  constructor(name: string, settings: WorkerSettings, recorder: Recorder, link?: Link) {
    this.link = link
    this.#name = name
    this.#settings = settings
    this.#recorder = recorder
  }

  /** Undefined while it does not run. */
  get worker(): WorkerProcess | undefined {
    return this.#worker
  }

  async start(): Promise<void> {
    // It may end at once while its connections are reset.
    this.#worker = await until(() =>
      WorkerProcess.start(`${this.#name}#${++this.#starts}`, this.#settings, this.#recorder)
    )
  }

  async kill(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    await worker?.kill()
  }
}

/** Application processes that share a store, and the server of the store, if it has one. */
export class System {
  readonly slots: readonly Slot[]
  readonly server: Server | undefined
  readonly #directory: string

  private constructor(slots: readonly Slot[], server: Server | undefined, directory: string) {
    this.slots = slots
    this.server = server
    this.#directory = directory
  }

  static async start(store: StoreName, settings: Omit<WorkerSettings, 'place'>, recorder: Recorder): Promise<System> {
    const directory = mkdtempSync(join(tmpdir(), 'session-histories-'))
    const server = await startServer(store)
    const slots: Slot[] = []
    const system = new System(slots, server, directory)
    try {
      for (let index = 0; index < (store === 'memory' ? 1 : PROCESSES); index++) {
        const link = server && (await Link.start(server.port, WRITES[store] ?? (() => true)))
        const place = placeOf(store, index, link?.port ?? 0, directory)
        const slot = new Slot(`${place.kind}-${index + 1}`, { ...settings, place }, recorder, link)
        slots.push(slot)
      }
      await Promise.all(slots.map((slot) => slot.start()))
    } catch (error) {
      await system.end()
      throw error
    }
    return system
  }

  get workers(): WorkerProcess[] {
    return this.slots.flatMap(({ worker }) => worker ?? [])
  }

  async end(): Promise<void> {
    await Promise.all(this.slots.map((slot) => slot.kill()))
    for (const { link } of this.slots) await link?.end()
    await this.server?.end()
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

/** Runs a prepared statement, in the protocol of MySQL. */
const COM_STMT_EXECUTE = 0x17

/** Whether a client asks the server to change something. The store has scripts for that in Redis, and statements in SQL. */
const WRITES: Readonly<Partial<Record<StoreName, (sent: Buffer) => boolean>>> = {
  redis: (sent) => /\bEVAL/i.test(sent.toString('latin1')),
  postgres: (sent) => /\b(INSERT|UPDATE|DELETE|COMMIT)\b/i.test(sent.toString('latin1')),
  // The number of a prepared statement, behind the length and the number of the packet: which one it is, only the connection knows.
  mysql: (sent) => sent[4] === COM_STMT_EXECUTE
}

async function startServer(store: StoreName): Promise<Server | undefined> {
  if (store === 'redis') return startRedis()
  if (store === 'postgres') return startPostgres()
  if (store === 'mysql') return startMySql()
  return undefined
}

function placeOf(store: StoreName, index: number, port: number, directory: string): Place {
  switch (store) {
    case 'redis':
      return { kind: REDIS_CLIENTS[index % REDIS_CLIENTS.length] ?? 'ioredis', port }
    case 'postgres':
    case 'mysql':
      return { kind: store, port }
    case 'memory':
      return { kind: store }
    default:
      return { kind: store, directory }
  }
}
