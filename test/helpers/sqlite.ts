import type { SqliteDatabase } from '../../lib/stores/sqlite.ts'

export interface Closable extends SqliteDatabase {
  close(): unknown
}

/** Imports `node:sqlite` if Node.js has it. The name is a variable because the types of the oldest Node.js do not have it. */
export async function importNodeSqlite(): Promise<
  { DatabaseSync: new (path: string, options?: object) => Closable } | undefined
> {
  const name = 'node:sqlite'
  return import(name).catch(() => undefined)
}

/** Imports `better-sqlite3` if its addon is compiled for this Node.js. */
export async function importBetterSqlite(): Promise<typeof import('better-sqlite3') | undefined> {
  const { default: Database } = await import('better-sqlite3')
  try {
    new Database(':memory:').close()
    return Database
  } catch {
    return undefined
  }
}

/** Opens a database with the library that is available. */
export async function openSqlite(path: string): Promise<Closable> {
  const Database = await importBetterSqlite()
  if (Database !== undefined) return new Database(path)
  const sqlite = await importNodeSqlite()
  if (sqlite === undefined) throw new Error('There is neither better-sqlite3 nor node:sqlite.')
  return new sqlite.DatabaseSync(path)
}
