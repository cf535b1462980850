import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Html } from './html.ts'
import { html } from './html.ts'
import type { Mode } from './modes.ts'
import { MODES } from './modes.ts'

const PAGES = [
  { path: '/', name: 'Start' },
  { path: '/dashboard', name: 'Dashboard' },
  { path: '/cart', name: 'Cart' },
  { path: '/names', name: 'Names' },
  { path: '/devices', name: 'Devices' },
  { path: '/migration', name: 'Migration' },
  { path: '/inspector', name: 'Inspector' }
]

/** A page of the site. It shows who is logged in, and the flash messages of the previous request. */
export function page(reply: FastifyReply, title: string, content: Html): string {
  return frame(
    reply,
    title,
    html`<div class="account">${account(reply)}</div>`,
    html`${messages(reply)}
<h1>${title}</h1>
${content}`
  )
}

/** A page for an error. It does not use the session, which may be what has failed. */
export function errorPage(reply: FastifyReply, title: string, content: Html): string {
  return frame(reply, title, html``, html`<h1>${title}</h1>\n${content}`)
}

/**
 * A form with the CSRF token, which every POST needs. Without `action` it is sent to the URL of its page: the query stays, and
 * with it `next`.
 */
export function form(reply: FastifyReply, action: string | undefined, fields: Html): Html {
  return html`<form method="post"${action === undefined ? '' : html` action="${reply.server.prefix}${action}"`}>
<input type="hidden" name="_csrf" value="${reply.generateCsrf()}">
${fields}
</form>`
}

function frame(reply: FastifyReply, title: string, visitor: Html, content: Html): string {
  const { request } = reply
  // With `no-store`, the back button shows no page from before a logout.
  reply.type('text/html; charset=utf-8').header('cache-control', 'no-store')
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} – Typed session</title>
<link rel="icon" href="/public/icon.svg">
<link rel="stylesheet" href="/public/style.css">
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header>
<a class="brand" href="${homeOf(request)}/"><img src="/public/icon.svg" alt="" width="28" height="28">Typed session</a>
<button class="quiet" id="open-menu" popovertarget="menu">Menu</button>
<div id="menu" popover>
<nav aria-label="Pages"><ul>${PAGES.map(({ path, name }) => html`<li>${linkTo(request, path, name)}</li>`)}</ul></nav>
${visitor}
</div>
</header>
${modeSwitch(request)}
<main id="main">
${content}
</main>
</body>
</html>
`.html
}

function account(reply: FastifyReply): Html {
  const { request } = reply
  if (request.user === null) return linkTo(request, '/login', 'Log in')
  if (request.impersonator !== null) {
    const stop = html`<button class="danger">Stop acting</button>`
    return html`<span>${request.impersonator.name} as ${request.user.name}</span>${form(reply, '/stop-acting', stop)}`
  }
  return html`<span>${request.user.name}</span>${form(reply, '/logout', html`<button class="quiet">Log out</button>`)}`
}

/** The same page with another kind of session. */
function modeSwitch(request: FastifyRequest): Html {
  const mode = modeOf(request)
  const path = mode === undefined ? '/' : pathOf(request.url).slice(homeOf(request).length)
  return html`<nav class="modes" aria-label="Kind of session">
<ul>${MODES.map(
    ({ name, title }) =>
      html`<li><a href="/${name}${path}"${name === mode?.name ? html` aria-current="true"` : ''}>${title}</a></li>`
  )}</ul>
<p>${mode?.summary ?? ''}</p>
</nav>`
}

/** The kind of session of an address. Undefined if it is outside of the site. */
function modeOf({ url }: FastifyRequest): Mode | undefined {
  return MODES.find(({ name }) => pathOf(url).startsWith(`/${name}/`))
}

function homeOf(request: FastifyRequest): string {
  return `/${(modeOf(request) ?? MODES[0])?.name}`
}

function messages(reply: FastifyReply): Html {
  // `reply.flash()` writes to the session, so calling it without messages would start one.
  const left: Record<string, string[]> = reply.request.session.has('flash') ? reply.flash() : {}
  const items = Object.entries(left).flatMap(([kind, texts]) =>
    texts.map((text) => html`<p class="${kind}">${text}</p>`)
  )
  return html`<div role="status" class="messages">${items}</div>`
}

function linkTo(request: FastifyRequest, path: string, text: string): Html {
  const address = homeOf(request) + path
  return html`<a href="${address}"${current(pathOf(request.url) === address)}>${text}</a>`
}

function current(isCurrent: boolean): Html {
  return isCurrent ? html` aria-current="page"` : html``
}

function pathOf(url: string): string {
  return url.split('?', 1)[0] as string
}
