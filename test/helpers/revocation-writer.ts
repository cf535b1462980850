// A process that adds to a list of revoked sessions. `node revocation-writer.ts <directory> <name> <count>` prints a number after each
// entry that the list has acknowledged; with a count of 0 it runs until it is killed. With a count, it also ends sessions that others
// end at the same time, and prints the handle of each that it has ended itself.
import { writeSync } from 'node:fs'
import { FileRevocations } from '../../lib/stores/file/index.ts'

const [directory = '', name = '', count = ''] = process.argv.slice(2)
const list = new FileRevocations({ directory })
const until = Math.floor(Date.now() / 1000) + 3600

for (let n = 1; count === '0' || n <= Number(count); n++) {
  await list.add({ kind: 'session', id: `${name}-${n}`, until })
  if (count === '0') writeSync(1, `${n}\n`)
  else if ((await list.add({ kind: 'session', id: `shared-${n}`, until, successor: name })) === undefined) {
    writeSync(1, `shared-${n}\n`)
  }
}
