import t from 'tap'
import { sessionCookie } from '../../lib/testing/session-cookie.ts'
import { decisionsOf, OTHER_SECRET } from '../helpers/app.ts'
import { cookiesOf, follow, openChromium, openContext, openPage, serve } from '../helpers/chromium.ts'
import { BROWSER_MODES, createSite, headingOf, logIn, sendPage } from '../helpers/site.ts'

/** What somebody may do to a cookie with the tools of their browser, and what is found. `stranger`: another genuine one. */
function tamper(cookie: string, stranger: string): [how: string, cookie: string, reason: string][] {
  const replace = (at: number): string => cookie.slice(0, at) + (cookie[at] === '1' ? '2' : '1') + cookie.slice(at + 1)
  const [head = '', ...parts] = cookie.split('.')
  const starts = parts.map((_part, index) => [head, ...parts.slice(0, index)].join('.').length + 1)
  return [
    ['the format', replace(0), 'malformed'],
    ['the key id', replace(4), 'unknown-key'],
    ['the stamp', replace(17), 'bad-signature'],
    ...starts.map((at, index): [string, string, string] => [`part ${index + 1}`, replace(at + 4), 'bad-signature']),
    ['the last part of another cookie', cookie.replace(/[^.]+$/, stranger.split('.').at(-1) ?? ''), 'bad-signature'],
    ['nothing but the head', head, 'malformed']
  ]
}

const browser = await openChromium(t, 'cookies in a browser')
if (browser !== undefined) {
  for (const { mode, options, isSelfContained } of BROWSER_MODES) {
    t.test(`who tampers with the cookie of a ${mode} session is logged out`, async (t) => {
      const { app, clock } = await createSite(options)
      const url = await serve(t, app)
      const context = await openContext(t, browser)
      const page = await openPage(t, context, `${url}/login`)
      await logIn(page)
      clock.advance(1)
      const { session: genuine = '' } = await cookiesOf(context, url)
      const bring = (value: string): Promise<void> =>
        context.addCookies([{ name: 'session', value, url, httpOnly: true, sameSite: 'Lax' }])

      const [, stranger = ''] = (await sessionCookie(app, { name: 'Bob' })).split('=')
      for (const [how, value, reason] of tamper(genuine, stranger)) {
        await bring(value)
        const [opened] = await decisionsOf(() => page.goto(`${url}/members`))
        t.equal(await headingOf(page), 'Log in', how)
        t.equal(opened, `open: ${reason}`)
      }
      const other = await createSite({ ...options, secret: OTHER_SECRET })
      await bring((await sessionCookie(other.app, { name: 'Ada' })).replace('session=', ''))
      await page.goto(`${url}/members`)
      t.equal(await headingOf(page), 'Log in', 'a cookie of another application')

      await bring(genuine)
      await page.goto(`${url}/members`)
      t.equal(await headingOf(page), 'Member Ada', 'all of which did the session no harm')
    })

    t.test(`a ${mode} session that is too large for a cookie`, async (t) => {
      const { app } = await createSite(options)
      app.setErrorHandler(async ({ message }: Error, _request, reply) => sendPage(reply.code(500), message))
      app.get('/notes', async (_request, reply) =>
        sendPage(reply, 'Notes', '<form method="post"><button>Keep</button></form>')
      )
      app.post('/notes', async ({ session }, reply) => {
        session.names = ['x'.repeat(4000)]
        return reply.redirect('/members', 303)
      })
      const url = await serve(t, app)
      const context = await openContext(t, browser)
      const page = await openPage(t, context, `${url}/login`)
      await logIn(page)
      const before = await cookiesOf(context, url)
      await page.goto(`${url}/notes`)
      await follow(page, 'button')
      if (isSelfContained) {
        t.match(
          await headingOf(page),
          /^The session cookie would have \d+ bytes .* option store\. The cause of this error names the largest keys\.$/
        )
      } else {
        t.equal(await headingOf(page), 'Member Ada', 'a store has room for it')
      }
      t.same(await cookiesOf(context, url), before, 'the cookie stays as it was')
      await page.goto(`${url}/members`)
      t.equal(await headingOf(page), 'Member Ada', 'and is good')
    })
  }
}
