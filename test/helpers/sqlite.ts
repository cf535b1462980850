import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type * as Tap from 'tap'
import type { SqliteDatabase } from '../../lib/stores/sqlite/index.ts'
import { cannotTest } from './service.ts'

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
async function importBetterSqlite(): Promise<typeof import('better-sqlite3') | undefined> {
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

/** A library, and how it opens a file. */
export interface SqliteLibrary {
  readonly name: string
  open(path: string): Closable
  /** With integers as bigint. */
  openWithBigints(path: string): Closable
}

/** Returns the libraries that are available here. */
export async function sqliteLibraries(t: Tap.Test): Promise<SqliteLibrary[]> {
  const libraries: SqliteLibrary[] = []
  const BetterSqlite = await importBetterSqlite()
  if (BetterSqlite !== undefined) {
    libraries.push({
      name: 'better-sqlite3',
      open: (path) => new BetterSqlite(path),
      openWithBigints: (path) => new BetterSqlite(path).defaultSafeIntegers(true)
    })
  }
  const sqlite = await importNodeSqlite()
  if (sqlite === undefined) t.comment(`no node:sqlite on ${process.version}`)
  else {
    libraries.push({
      name: 'node:sqlite',
      open: (path) => new sqlite.DatabaseSync(path),
      openWithBigints: (path) => new sqlite.DatabaseSync(path, { readBigInts: true })
    })
  }
  // The addon of better-sqlite3 loads on the version of Node.js that it was compiled for: the others have node:sqlite.
  if (libraries.length === 0) cannotTest(t, 'SqliteStore', `there is no SQLite for ${process.version}`)
  return libraries
}

/** Returns the path of a database that does not exist yet, in a folder that exists until the end of the test. */
export function newPath(t: Tap.Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'session-sqlite-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return join(directory, 'sessions.db')
}
