import type { FastifyInstance, FastifyReply } from 'fastify'
import { inspectSession } from 'fastify-typed-session/inspector'
import type { Html } from '../html.ts'
import { html } from '../html.ts'
import { form, page } from '../layout.ts'

/** The page that shows one session on two servers: that of before the last deploy, and this one. */
export async function migrationPages(app: FastifyInstance): Promise<void> {
  app.get('/migration', async (request, reply) => {
    const { session, headers } = request
    const { payload } = await app.yesterday.inject({ url: '/', headers: { cookie: headers.cookie ?? '' } })
    // Now, and not with the reply, because the page says why.
    await session.commit()
    const [decision] = inspectSession(request).decisions
    const servers = html`<div class="columns">
${server('yesterday', 'Yesterday’s server', 1, JSON.parse(payload))}
${server('today', 'Today’s server', 2, session.data())}
</div>
${why(decision?.committed === 'migrated')}`
    return page(
      reply,
      'Migration',
      html`<p>Before the last deploy, a session had a <code>basket</code>: each product as often as there are pieces of it. Now it has
a <code>cart</code>, which counts them. A migration turns the one into the other, so the deploy logs nobody out.</p>
${session.isNew ? '' : servers}
${begin(reply)}`
    )
  })

  // Only yesterday's server is to send the cookie.
  app.post('/migration', { config: { session: { touch: false } } }, async (request, reply) => {
    const { cookie = '' } = request.headers
    const { headers } = await app.yesterday.inject({ method: 'POST', url: '/', headers: { cookie } })
    return reply.header('set-cookie', headers['set-cookie']).redirect(`${app.prefix}/migration`, 303)
  })
}

function server(id: string, name: string, version: number, data: object): Html {
  return html`<section class="panel" aria-labelledby="${id}-heading">
<h2 id="${id}-heading">${name} <span class="badge">version ${version}</span></h2>
<pre><code id="${id}">${JSON.stringify(data, null, 2)}</code></pre>
</section>`
}

function why(isMigrated: boolean): Html {
  return isMigrated
    ? html`<p class="hint" id="why">The reason is <code>migrated</code>: today’s server found data of version 1, and has saved them as data
of version 2. Reload the page: now yesterday’s server finds a newer version.</p>`
    : html`<p class="hint" id="why">The data are of version 2. Yesterday’s server takes them, because its schema accepts them, and leaves
them as they are. So both servers can run side by side.</p>`
}

function begin(reply: FastifyReply): Html {
  return html`${form(reply, '/migration', html`<button>Begin a session on yesterday’s server</button>`)}
<p class="hint">The new session takes the place of the one that you have.</p>`
}
