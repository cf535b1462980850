import type { FastifyInstance, FastifyReply } from 'fastify'
import { and } from 'fastify-typed-session'
import type { User } from 'fastify-typed-session/login'
import type { Html } from '../html.ts'
import { html } from '../html.ts'
import { form } from '../layout.ts'
import { findUser, USERS } from '../users.ts'

const ACT_FORM = { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] }

/** An administrator acts as a user, and then in person again. */
export async function actingPages(app: FastifyInstance): Promise<void> {
  // A login that is remembered is not enough, and neither is one of this morning.
  const admin = and(app.requireRole('admin'), app.freshLoginRequired({ within: 15 * 60 }))

  app.post<{ Body: { id: string } }>(
    '/admin/act-as',
    { schema: { body: ACT_FORM } },
    admin.handle(async (request, reply) => {
      const user = findUser(request.body.id)
      if (user === undefined) return reply.callNotFound()
      await request.impersonate(user)
      return reply.redirect(`${app.prefix}/dashboard`, 303)
    })
  )

  app.post('/stop-acting', async (request, reply) => {
    await request.stopImpersonating()
    return reply.redirect(`${app.prefix}/admin`, 303)
  })
}

/** The buttons of the administrator's page. */
export function actAs(reply: FastifyReply, admin: User): Html {
  const others = USERS.filter(({ id }) => id !== admin.id)
  const button = ({ id, name }: User): Html =>
    html`<button class="quiet" name="id" value="${id}">Act as ${name}</button>`
  return html`<div class="actions">
${others.map((user) => form(reply, '/admin/act-as', button(user)))}
</div>`
}
