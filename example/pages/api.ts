import type { FastifyInstance } from 'fastify'

/** What programs ask for, with a token. Browsers that are logged in may ask as well. */
export async function apiRoutes(app: FastifyInstance): Promise<void> {
  app.get(
    '/api/me',
    app.loginRequired().handle(async ({ user }) => ({ name: user.name, roles: user.roles }))
  )
}
