import { randomBytes } from 'node:crypto'
import type { Start } from './fastify.ts'
import { importLibrary } from './library.ts'
import { startOurs } from './ours.ts'

/** As many as an application with a million visitors a day has, if each tenth logs out. */
const ENTRIES = 100_000

/** With a list of what has ended early: sessions, and all that began before an earlier day. */
export const start: Start = startOurs(async () => {
  const { MemoryRevocations } = await importLibrary()
  const revocations = new MemoryRevocations()
  const now = Math.floor(Date.now() / 1000)
  const until = now + 86_400
  revocations.add({ kind: 'all', before: (now - 86_400) * 1000, until })
  for (let count = 1; count < ENTRIES; count++) {
    revocations.add({ kind: 'session', id: randomBytes(16).toString('base64url'), until })
  }
  return { revocations }
})
