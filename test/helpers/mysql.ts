import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Pool, PoolOptions } from 'mysql2/promise'
import { createConnection, createPool } from 'mysql2/promise'
import { cannotTest, freePort, Service, until } from './service.ts'

const NEARBY = 'mysql://root@127.0.0.1:3306'

/** A server for one test file, with a separate database. */
export class MySql {
  /** With the database. */
  readonly url: string
  readonly database: string = `test_${randomBytes(8).toString('hex')}`
  readonly service: Service | undefined
  readonly #pools: Pool[] = []

  constructor(url: string, service?: Service) {
    this.url = Object.assign(new URL(url), { pathname: `/${this.database}` }).href
    this.service = service
  }

  /**
   * Returns a pool whose connections use the database. `settings`: statements that each new connection runs first. `end()` closes
   * it.
   */
  pool(options: PoolOptions = {}, settings: readonly string[] = []): Pool {
    const pool = createPool({ uri: this.url, ...options })
    // What a connection is asked, it does in order.
    pool.pool.on('connection', (connection) => {
      for (const setting of settings) connection.query(setting)
    })
    this.#pools.push(pool)
    return pool
  }

  async prepare(): Promise<this> {
    await this.#admin(`CREATE DATABASE ${this.database}`)
    return this
  }

  /** Drops the database, closes all pools, and stops the server if this helper started it. */
  async end(): Promise<void> {
    await Promise.all(this.#pools.splice(0).map((pool) => pool.end()))
    await this.#admin(`DROP DATABASE ${this.database}`)
    await this.service?.end()
  }

  async #admin(statement: string): Promise<void> {
    const connection = await createConnection(Object.assign(new URL(this.url), { pathname: '/' }).href)
    await connection.query(statement)
    await connection.end()
  }
}

/** How to start a MariaDB with its data in a folder. */
export interface MariaDb {
  /** Makes the data. */
  install(directory: string): void
  /** Returns the command that starts it. `settings`: options of the server, such as `--read-only`. */
  command(directory: string, port: number, settings?: readonly string[]): string[]
  /** Who it runs as: it does not run as root. */
  readonly as: { readonly uid: number; readonly gid: number } | undefined
}

/** Returns undefined if MariaDB is not installed. */
export function findMariaDb(): MariaDb | undefined {
  const isThere = (program: string): boolean => spawnSync(program, ['--help'], { stdio: 'ignore' }).error === undefined
  if (!isThere('mariadbd') || !isThere('mariadb-install-db')) return undefined
  const as = process.getuid?.() === 0 ? findUser() : undefined
  return {
    as,
    install(directory) {
      const data = join(directory, 'data')
      mkdirSync(data, { mode: 0o700 })
      if (as !== undefined) for (const path of [directory, data]) chownSync(path, as.uid, as.gid)
      const options = [
        '--no-defaults',
        `--datadir=${data}`,
        '--auth-root-authentication-method=normal',
        '--skip-test-db'
      ]
      execFileSync('mariadb-install-db', [...options, '--skip-name-resolve'], { stdio: 'ignore', ...as })
    },
    command: (directory, port, settings = []) => [
      'mariadbd',
      '--no-defaults',
      `--datadir=${join(directory, 'data')}`,
      `--socket=${join(directory, 'socket')}`,
      `--pid-file=${join(directory, 'pid')}`,
      '--bind-address=127.0.0.1',
      `--port=${port}`,
      // A killed process loses nothing that it has written, only a failing machine would.
      '--innodb-flush-log-at-trx-commit=2',
      '--innodb-buffer-pool-size=32M',
      ...settings
    ]
  }
}

/** Starts a server on a free port, which a test may freeze. Returns undefined if MariaDB is not installed. */
export async function startMySql(...settings: string[]): Promise<MySql | undefined> {
  const maria = findMariaDb()
  if (maria === undefined) return undefined
  const port = await freePort()
  const service = await Service.start((directory) => {
    maria.install(directory)
    return maria.command(directory, port, settings)
  }, maria.as)
  const url = `mysql://root@127.0.0.1:${port}`
  await until(() => pingMySql(url))
  return new MySql(url, service).prepare()
}

/**
 * Returns the server of MYSQL_URL, the one at 127.0.0.1:3306, or a new one. Without any it reports that, and returns undefined. It
 * throws if MYSQL_URL is set and its server does not answer.
 */
export async function reachMySql(t: Parameters<typeof cannotTest>[0]): Promise<MySql | undefined> {
  const named = process.env.MYSQL_URL
  const isNear = await pingMySql(named ?? NEARBY).then(
    () => true,
    (error) => {
      if (named !== undefined) throw error
      return false
    }
  )
  const mysql = isNear ? await new MySql(named ?? NEARBY).prepare() : await startMySql()
  if (mysql === undefined) cannotTest(t, 'MySqlStore', 'no server at MYSQL_URL or 127.0.0.1:3306, none installed')
  return mysql
}

export async function pingMySql(uri: string): Promise<void> {
  const connection = await createConnection({ uri, connectTimeout: 2000 })
  await connection.end()
}

function findUser(): { uid: number; gid: number } | undefined {
  const idOf = (flag: string, name: string): number => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }))
  for (const name of ['mysql', 'nobody']) {
    try {
      return { uid: idOf('-u', name), gid: idOf('-g', name) }
    } catch {}
  }
  return undefined
}
