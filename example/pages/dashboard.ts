import type { FastifyInstance } from 'fastify'
import { html } from '../html.ts'
import { page } from '../layout.ts'
import { time } from '../time.ts'

/** The page for logged-in users. It sends others to the login page, which leads back here. */
export async function dashboardPage(app: FastifyInstance): Promise<void> {
  const loggedIn = app.loginRequired({ onRefused: (request) => request.flash('info', 'Log in to see your dashboard.') })

  app.get(
    '/dashboard',
    loggedIn.handle(async ({ user, session, authenticatedAt }, reply) => {
      const items = Object.values(session.get('cart', {})).reduce((sum, count) => sum + count, 0)
      const login =
        authenticatedAt === null ? 'remembered by this browser' : html`with your password, at ${time(authenticatedAt)}`
      return page(
        reply,
        `Hello, ${user.name}`,
        html`<div class="panel"><dl class="facts">
<div><dt>You logged in</dt><dd id="login">${login}</dd></div>
<div><dt>Visits to the start page</dt><dd>${session.get('visits', 0)}</dd></div>
<div><dt><a href="${app.prefix}/cart">In your cart</a></dt><dd>${items}</dd></div>
<div><dt><a href="${app.prefix}/names">Names in your list</a></dt><dd>${session.get('names', []).length}</dd></div>
<div><dt>Your session</dt><dd><code>${session.id}</code></dd></div>
</dl></div>
<p class="hint">Your session kept what you did before you logged in. The login changed its id, so nobody can use the old id to get
into your account.</p>`
      )
    })
  )
}
