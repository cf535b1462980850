import { z } from 'zod'
import type { Start } from './fastify.ts'
import { startOurs } from './ours.ts'

const profile = z.looseObject({ name: z.string() })

export const start: Start = startOurs(() => ({ schema: z.object({ profile, visits: z.number() }) }))
