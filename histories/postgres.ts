import { execFileSync } from 'node:child_process'
import { chownSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { PostgresStore } from '../lib/stores/postgres/index.ts'
import { findBinaries, findUser } from '../test/helpers/postgres.ts'
import { Server } from './server.ts'

/** Starts a PostgreSQL with the table of the store. */
export async function startPostgres(): Promise<Server> {
  const binaries = findBinaries()
  if (binaries === undefined) throw new Error('PostgreSQL is not installed.')
  // PostgreSQL does not run as root.
  const user = process.getuid?.() === 0 ? findUser() : undefined
  const server = await Server.start(
    {
      command: (directory, port) => {
        // What a killed server has written is there: only a machine that fails would need fsync.
        const settings = ['fsync=off', 'listen_addresses=127.0.0.1', 'unix_socket_directories=', `port=${port}`]
        const options = settings.flatMap((setting) => ['-c', setting])
        return [join(binaries, 'postgres'), '-D', join(directory, 'data'), ...options]
      },
      ping,
      ...(user && { as: user })
    },
    (directory) => {
      const data = join(directory, 'data')
      mkdirSync(data, { mode: 0o700 })
      if (user !== undefined) for (const path of [directory, data]) chownSync(path, user.uid, user.gid)
      const init = ['--no-sync', '--username=postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '-D', data]
      execFileSync(join(binaries, 'initdb'), init, { stdio: 'ignore', cwd: directory, ...user })
    }
  )
  const pool = new pg.Pool({ host: '127.0.0.1', port: server.port, user: 'postgres', database: 'postgres' })
  await new PostgresStore({ pool, pruneInterval: 0 }).migrate()
  await pool.end()
  return server
}

async function ping(port: number): Promise<void> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', connectionTimeoutMillis: 1000 })
  client.on('error', () => {})
  await client.connect()
  await client.end()
}
