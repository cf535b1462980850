import { z } from 'zod'
import { readSchema } from '../../lib/schema/read-schema.ts'

/** A schema of version 2, whose migration makes `count` of `visits`. */
export const SCHEMA = readSchema({
  schema: z.looseObject({ count: z.number() }),
  schemaVersion: 2,
  migrations: { 2: ({ visits, ...others }) => ({ ...others, count: visits }) }
})
