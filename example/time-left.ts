import type { FastifyInstance } from 'fastify'

/** Returns the seconds until the session ends, for the countdown. The request does not count as activity. */
export async function timeLeft(app: FastifyInstance, { clock }: { readonly clock: () => number }): Promise<void> {
  app.get('/time-left', { config: { session: { touch: false } } }, async ({ session }, reply) => {
    const seconds = Math.round((session.expiresAt.getTime() - clock()) / 1000)
    reply.header('cache-control', 'no-store')
    return { seconds: session.isNew ? null : seconds }
  })
}
