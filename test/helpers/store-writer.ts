// A process that writes to a session repeatedly. Tests use it to run several processes on one store, and to kill one.
// `node store-writer.ts file|sqlite <path> <key> <name> <count>` prints a number after each commit that the store has
// acknowledged. With a count of 0 it runs until it is killed. With the key `new` it only opens the store.
import { writeSync } from 'node:fs'
import { FileStore } from '../../lib/stores/file/index.ts'
import { SqliteStore } from '../../lib/stores/sqlite/index.ts'
import type { SessionStore } from '../../types/store.ts'
import { openSqlite } from './sqlite.ts'

const [kind = '', path = '', key = '', name = '', count = ''] = process.argv.slice(2)
const store: SessionStore =
  kind === 'file'
    ? new FileStore({ directory: path, pruneInterval: 0 })
    : new SqliteStore({ database: await openSqlite(path), pruneInterval: 0 })

const expiresAt = Math.floor(Date.now() / 1000) + 3600

if (key === 'new') process.exit()

/** Adds 1 to a member that other processes change, too. */
async function add(member: string): Promise<void> {
  for (;;) {
    const record = await store.load(key)
    if (record === undefined) throw new Error('The session has gone.')
    const { [member]: old = 0 } = JSON.parse(record.json)
    const result = await store.commit(key, { set: { [member]: String(old + 1) }, unset: [] }, expiresAt, record.version)
    if (result === 'committed') return
  }
}

for (let n = 1; count === '0' || n <= Number(count); n++) {
  const set = { [name]: String(n), [`${name} text`]: JSON.stringify(String(n % 10).repeat(20_000 + n)) }
  if ((await store.commit(key, { set, unset: [] }, expiresAt)) !== 'committed') throw new Error('not committed')
  if (count !== '0') await add('all')
  writeSync(1, `${n}\n`)
}
await store.close?.()
