import type { SessionReason } from '../../types/diagnostics.ts'
import type { CookiePart, InspectedCookie, SessionInspection } from '../../types/inspector.ts'
import type { Html } from './html.ts'
import { html } from './html.ts'
import { explainReason } from './reasons.ts'

const MODES: Readonly<Record<SessionInspection['mode'], string>> = {
  signed: 'signed: the data is in the cookie, and anybody who has the cookie can read it',
  encrypted: 'encrypted: the data is in the cookie, and nobody can read it without the secret',
  stored: 'stored: the data is in a store on the server, and the cookie holds an id'
}

/** The parts before the first dot. */
const HEAD: readonly CookiePart['name'][] = ['format', 'key id', 'last activity', 'unknown']

const MAX_TEXT = 4000

/** Returns a complete page with the content of the inspector. */
export function renderPage(content: string): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Session inspector</title>
</head>
<body class="session-inspector-page">
<main>
<h1>Session inspector</h1>
${{ html: content }}
</main>
</body>
</html>
`.html
}

/**
 * Returns an inspection as HTML. It has no scripts and no inline styles, so that it works with a strict
 * Content-Security-Policy.
 */
export function renderInspection(inspection: SessionInspection, stylesheet: string): string {
  const { cookieName, cookie, decisions } = inspection
  return html`<link rel="stylesheet" href="${stylesheet}">
<div class="session-inspector">
${section('cookie', 'The cookie', cookie === undefined ? NO_COOKIE : renderCookie(cookieName, cookie))}
${section('session', 'The session', renderSession(inspection))}
${section('data', 'The data', renderData(inspection))}
${section('decisions', 'The last decisions', decisions.length === 0 ? NO_DECISION : renderDecisions(inspection))}
</div>`.html
}

const NO_COOKIE = html`<p>The browser sent no cookie of this session.</p>`

const NO_DECISION = html`<p>None yet. Open another page, then come back. The list leaves out requests that change nothing and are not
activity, such as this one.</p>`

function renderCookie(cookieName: string, { bytes, limit, parts }: InspectedCookie): Html {
  return html`<p class="size" id="cookie-size">${bytes} of ${limit} bytes ${meter(bytes, limit, 'Size of the cookie')}</p>
<p class="value"><code id="cookie-value">${cookieName}=${parts.map(renderPart)}</code></p>
${rows(
  parts.map(({ name, text, access, meaning }) => [
    html`${name} <small>${plural(text.length, 'character')}</small> <span class="access ${access}">${access}</span>`,
    html`${shorten(meaning)}`
  ])
)}`
}

function renderPart({ name, text, access }: CookiePart): Html {
  return html`${HEAD.includes(name) ? '' : '.'}<span class="part ${access}">${text}</span>`
}

function renderSession({ session, mode, opened, at }: SessionInspection): Html {
  const time = (date: Date): Html => renderTime(date, at)
  return rows([
    [html`Kind`, html`${MODES[mode]}`],
    [html`On this request`, renderReason(opened, mode)],
    [
      html`Handle`,
      html`<code id="session-id">${session.id}</code>, safe to show and to log: it does not open the session`
    ],
    [html`Owner`, html`${session.ownerId ?? 'nobody'}`],
    [html`Created`, session.isNew ? html`with this request` : time(session.createdAt)],
    [html`Last activity`, time(session.lastSeenAt)],
    [html`Ends without activity`, time(session.idleExpiresAt)],
    [html`Ends at the latest`, time(session.absoluteExpiresAt)],
    [html`The cookie`, html`${session.permanent ? 'outlives the browser' : 'ends with the browser'}`],
    ...renderSchema(session),
    ...renderDevice(session, time)
  ])
}

function renderSchema({ schemaVersion }: SessionInspection['session']): (readonly [Html, Html])[] {
  return schemaVersion === undefined ? [] : [[html`Schema`, html`version ${schemaVersion}`]]
}

function renderDevice({ device }: SessionInspection['session'], time: (date: Date) => Html): (readonly [Html, Html])[] {
  if (device === undefined) return []
  const { boundAt, lastProofAt } = device
  return [
    [html`Bound to a device`, time(boundAt)],
    [html`Last proof of it`, lastProofAt === undefined ? html`none with this request` : time(lastProofAt)]
  ]
}

function renderData({ mode, session: { data, size } }: SessionInspection): Html {
  const keys = Object.entries(size.keys)
  if (keys.length === 0) return html`<p>The session holds no data, so it needs no cookie.</p>`
  const total = `${size.bytes} of ${size.limit} bytes${mode === 'stored' ? ' of JSON in the store' : ', as a cookie'}`
  return html`<p id="data-size">${total}</p>
${rows(
  keys.map(([key, bytes]) => [
    html`<code>${key}</code> <small>${plural(bytes, 'byte')}</small> ${meter(bytes, size.bytes, `Share of ${key}`)}`,
    html`<code>${shorten(JSON.stringify(data[key]))}</code>`
  ])
)}`
}

function renderDecisions({ decisions, mode }: SessionInspection): Html {
  return html`<p>On the last requests of this session, newest first.</p>
${rows(
  decisions.map(({ method, path, at, opened, committed }) => [
    html`<code>${method} ${path}</code> <small><time datetime="${at.toISOString()}">${at.toISOString().slice(11, 19)}</time></small>`,
    html`${opened === undefined ? html`no handler used the session` : renderReason(opened, mode)}<br>${renderReason(committed, mode)}`
  ])
)}`
}

function renderReason(reason: SessionReason, mode: SessionInspection['mode']): Html {
  return html`<code>${reason}</code>: ${explainReason(reason, mode === 'stored')}`
}

function section(id: string, heading: string, content: Html): Html {
  return html`<section aria-labelledby="inspector-${id}">
<h2 id="inspector-${id}">${heading}</h2>
${content}
</section>`
}

function rows(pairs: readonly (readonly [term: Html, description: Html])[]): Html {
  return html`<dl>${pairs.map(([term, description]) => html`<div><dt>${term}</dt><dd>${description}</dd></div>\n`)}</dl>`
}

function meter(value: number, max: number, label: string): Html {
  return html`<meter min="0" max="${max}" value="${value}" aria-label="${label}">${value}</meter>`
}

function plural(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

function renderTime(date: Date, now: Date): Html {
  const seconds = Math.round((date.getTime() - now.getTime()) / 1000)
  const distance = seconds > 0 ? `in ${duration(seconds)}` : `${duration(-seconds)} ago`
  const text = date.toISOString().replace('T', ' ').replace('.000Z', ' UTC')
  return html`<time datetime="${date.toISOString()}">${text}</time>, ${distance}`
}

const UNITS = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's']
] as const

/** The two largest units that are not zero, such as `4 min 12 s`. */
function duration(seconds: number): string {
  let rest = seconds
  const parts = UNITS.flatMap(([size, name]) => {
    const count = Math.floor(rest / size)
    rest -= count * size
    return count === 0 ? [] : [`${count} ${name}`]
  })
  return parts.slice(0, 2).join(' ') || '0 s'
}

function shorten(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}…`
}
