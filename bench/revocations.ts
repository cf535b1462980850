// What a list of what has ended early takes in the memory of a process: node --expose-gc --import tsx bench/revocations.ts
import { randomBytes } from 'node:crypto'
import { Bars } from '../lib/revocations/bars.ts'

const UNTIL = 2_000_000_000

function heap(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

/** The ids are strings of their own, as those that come from a server. */
function idsOf(count: number): string[] {
  return Array.from({ length: count }, () => Buffer.from(randomBytes(16).toString('base64url')).toString('latin1'))
}

// The first one also counts the code, which is compiled meanwhile.
for (const count of [10_000, 10_000, 100_000, 1_000_000]) {
  const before = heap()
  const ids = idsOf(count)
  // An array holds eight bytes for each.
  const each = (heap() - before) / count - 8
  const bars = new Bars(() => 1)
  const empty = heap()
  for (const id of ids) bars.apply({ kind: 'session', id, until: UNTIL })
  const beside = (heap() - empty) / count
  const start = performance.now()
  for (const id of ids) bars.judge(id, '7')
  const look = ((performance.now() - start) / count) * 1e6
  console.log(
    `${count} entries: ${beside.toFixed(0)} bytes each beside the id, which has ${each.toFixed(0)}; a look takes ${look.toFixed(0)} ns (${bars.size})`
  )
}
