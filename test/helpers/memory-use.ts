// Run with --expose-gc. Prints the bytes of memory that a MemoryStore uses per session, and the bytes of its JSON.
import { MemoryStore } from '../../lib/stores/memory.ts'

const SESSIONS = 100_000
const NOW = 1_763_640_000

function used(): number {
  for (let round = 0; round < 3; round++) (globalThis as unknown as { gc(): void }).gc()
  const { heapUsed, external, arrayBuffers } = process.memoryUsage()
  return heapUsed + external + arrayBuffers
}

const store = new MemoryStore({ pruneInterval: 0, maxSessions: SESSIONS, clock: () => NOW * 1000 })
const before = used()
let json = 0
for (let index = 0; index < SESSIONS; index++) {
  // A new string for each session, as from a request.
  const data = JSON.stringify({
    userId: index,
    name: `user ${index}`,
    cart: { [`item ${index}`]: index },
    text: 'x'.repeat(200)
  })
  json += Buffer.byteLength(data)
  const key = Buffer.from(String(index).padStart(32, '0')).toString('base64url')
  const record = {
    json: data,
    createdAt: NOW,
    lastSeenAt: NOW,
    permanent: false,
    ownerId: undefined,
    description: undefined,
    extensions: undefined
  }
  await store.create(key, record, NOW + 3600)
}
const taken = used() - before
if (store.size !== SESSIONS) throw new Error(`${store.size} sessions`)
console.log(JSON.stringify({ taken: taken / SESSIONS, json: json / SESSIONS }))
