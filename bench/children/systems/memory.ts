import { MemoryStore } from '../../../dist/lib/index.js'
import type { Start } from '../server.ts'
import { startOurs } from './ours.ts'

export const start: Start = startOurs(() => ({ store: new MemoryStore({ maxSessions: 1_000_000 }) }))
