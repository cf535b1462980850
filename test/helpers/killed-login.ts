// A process that adds a session of an owner, and is killed before its n-th call of the file system after the store was opened:
// `node killed-login.ts <directory> <n> <ownerId> <key> <createdAt> <max>`. If it lives on, it prints how many calls there were.
import { promises } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import type { FileStore } from '../../lib/stores/file/index.ts'

const [directory = '', deadly = '', ownerId = '', key = '', createdAt = '', max = ''] = process.argv.slice(2)
const CALLS = [
  'link',
  'lstat',
  'mkdir',
  'open',
  'readFile',
  'readdir',
  'rename',
  'rm',
  'rmdir',
  'stat',
  'unlink',
  'writeFile'
]

let count = Number.NEGATIVE_INFINITY
for (const name of CALLS) {
  const calls = promises as unknown as Record<string, (...given: unknown[]) => unknown>
  const call = calls[name] as (...given: unknown[]) => unknown
  calls[name] = (...given) => {
    if (++count === Number(deadly)) process.kill(process.pid, 'SIGKILL')
    return call(...given)
  }
}
syncBuiltinESMExports()

// Only what is imported after this sees the calls that were replaced.
const { FileStore: Store } = await import('../../lib/stores/file/index.ts')
const store: FileStore = new Store({ directory, pruneInterval: 0, clock: () => Number(createdAt) * 1000 })
const record = { json: '{}', createdAt: Number(createdAt), lastSeenAt: Number(createdAt), permanent: false }
count = 0
const added = { ...record, ownerId, description: undefined, extensions: undefined }
await store.create(key, added, Number(createdAt) + 3600, { max: Number(max), evict: true })
console.log(count)
