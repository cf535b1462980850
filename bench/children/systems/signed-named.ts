import type { Start } from './fastify.ts'
import { startOurs } from './ours.ts'

/** An application with 50 sessions, of which the requests have and use one. */
export const start: Start = startOurs(() => ({}), 49)
