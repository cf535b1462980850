// A process that takes a lock, prints `held`, and holds the lock until its input ends: `node lock-holder.ts <directory> <name>`.
import { once } from 'node:events'
import { FileLocks } from '../../lib/stores/file/lock.ts'

const [directory = '', name = ''] = process.argv.slice(2)
await new FileLocks(directory, 5).run(name, async () => {
  console.log('held')
  process.stdin.resume()
  await once(process.stdin, 'end')
})
console.log('released')
