import type { FastifyInstance, FastifyReply } from 'fastify'
import { safeNext } from 'fastify-typed-session'
import type { Html } from '../html.ts'
import { html } from '../html.ts'
import { form, page } from '../layout.ts'
import { KEPT } from '../session-options.ts'
import { checkPassword, DEMO_PASSWORDS } from '../users.ts'

interface LoginForm {
  readonly username: string
  readonly password: string
  readonly remember?: string
}

const LOGIN_FORM = {
  type: 'object',
  properties: {
    username: { type: 'string', maxLength: 100 },
    password: { type: 'string', maxLength: 100 },
    remember: { type: 'string' }
  },
  required: ['username', 'password']
}

export async function loginPages(app: FastifyInstance): Promise<void> {
  app.get('/login', async (_request, reply) => page(reply, 'Log in', loginForm(reply)))

  app.post<{ Body: LoginForm }>('/login', { schema: { body: LOGIN_FORM } }, async (request, reply) => {
    const { username, password, remember } = request.body
    const user = await checkPassword(username, password)
    if (user === undefined) {
      reply.code(401)
      return page(reply, 'Log in', loginForm(reply, username))
    }
    const { isStored } = app.mode
    await request.login(user, { remember: isStored && remember !== undefined, keep: ['cart', 'names', 'visits'] })
    const { session } = request
    // Without a store there is no token that could begin another session: this one is kept for longer.
    session.permanent = !isStored && remember !== undefined
    session.idleTimeout = session.permanent ? KEPT : undefined
    request.flash('info', `Welcome, ${user.name}.`)
    return reply.redirect(safeNext(request, `${app.prefix}/dashboard`), 303)
  })

  app.post('/logout', async (request, reply) => {
    await request.logout()
    request.flash('info', 'You are logged out.')
    return reply.redirect(`${app.prefix}/`, 303)
  })
}

/** `refused`: the name of the login attempt that failed. */
function loginForm(reply: FastifyReply, refused?: string): Html {
  const isRefused = refused !== undefined
  return html`<div class="columns">
<section class="panel" aria-labelledby="login-heading">
<h2 id="login-heading">Your name and password</h2>
${isRefused ? html`<p class="error" role="alert" id="login-error">The name or the password is wrong.</p>` : ''}
${form(
  reply,
  undefined,
  html`<label for="username">Name</label>
<input id="username" name="username" value="${refused ?? ''}" autocomplete="username" autocapitalize="none" required${describedBy(isRefused)}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required${describedBy(isRefused)}>
${rememberField(reply)}
<button>Log in</button>`
)}
</section>
<section class="panel" aria-labelledby="demo-heading">
<h2 id="demo-heading">Demo users</h2>
<dl>${DEMO_PASSWORDS.map(
    ({ username, password }) => html`<div><dt><code>${username}</code></dt><dd><code>${password}</code></dd></div>`
  )}</dl>
</section>
</div>`
}

function describedBy(isRefused: boolean): Html {
  return isRefused ? html` aria-invalid="true" aria-describedby="login-error"` : html``
}

function rememberField({ server }: FastifyReply): Html {
  return server.mode.isStored
    ? html`<p class="choice"><input type="checkbox" id="remember" name="remember" value="yes">
<label for="remember">Remember me on this device for 30 days</label></p>`
    : html`<p class="choice"><input type="checkbox" id="remember" name="remember" value="yes" aria-describedby="keep-hint">
<label for="remember">Keep me logged in on this device for 30 days</label></p>
<p class="hint" id="keep-hint">The session itself is kept. “Remember me”, with a token that is valid once and that the server can revoke,
takes <a href="/stored/login">stored sessions</a>.</p>`
}
