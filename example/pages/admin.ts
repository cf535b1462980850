import type { FastifyInstance, FastifyReply } from 'fastify'
import type { SessionEntry } from 'fastify-typed-session'
import type { Html } from '../html.ts'
import { html } from '../html.ts'
import { form, page } from '../layout.ts'
import { time } from '../time.ts'
import { findUser } from '../users.ts'
import { actAs } from './acting.ts'

const PAGE_SIZE = 20
const REVOKE_FORM = { type: 'object', properties: { handle: { type: 'string' } }, required: ['handle'] }

/** The page on which an administrator sees the sessions of everybody, where the server knows them, and ends one or all. */
export async function adminPages(app: FastifyInstance): Promise<void> {
  const admin = app.requireRole('admin')

  app.get<{ Querystring: { cursor?: string } }>(
    '/admin',
    admin.handle(async ({ query: { cursor }, session, user }, reply) => {
      const list = app.mode.isStored ? await entries(reply, cursor, session.id) : NO_LIST
      const everybody = html`<button class="danger">Log everybody out</button>`
      return page(
        reply,
        'All sessions',
        html`${list}
${actAs(reply, user)}
<div class="actions">
${form(reply, '/admin/log-everybody-out', everybody)}
</div>
<p class="hint">That ends your session, too, and nobody is remembered any more.</p>`
      )
    })
  )

  app.post(
    '/admin/log-everybody-out',
    admin.handle(async (request, reply) => {
      await app.sessions.revokeEverything()
      await request.logout()
      request.flash('info', 'Everybody is logged out.')
      return reply.redirect(`${app.prefix}/`, 303)
    })
  )

  if (!app.mode.isStored) return
  app.post<{ Body: { handle: string } }>(
    '/admin/revoke',
    { schema: { body: REVOKE_FORM } },
    admin.handle(async (request, reply) => {
      await app.sessions.revoke(request.body.handle)
      request.flash('info', 'That session has ended.')
      return reply.redirect(`${app.prefix}/admin`, 303)
    })
  )
}

async function entries(reply: FastifyReply, cursor: string | undefined, current: string): Promise<Html> {
  const { sessions, prefix } = reply.server
  const found = await sessions.entries({ cursor, limit: PAGE_SIZE, current })
  const next = html`<p><a href="${prefix}/admin?cursor=${encodeURIComponent(found.cursor ?? '')}">Next page</a></p>`
  return html`<p>There are <strong id="count">${await sessions.count()}</strong> sessions. Those of visitors who are not logged in count.</p>
<ul class="devices">${found.entries.map((entry) => item(reply, entry))}</ul>
${found.cursor === undefined ? '' : next}`
}

function item(reply: FastifyReply, { handle, ownerId, current, createdAt, lastSeenAt, expiresAt }: SessionEntry): Html {
  const name = ownerId === undefined ? 'A visitor' : (findUser(ownerId)?.name ?? 'A user who is gone')
  const end = html`<button class="quiet" name="handle" value="${handle}">End this session</button>`
  return html`<li>
<h2>${name}${current ? html` <span class="badge">this device</span>` : ''}</h2>
<p>Since ${time(createdAt)}, last seen ${time(lastSeenAt)}.<br>It ends at ${time(expiresAt)}.</p>
${current ? '' : form(reply, '/admin/revoke', end)}
</li>`
}

const NO_LIST = html`<p>There is no list here. The sessions are in the cookies of browsers, so the server does not know which there are, nor how
many. It can end them all the same.</p>
<p>Try the list with <a href="/stored/admin">stored sessions</a>.</p>`
