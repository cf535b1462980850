import type { InferSession, Migration } from 'fastify-typed-session'
import { z } from 'zod'

/** What a session holds: version 2. Members of plugins that are not here, such as `_csrf`, are kept all the same. */
export const schema = z.object({
  visits: z.number().int().optional(),
  /** How many of each product. */
  cart: z.record(z.string(), z.number().int().positive()).optional(),
  names: z.array(z.string()).optional(),
  /** The messages of `@fastify/flash` for the next page. */
  flash: z.record(z.string(), z.array(z.string())).optional()
})

declare module 'fastify-typed-session' {
  interface SessionData extends InferSession<typeof schema> {}
}

/** Version 1 had a basket: each product as often as there are pieces of it. */
export const yesterdaySchema = z.object({
  visits: z.number().int().optional(),
  basket: z.array(z.string()).optional(),
  names: z.array(z.string()).optional()
})

/** Turns data of version 1 into those of version 2. */
export const migrations: Readonly<Record<number, Migration>> = {
  2(data) {
    const { basket, ...others } = yesterdaySchema.loose().parse(data)
    return basket === undefined ? others : { ...others, cart: countEach(basket) }
  }
}

function countEach(basket: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>()
  for (const product of basket) counts.set(product, (counts.get(product) ?? 0) + 1)
  return Object.fromEntries(counts)
}
