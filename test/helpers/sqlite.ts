import type { SqliteDatabase } from '../../lib/stores/sqlite.ts'

export interface Closable extends SqliteDatabase {
  close(): unknown
}

/** `node:sqlite`, where Node.js has it; this package is compiled with the types of a Node.js that has not. */
export async function importNodeSqlite(): Promise<
  { DatabaseSync: new (path: string, options?: object) => Closable } | undefined
> {
  const name = 'node:sqlite'
  return import(name).catch(() => undefined)
}

/** `better-sqlite3`, where its addon was compiled for this Node.js. */
export async function importBetterSqlite(): Promise<typeof import('better-sqlite3') | undefined> {
  const { default: Database } = await import('better-sqlite3')
  try {
    new Database(':memory:').close()
    return Database
  } catch {
    return undefined
  }
}

/** A handle of whichever library there is. */
export async function openSqlite(path: string): Promise<Closable> {
  const Database = await importBetterSqlite()
  if (Database !== undefined) return new Database(path)
  const sqlite = await importNodeSqlite()
  if (sqlite === undefined) throw new Error('There is neither better-sqlite3 nor node:sqlite.')
  return new sqlite.DatabaseSync(path)
}
