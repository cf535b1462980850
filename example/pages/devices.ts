import type { FastifyInstance, FastifyReply } from 'fastify'
import type { DeviceBinding, OwnedSession } from 'fastify-typed-session'
import { and } from 'fastify-typed-session'
import type { Html } from '../html.ts'
import { html } from '../html.ts'
import { form, page } from '../layout.ts'
import { time } from '../time.ts'
import { createToken } from '../tokens.ts'

/** The page that lists a user's sessions, where the server knows them, and ends them. */
export async function devicesPages(app: FastifyInstance): Promise<void> {
  const loggedIn = app.loginRequired({ onRefused: (request) => request.flash('info', 'Log in to see your devices.') })

  app.get(
    '/devices',
    loggedIn.handle(async ({ user, session }, reply) => {
      const list = app.mode.isStored
        ? html`<ul class="devices">${(await app.sessions.list(user.id, { current: session.id })).map((device) => item(reply, device))}</ul>`
        : NO_LIST
      return page(
        reply,
        'Your devices',
        html`${binding(session.device)}
${list}
<div class="actions">
${form(reply, '/devices/log-out-others', html`<button class="quiet">Log out all others</button>`)}
${form(reply, '/devices/log-out-everywhere', html`<button class="danger">Log out everywhere</button>`)}
${form(reply, '/devices/token', html`<button class="quiet">Make a token for a program</button>`)}
</div>`
      )
    })
  )

  app.post(
    '/devices/log-out-others',
    loggedIn.handle(async (request, reply) => {
      request.flash('info', say(await request.logoutOthers()))
      return reply.redirect(`${app.prefix}/devices`, 303)
    })
  )

  app.post(
    '/devices/log-out-everywhere',
    loggedIn.handle(async (request, reply) => {
      await request.logoutOthers()
      await request.logout()
      request.flash('info', 'You are logged out everywhere.')
      return reply.redirect(`${app.prefix}/`, 303)
    })
  )

  // Somebody who acts as the user must not take a token along.
  app.post(
    '/devices/token',
    and(loggedIn, app.notImpersonating()).handle(async ({ user }, reply) =>
      page(
        reply,
        'A token for a program',
        html`<p>Nobody can show it again:</p>
<pre><code id="token">${createToken(user)}</code></pre>
<p>With it, a program gets what you get: <code>curl -H 'Authorization: Bearer …' …${app.prefix}/api/me</code></p>`
      )
    )
  )

  if (!app.mode.isStored) return
  app.post<{ Body: { handle?: string } }>(
    '/devices/revoke',
    loggedIn.handle(async (request, reply) => {
      // The form can send any handle, so end only the user's own sessions.
      const mine = await app.sessions.list(request.user.id)
      const device = mine.find(({ handle }) => handle === request.body.handle)
      if (device !== undefined) await app.sessions.revoke(device.handle)
      request.flash('info', 'That session has ended.')
      return reply.redirect(`${app.prefix}/devices`, 303)
    })
  )
}

/** Without a store nobody can count them. */
function say(ended: number): string {
  if (Number.isNaN(ended)) return 'All other sessions have ended.'
  return ended === 1 ? 'One session has ended.' : `${ended} sessions have ended.`
}

/** Says whether a copy of the cookies would open this session elsewhere. */
function binding(device: DeviceBinding | undefined): Html {
  return device === undefined
    ? html`<p>This session is not bound to your device. Over HTTPS, browsers that can bind it do so at the login.</p>`
    : html`<p>This session is bound to your device since ${time(device.boundAt)}. A copy of its cookies is worth nothing after ten minutes.</p>`
}

function item(reply: FastifyReply, owned: OwnedSession): Html {
  const { handle, current, createdAt, lastSeenAt, device, description } = owned
  const end = html`<button class="quiet" name="handle" value="${handle}">End this session</button>`
  const { browser, system } = description
  return html`<li>
<h2>Last seen ${time(lastSeenAt)}${current ? html` <span class="badge">this device</span>` : ''}</h2>
<p>Since ${time(createdAt)}.<br>${String(browser)}${system === '' ? '' : ` on ${String(system)}`}${device === undefined ? '' : html`<br>Bound to its device since ${time(device.boundAt)}`}</p>
${current ? '' : form(reply, '/devices/revoke', end)}
</li>`
}

const NO_LIST = html`<p>There is no list here. The sessions are in the cookies of browsers, so the server does not know which there are. It
can end them all the same: it keeps a list of what has ended early.</p>
<p>Try the list with <a href="/stored/devices">stored sessions</a>.</p>`
