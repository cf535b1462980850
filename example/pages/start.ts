import type { FastifyInstance } from 'fastify'
import { html } from '../html.ts'
import { page } from '../layout.ts'
import { time } from '../time.ts'

const TOUR = [
  { path: '/login', name: 'Log in', text: 'The session gets a new id and keeps what you did before.' },
  {
    path: '/dashboard',
    name: 'Dashboard',
    text: 'A page for logged-in users. Others have to log in first, and then come back to it.'
  },
  { path: '/cart', name: 'Cart', text: 'Nested data. The session finds changes at every depth.' },
  {
    path: '/names',
    name: 'Names',
    text: 'A list that is gone after five minutes without activity. Watch the countdown.'
  },
  { path: '/devices', name: 'Devices', text: 'All your sessions. You can end each of them.' },
  { path: '/admin', name: 'All sessions', text: 'Those of everybody, for an administrator, such as Ada.' },
  { path: '/staff', name: 'Staff', text: 'Other users with a login of their own, in the same browser.' },
  {
    path: '/migration',
    name: 'Migration',
    text: 'A session of before a deploy, whose data today have another shape.'
  },
  {
    path: '/inspector',
    name: 'Inspector',
    text: 'The parts of your cookie: what they say, when it ends, how large it is.'
  }
]

/** The start page. It counts visits, so the first visit starts a session. */
export async function startPage(app: FastifyInstance): Promise<void> {
  app.get('/', async ({ session }, reply) => {
    session.visits = session.get('visits', 0) + 1
    return page(
      reply,
      'Your session',
      html`<p>One site with three kinds of session. Switch between them above: the pages stay the same, and the session is kept in another place.</p>
<p class="counter"><strong id="visits">${session.visits}</strong> ${
        session.visits === 1 ? 'visit to this page' : 'visits to this page'
      }</p>
<p>Your session ${session.isNew ? 'starts with this visit' : 'continues'}. It ends at ${time(session.expiresAt)} unless you come
back before then.</p>
<ul class="tour">${TOUR.map(
        ({ path, name, text }) => html`<li><a href="${app.prefix}${path}">${name}</a><p>${text}</p></li>`
      )}</ul>`
    )
  })
}
