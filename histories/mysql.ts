import { createPool } from 'mysql2/promise'
import { MySqlStore } from '../lib/stores/mysql/index.ts'
import { findMariaDb, pingMySql } from '../test/helpers/mysql.ts'
import { Server } from './server.ts'

/** Starts a MariaDB with the table of the store. */
export async function startMySql(): Promise<Server> {
  const maria = findMariaDb()
  if (maria === undefined) throw new Error('MariaDB is not installed.')
  const server = await Server.start(
    {
      command: maria.command,
      ping: (port) => pingMySql(`mysql://root@127.0.0.1:${port}`),
      ...(maria.as && { as: maria.as })
    },
    maria.install
  )
  const pool = createPool(`mysql://root@127.0.0.1:${server.port}`)
  await pool.query('CREATE DATABASE sessions')
  await new MySqlStore({ pool, schema: 'sessions', pruneInterval: 0 }).migrate()
  await pool.end()
  return server
}
