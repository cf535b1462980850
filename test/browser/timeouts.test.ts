import t from 'tap'
import { cookiesOf, openChromium, openContext, openPage, serve } from '../helpers/chromium.ts'
import { BROWSER_MODES, createSite, headingOf, logIn } from '../helpers/site.ts'

const TIMEOUTS = { idleTimeout: 600, absoluteTimeout: 1500, refreshAfter: 0 }

const browser = await openChromium(t, 'timeouts in a browser')
if (browser !== undefined) {
  for (const { mode, options } of BROWSER_MODES) {
    t.test(`${mode} sessions end to the second, and the browser has no say in it`, async (t) => {
      const { app, clock } = await createSite({ ...options, ...TIMEOUTS })
      const url = await serve(t, app)
      const context = await openContext(t, browser)
      const page = await openPage(t, context, `${url}/login`)
      const headingAfter = async (seconds: number): Promise<string> => {
        clock.advance(seconds)
        await page.goto(`${url}/members`)
        return headingOf(page)
      }

      await logIn(page)
      t.equal(await headingAfter(600), 'Member Ada', 'nobody came for as long as is allowed')
      t.ok('session' in (await cookiesOf(context, url)))
      t.equal(await headingAfter(601), 'Log in', 'and for a second longer')
      await logIn(page)
      t.equal(await headingOf(page), 'Member Ada')

      for (const seconds of [500, 500, 500]) t.equal(await headingAfter(seconds), 'Member Ada')
      t.equal(await headingAfter(1), 'Log in', 'who comes all the time is logged out in the end, too')
    })
  }
}
