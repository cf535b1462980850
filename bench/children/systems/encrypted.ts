import type { Start } from '../server.ts'
import { startOurs } from './ours.ts'

export const start: Start = startOurs(() => ({ encrypt: true }))
