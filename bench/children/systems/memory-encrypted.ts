import type { Start } from './fastify.ts'
import { importLibrary } from './library.ts'
import { startOurs } from './ours.ts'

export const start: Start = startOurs(async () => {
  const { MemoryStore } = await importLibrary()
  return { store: new MemoryStore({ maxSessions: 1_000_000 }), encrypt: true }
})
