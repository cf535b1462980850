import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type * as Tap from 'tap'
import { FileStore } from '../../lib/stores/file/index.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { SqliteStore } from '../../lib/stores/sqlite/index.ts'
import type { SessionStore } from '../../types/store.ts'
import { openSqlite } from './sqlite.ts'

/** Returns functions that open a new store of each kind that needs no server, by the names of the kinds. */
export async function localStores(t: Tap.Test): Promise<Record<string, (clock: () => number) => SessionStore>> {
  const directory = mkdtempSync(join(tmpdir(), 'local-stores-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  const database = await openSqlite(join(directory, 'sessions.db'))
  t.teardown(() => database.close())
  let stores = 0
  return {
    MemoryStore: (clock) => new MemoryStore({ clock, pruneInterval: 0 }),
    SqliteStore: (clock) => new SqliteStore({ database, clock, pruneInterval: 0, table: `sessions${stores++}` }),
    FileStore: (clock) => new FileStore({ directory: join(directory, String(stores++)), clock, pruneInterval: 0 })
  }
}
