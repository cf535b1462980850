import type { CookiePart, InspectedCookie, SessionDecision, SessionInspection } from '../../types/inspector.ts'
import type { Html } from './html.ts'
import { html } from './html.ts'
import { REASONS } from './reasons.ts'

const MODES: Readonly<Record<SessionInspection['mode'], string>> = {
  signed: 'signed: the data are in the cookie, and everybody who has it can read them',
  encrypted: 'encrypted: the data are in the cookie, and nobody can read them without the secret',
  stored: 'stored: the data are on the server, and the cookie has an id'
}

/** The parts in front of the first dot. */
const HEAD: readonly CookiePart['name'][] = ['format', 'key id', 'last activity', 'unknown']

const MAX_TEXT = 4000

/** A page of its own around the inspector. */
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

/** What was found, as HTML without scripts and inline styles, so that it stands under any content security policy. */
export function renderInspection(inspection: SessionInspection, stylesheet: string): string {
  const { cookieName, cookie, decisions } = inspection
  return html`<link rel="stylesheet" href="${stylesheet}">
<div class="session-inspector">
<section aria-labelledby="inspector-cookie">
<h2 id="inspector-cookie">The cookie</h2>
${renderMode(inspection)}
${cookie === undefined ? html`<p>The browser sent no cookie with this name.</p>` : renderCookie(cookieName, cookie)}
</section>
<section aria-labelledby="inspector-session">
<h2 id="inspector-session">The session</h2>
${renderSession(inspection)}
</section>
<section aria-labelledby="inspector-data">
<h2 id="inspector-data">The data</h2>
${renderData(inspection)}
</section>
<section aria-labelledby="inspector-decisions">
<h2 id="inspector-decisions">The last decisions</h2>
${renderDecisions(decisions)}
</section>
</div>`.html
}

function renderMode({ mode, cookieName, opened }: SessionInspection): Html {
  return html`<dl>
${row('Kind', MODES[mode])}
${row('Name', html`<code>${cookieName}</code>`)}
${row('On this request', html`<code>${opened}</code>: ${REASONS[opened]}`)}
</dl>`
}

function renderCookie(cookieName: string, { bytes, limit, parts }: InspectedCookie): Html {
  return html`<p class="size" id="cookie-size">${bytes} of ${limit} bytes ${meter(bytes, limit, 'Size of the cookie')}</p>
<p class="value"><code id="cookie-value">${cookieName}=${parts.map(renderPart)}</code></p>
${table(
  'Its parts',
  ['Part', 'In the cookie', 'Who can read it', 'What it says'],
  parts.map(
    ({ name, text, access, meaning }) => html`<tr>
<th scope="row">${name}</th>
<td>${text.length} characters</td>
<td><span class="access ${access}">${access}</span></td>
<td>${shorten(meaning)}</td>
</tr>`
  )
)}`
}

function renderPart({ name, text, access }: CookiePart): Html {
  return html`${HEAD.includes(name) ? '' : '.'}<span class="part ${access}" title="${name}">${text}</span>`
}

function renderSession({ session, at }: SessionInspection): Html {
  const time = (date: Date): Html => renderTime(date, at)
  return html`<dl>
${row('Handle', html`<code id="session-id">${session.id}</code>, safe to show and to log: it opens nothing`)}
${row('Owner', session.ownerId ?? 'nobody')}
${row('Created', session.isNew ? 'with this request' : time(session.createdAt))}
${row('Last activity', time(session.lastActivityAt))}
${row('Ends without activity', time(session.idleExpiresAt))}
${row('Ends in any case', time(session.absoluteExpiresAt))}
${row('The cookie', session.permanent ? 'outlives the browser' : 'ends with the browser')}
</dl>`
}

function renderData({ session: { data, size } }: SessionInspection): Html {
  const isLimited = Number.isFinite(size.limit)
  const keys = Object.entries(size.keys)
  if (keys.length === 0) return html`<p>There is nothing in it, so no cookie is needed.</p>`
  const total = isLimited
    ? `${size.bytes} of ${size.limit} bytes, as a cookie`
    : `${size.bytes} bytes of JSON in the store`
  return html`<p class="size" id="data-size">${total}</p>
${table(
  'Its keys',
  ['Key', 'Value', 'Bytes', 'Share'],
  keys.map(
    ([key, bytes]) => html`<tr>
<th scope="row"><code>${key}</code></th>
<td><code>${shorten(JSON.stringify(data[key]))}</code></td>
<td class="number">${bytes}</td>
<td>${meter(bytes, isLimited ? size.limit : size.bytes, `Share of ${key}`)}</td>
</tr>`
  )
)}`
}

function renderDecisions(decisions: readonly SessionDecision[]): Html {
  if (decisions.length === 0) {
    return html`<p>None yet. Open another page of this application, then come back: looking at this page is not counted.</p>`
  }
  return table(
    'On the last requests of this session, newest first',
    ['Request', 'At', 'Opened', 'Decided'],
    decisions.map(
      ({ method, path, at, opened, committed }, index) => html`<tr${index === 0 ? html` id="last-decision"` : ''}>
<th scope="row"><code>${method} ${path}</code></th>
<td><time datetime="${at.toISOString()}">${at.toISOString().slice(11, 19)}</time></td>
<td>${opened === undefined ? 'nobody looked' : html`<code>${opened}</code>: ${REASONS[opened]}`}</td>
<td><code>${committed}</code>: ${REASONS[committed]}</td>
</tr>`
    )
  )
}

/** A table that scrolls by itself where the window is narrow; with the keyboard as well. */
function table(caption: string, heads: readonly string[], rows: readonly Html[]): Html {
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0">
<table>
<caption>${caption}</caption>
<thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>${rows}</tbody>
</table>
</div>`
}

function row(term: string, description: Html | string): Html {
  return html`<div><dt>${term}</dt><dd>${description}</dd></div>`
}

function meter(value: number, max: number, label: string): Html {
  return html`<meter min="0" max="${max}" value="${value}" aria-label="${label}">${value}</meter>`
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
