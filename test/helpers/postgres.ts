import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { PoolConfig } from 'pg'
import pg from 'pg'
import { cannotTest, freePort, Service, until } from './service.ts'

const INSTALLED = '/usr/lib/postgresql'
const NEARBY = 'postgres://postgres@127.0.0.1:5432/postgres'

/** A server for one test file, with a separate schema. */
export class Postgres {
  readonly url: string
  readonly schema: string = `test_${randomBytes(8).toString('hex')}`
  readonly #service: Service | undefined
  readonly #pools: pg.Pool[] = []

  constructor(url: string, service?: Service) {
    this.url = url
    this.#service = service
  }

  /** Returns a pool whose connections use the schema. `end()` closes it. */
  pool(config: PoolConfig = {}): pg.Pool {
    const options = `-c search_path=${this.schema} ${config.options ?? ''}`
    const pool = new pg.Pool({ connectionString: this.url, ...config, options })
    // Tests close connections on purpose.
    pool.on('error', () => {})
    this.#pools.push(pool)
    return pool
  }

  async prepare(): Promise<this> {
    await this.pool().query(`CREATE SCHEMA ${this.schema}`)
    return this
  }

  /** Drops the schema, closes all pools, and stops the server if this helper started it. */
  async end(): Promise<void> {
    await Promise.all(this.#pools.splice(0).map((pool) => pool.end()))
    const last = this.pool()
    await last.query(`DROP SCHEMA ${this.schema} CASCADE`)
    await last.end()
    await this.#service?.end('SIGTERM')
  }
}

/** Starts a server on a free port, which a test may freeze. Returns undefined if PostgreSQL is not installed. */
export async function startPostgres(): Promise<Postgres | undefined> {
  const binaries = findBinaries()
  if (binaries === undefined) return undefined
  const port = await freePort()
  // PostgreSQL does not run as root.
  const as = process.getuid?.() === 0 ? findUser() : undefined
  const service = await Service.start((directory) => {
    const data = join(directory, 'data')
    mkdirSync(data, { mode: 0o700 })
    if (as !== undefined) for (const path of [directory, data]) chownSync(path, as.uid, as.gid)
    const init = ['--no-sync', '--username=postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '-D', data]
    execFileSync(join(binaries, 'initdb'), init, { stdio: 'ignore', cwd: directory, ...as })
    const settings = ['fsync=off', 'listen_addresses=127.0.0.1', 'unix_socket_directories=', `port=${port}`]
    return [join(binaries, 'postgres'), '-D', data, ...settings.flatMap((setting) => ['-c', setting])]
  }, as)
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  await until(() => ping(url))
  return new Postgres(url, service).prepare()
}

/**
 * Returns the server of DATABASE_URL, the one at 127.0.0.1:5432, or a new one. Without any it reports that, and returns
 * undefined. It throws if DATABASE_URL is set and its server does not answer.
 */
export async function reachPostgres(t: Parameters<typeof cannotTest>[0]): Promise<Postgres | undefined> {
  const named = process.env.DATABASE_URL
  const isNear = await ping(named ?? NEARBY).then(
    () => true,
    (error) => {
      if (named !== undefined) throw error
      return false
    }
  )
  const postgres = isNear ? await new Postgres(named ?? NEARBY).prepare() : await startPostgres()
  if (postgres === undefined)
    cannotTest(t, 'PostgresStore', 'no server at DATABASE_URL or 127.0.0.1:5432, none installed')
  return postgres
}

async function ping(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 2000 })
  await client.connect()
  await client.end()
}

/** Returns the folder with the programs of the newest installed version. */
export function findBinaries(): string | undefined {
  try {
    return execFileSync('pg_config', ['--bindir'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {}
  try {
    const newest = readdirSync(INSTALLED).sort((a, b) => Number(b) - Number(a))[0]
    return newest && join(INSTALLED, newest, 'bin')
  } catch {
    return undefined
  }
}

export function findUser(): { uid: number; gid: number } | undefined {
  const idOf = (flag: string, name: string): number => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }))
  for (const name of ['postgres', 'nobody']) {
    try {
      return { uid: idOf('-u', name), gid: idOf('-g', name) }
    } catch {}
  }
  return undefined
}
