import type { FastifyInstance, FastifyPluginAsync, FastifyReply } from 'fastify'
import session, { guardsFor } from 'fastify-typed-session'
import login, { getLogin, getLoginGuards } from 'fastify-typed-session/login'
import type { Html } from '../html.ts'
import { html } from '../html.ts'
import { form, page } from '../layout.ts'
import type { SiteOptions } from '../session-options.ts'
import { cookieNameOf } from '../session-options.ts'
import { checkStaffPassword, findColleague, STAFF_PASSWORD } from '../staff.ts'

const LOGIN_FORM = {
  type: 'object',
  properties: { password: { type: 'string', maxLength: 100 } },
  required: ['password']
}

/** Where the staff logs in: other users, with a session of their own beside that of a customer. */
export const staffPages: FastifyPluginAsync<Pick<SiteOptions, 'secret' | 'clock'>> = async (app, options) => {
  const { secret, clock = Date.now } = options
  await app.register(session, { secret, clock, decorator: 'staffSession', cookieName: cookieNameOf(app.mode, 'staff') })
  await app.register(login<'staffUser'>, {
    userDecorator: 'staffUser',
    decorator: 'staffSession',
    loadUser: findColleague,
    authHash: (colleague) => colleague.passwordHash,
    loginPath: `${app.prefix}/staff/login`
  })
  await app.register(pages)
}

async function pages(app: FastifyInstance): Promise<void> {
  const { loginRequired } = getLoginGuards(app, 'staffUser')
  const { safeNext } = guardsFor('staffSession')

  app.get('/staff/login', async (_request, reply) => page(reply, 'Staff only', loginForm(reply, false)))

  app.post<{ Body: { password: string } }>('/staff/login', { schema: { body: LOGIN_FORM } }, async (request, reply) => {
    const colleague = await checkStaffPassword(request.body.password)
    if (colleague === undefined) {
      reply.code(401)
      return page(reply, 'Staff only', loginForm(reply, true))
    }
    await getLogin(request, 'staffUser').login(colleague)
    return reply.redirect(safeNext(request, `${app.prefix}/staff`), 303)
  })

  app.get(
    '/staff',
    loginRequired().handle(async ({ staffUser, user }, reply) =>
      page(
        reply,
        'Staff only',
        html`<p>You are <strong id="staff">${staffUser.name}</strong> of the staff, and as a customer
<strong id="customer">${user?.name ?? 'nobody'}</strong>. Each of the two has a session and a cookie of its own; log out here, or above, and
the other stays.</p>
${form(reply, '/staff/logout', html`<button>Leave the staff room</button>`)}`
      )
    )
  )

  app.post('/staff/logout', async (request, reply) => {
    await getLogin(request, 'staffUser').logout()
    return reply.redirect(`${app.prefix}/staff/login`, 303)
  })
}

function loginForm(reply: FastifyReply, isRefused: boolean): Html {
  return html`${isRefused ? html`<p class="error" role="alert">That is not the password.</p>` : ''}
${form(
  reply,
  undefined,
  html`<label for="password">Password of the staff</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button>Log in</button>`
)}
<p class="hint">In this demo it is <code>${STAFF_PASSWORD}</code>.</p>`
}
