import type { Start } from './fastify.ts'
import { startOurs } from './ours.ts'

export const start: Start = startOurs(() => ({ encrypt: true }))
