import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Session } from 'fastify-typed-session'
import type { Html } from '../html.ts'
import { html } from '../html.ts'
import { form, page } from '../layout.ts'
import { time } from '../time.ts'

const NAME_FORM = {
  type: 'object',
  properties: { name: { type: 'string', pattern: '\\S', maxLength: 100 } },
  required: ['name']
}

/** The page with a list of names in the session. */
export async function namesPages(app: FastifyInstance): Promise<void> {
  app.get('/names', async ({ session }, reply) => {
    return page(
      reply,
      'Names',
      html`<div class="columns">
${list(reply, session.get('names', []))}
<div class="stack">${countdown(app, session)}${size(session)}</div>
</div>`
    )
  })

  app.post<{ Body: { name: string } }>('/names', { schema: { body: NAME_FORM } }, async ({ session, body }, reply) => {
    session.setDefault('names', []).push(body.name.trim())
    return reply.redirect(`${app.prefix}/names`, 303)
  })

  app.post('/names/clear', async ({ session }, reply) => {
    session.delete('names')
    return reply.redirect(`${app.prefix}/names`, 303)
  })
}

function list(reply: FastifyReply, names: readonly string[]): Html {
  const items = names.map((name) => html`<li>${name}</li>`)
  return html`<section class="panel" aria-labelledby="list-heading">
<h2 id="list-heading">Your list</h2>
${items.length === 0 ? html`<p>Nobody yet.</p>` : html`<ol id="names">${items}</ol>`}
${form(
  reply,
  '/names',
  html`<label for="name">Name</label>
<input id="name" name="name" maxlength="100" autocomplete="off" required>
<button>Add</button>`
)}
${items.length === 0 ? '' : form(reply, '/names/clear', html`<button class="quiet">Remove all</button>`)}
</section>`
}

/** Shows when the session ends. With the script, it also counts down. */
function countdown({ prefix }: FastifyInstance, session: Session): Html {
  return html`<section class="panel" aria-labelledby="countdown-heading">
<h2 id="countdown-heading">Time left</h2>
<p>The session ends at ${time(session.expiresAt)} unless you come back before then.</p>
<p class="countdown" id="countdown" role="timer" data-url="${prefix}/time-left" hidden></p>
<p class="visually-hidden" id="countdown-said" role="status"></p>
<script type="module" src="/public/countdown.js"></script>
</section>`
}

function size(session: Session): Html {
  const { bytes, limit } = session.size()
  const isCookie = Number.isFinite(limit)
  return html`<section class="panel" aria-labelledby="size-heading">
<h2 id="size-heading">Size of the session</h2>
${
  isCookie
    ? html`<p><strong id="size">${bytes}</strong> of the ${limit} bytes that a cookie can hold</p>
<meter min="0" max="${limit}" value="${bytes}" aria-labelledby="size-heading">${bytes}</meter>`
    : html`<p><strong id="size">${bytes}</strong> bytes in the store. The size of the cookie does not change.</p>`
}
</section>`
}
