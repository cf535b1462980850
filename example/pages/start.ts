import type { FastifyInstance } from 'fastify'
import { html } from '../html.ts'
import { page } from '../layout.ts'
import { time } from '../time.ts'

const TOUR = [
  { path: '/login', name: 'Log in', text: 'The session gets a new id, and keeps what you did before.' },
  {
    path: '/dashboard',
    name: 'Dashboard',
    text: 'A page for those who are logged in. Others come back to it after the login.'
  },
  { path: '/cart', name: 'Cart', text: 'Data within data: a change deep inside is found by itself.' },
  { path: '/names', name: 'Names', text: 'A list that is gone after five minutes without you. Watch them pass.' },
  { path: '/devices', name: 'Devices', text: 'All your sessions, and a way to end each of them.' },
  {
    path: '/inspector',
    name: 'Inspector',
    text: 'Your cookie, taken apart: what it says, when it ends, how large it is.'
  }
]

/** Counts visits: the first of them begins a session. */
export async function startPage(app: FastifyInstance): Promise<void> {
  app.get('/', async ({ session }, reply) => {
    session.visits = session.get('visits', 0) + 1
    return page(
      reply,
      'Your session',
      html`<p>One site with three kinds of session. Switch above: where the session is changes, and the pages stay as they are.</p>
<p class="counter"><strong id="visits">${session.visits}</strong> ${
        session.visits === 1 ? 'visit of this page, the first' : 'visits of this page'
      }</p>
<p>Your session ${session.isNew ? 'begins with this visit' : 'is known'}. It ends at ${time(session.expiresAt)} unless you come
back before.</p>
<ul class="tour">${TOUR.map(
        ({ path, name, text }) => html`<li><a href="${app.prefix}${path}">${name}</a><p>${text}</p></li>`
      )}</ul>`
    )
  })
}
