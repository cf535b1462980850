import t from 'tap'
import { STYLESHEET } from '../../lib/inspector/stylesheet.ts'
import { colorsOf, contrast } from '../helpers/contrast.ts'

/** Pairs of text color and background. */
const PAIRS = [
  ['--inspector-ink', '--inspector-surface'],
  ['--inspector-muted', '--inspector-surface'],
  ['--inspector-on-readable', '--inspector-readable'],
  ['--inspector-on-sealed', '--inspector-sealed'],
  ['--inspector-on-opaque', '--inspector-opaque']
] as const

t.test('text has the contrast of WCAG AA in both color schemes', async (t) => {
  for (const [scheme, colors] of Object.entries(colorsOf(STYLESHEET))) {
    for (const [text, behind] of PAIRS) {
      const ratio = contrast(colors[text] ?? '', colors[behind] ?? '')
      t.ok(ratio >= 4.5, `${scheme}: ${text} on ${behind} has ${ratio.toFixed(2)}`)
    }
    const bar = contrast(colors['--inspector-accent'] ?? '', colors['--inspector-opaque'] ?? '')
    t.ok(bar >= 3, `${scheme}: the bar has ${bar.toFixed(2)}`)
  }
})

t.test('the stylesheet affects the inspector only', async (t) => {
  const selectors = [...STYLESHEET.matchAll(/^ *([^\s@{}][^{}]*?) \{/gm)].flatMap(([, list = '']) => list.split(', '))
  t.ok(selectors.length > 20)
  for (const selector of selectors) t.match(selector, /^\.session-inspector(-page)?\b/)
})
