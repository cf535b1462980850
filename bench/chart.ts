import type { RouteName, SystemName } from './children/protocol.ts'
import type { PayloadResult } from './measure.ts'

/** The systems of the chart. Slow systems are only in the table, because they would make all other bars too short. */
const SYSTEMS: readonly SystemName[] = ['signed', 'encrypted', 'memory', 'secure-session', 'fastify-session']
const ROUTES: readonly RouteName[] = ['untouched', 'read', 'write', 'login']
const OURS: readonly SystemName[] = ['signed', 'encrypted', 'memory']

const TITLES: Readonly<Record<string, string>> = {
  untouched: 'A route that does not look at the session',
  read: 'Reading',
  write: 'Writing',
  login: 'Login'
}

const WIDTH = 860
const MARGIN = 24
const HEADER = 64
const COLUMNS = 2
const PANEL_WIDTH: number = (WIDTH - MARGIN * (COLUMNS + 1)) / COLUMNS
const LABEL_WIDTH = 146
const VALUE_WIDTH = 72
const ROW = 24
const BAR = 14
const PANEL_HEIGHT: number = 36 + SYSTEMS.length * ROW + 12

const LABELS: Partial<Record<SystemName, string>> = {
  signed: 'ours, signed',
  encrypted: 'ours, encrypted',
  memory: 'ours, memory',
  'secure-session': 'secure-session',
  'fastify-session': 'session, memory'
}

// The chart has a background, so that it is readable on every page.
const STYLE = `
    text { font: 13px system-ui, sans-serif; fill: #1f2328 }
    .title { font-size: 16px; font-weight: 600 }
    .panel { font-weight: 600 }
    .note, .spread { fill: #59636e }
    .background { fill: #ffffff }
    .ours { fill: #0969da }
    .other { fill: #8c959f }
    .line { stroke: #1f2328; stroke-width: 1.5 }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc }
      .note, .spread { fill: #9198a1 }
      .background { fill: #0d1117 }
      .ours { fill: #4493f8 }
      .other { fill: #656c76 }
      .line { stroke: #f0f6fc }
    }
  `

/** Returns an SVG with a bar for each overhead, all on one scale, and the spread as a whisker. */
export function chart(result: PayloadResult): string {
  const figures = ROUTES.flatMap((route) =>
    SYSTEMS.flatMap((system) => {
      const cell = result[system]?.routes[route]
      return cell?.overhead === undefined ? [] : [cell.overhead + cell.spread]
    })
  )
  const scale = (PANEL_WIDTH - LABEL_WIDTH - VALUE_WIDTH) / Math.max(...figures)
  const height = HEADER + Math.ceil(ROUTES.length / COLUMNS) * (PANEL_HEIGHT + MARGIN)
  const panels = ROUTES.map((route, index) => {
    const x = MARGIN + (index % COLUMNS) * (PANEL_WIDTH + MARGIN)
    const y = HEADER + Math.floor(index / COLUMNS) * (PANEL_HEIGHT + MARGIN)
    return `<g transform="translate(${round(x)} ${round(y)})">${panel(route, result, scale)}</g>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title">
  <title id="title">Server CPU per request that each way of keeping a session adds to a bare Fastify server, in microseconds</title>
  <style>${STYLE}</style>
  <rect class="background" width="${WIDTH}" height="${height}" rx="6"/>
  <text class="title" x="${MARGIN}" y="28">What a session adds to a request</text>
  <text class="note" x="${MARGIN}" y="48">µs of server CPU above bare Fastify, small payload; less is better; whiskers: half the distance between the quartiles</text>
  ${panels.join('\n  ')}
</svg>
`
}

function panel(route: RouteName, result: PayloadResult, scale: number): string {
  const rows = SYSTEMS.map((system, index) => {
    const cell = result[system]?.routes[route]
    if (cell?.overhead === undefined) return ''
    const y = 36 + index * ROW
    const middle = y + BAR / 2
    const end = LABEL_WIDTH + Math.max(cell.overhead, 0) * scale
    const whisker = cell.spread * scale
    return [
      `<text x="${LABEL_WIDTH - 8}" y="${middle + 4}" text-anchor="end">${LABELS[system] ?? system}</text>`,
      `<rect class="${OURS.includes(system) ? 'ours' : 'other'}" x="${LABEL_WIDTH}" y="${y}" width="${round(end - LABEL_WIDTH)}" height="${BAR}"/>`,
      `<line class="line" x1="${round(Math.max(end - whisker, LABEL_WIDTH))}" x2="${round(end + whisker)}" y1="${middle}" y2="${middle}"/>`,
      `<text x="${round(end + whisker + 6)}" y="${middle + 4}">${cell.overhead.toFixed(1)} <tspan class="spread">±${cell.spread.toFixed(1)}</tspan></text>`
    ].join('')
  })
  return `<text class="panel" x="0" y="20">${TITLES[route]}</text>${rows.join('')}`
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10)
}
