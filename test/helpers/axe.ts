import axe from 'axe-core'
import type { Page } from 'playwright-core'
import type * as Tap from 'tap'

/** The success criteria of WCAG 2.2, levels A and AA. */
const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

/**
 * Runs axe-core on the page of a tab. Each element that breaks a rule fails the test. It also works with a
 * Content-Security-Policy. `rules`: `'wcag'` leaves out the rules of best practice, such as landmarks.
 */
export async function checkAccessibility(t: Tap.Test, page: Page, rules: 'all' | 'wcag' = 'all'): Promise<void> {
  const options: axe.RunOptions = { resultTypes: ['violations'], ...(rules === 'wcag' ? { runOnly: WCAG } : {}) }
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate<axe.AxeResults>(`axe.run(${JSON.stringify(options)})`)
  const found = violations.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html}`))
  t.same(found, [], `${new URL(page.url()).pathname} is accessible`)
}
