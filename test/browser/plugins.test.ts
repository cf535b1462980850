import csrfProtection from '@fastify/csrf-protection'
import helmet from '@fastify/helmet'
import t from 'tap'
import { login } from '../../lib/login/index.ts'
import { checkAccessibility } from '../helpers/axe.ts'
import { asSite, follow, openChromium, openContext, openPage, serve } from '../helpers/chromium.ts'
import { selfSigned } from '../helpers/self-signed.ts'
import { button, createSite, headingOf, logIn, members, sendPage } from '../helpers/site.ts'

const browser = await openChromium(t, 'other plugins in a browser')
if (browser !== undefined) {
  t.test('a form with a token of @fastify/csrf-protection', async (t) => {
    // The session comes along from everywhere, so that the token is all there is.
    const { app } = await createSite({ cookie: { sameSite: 'none', secure: true } }, selfSigned(t))
    await app.register(csrfProtection, {
      sessionPlugin: '@fastify/session',
      getToken: ({ body }) => (body as { token?: string }).token
    })
    app.setErrorHandler(async ({ message }: Error, _request, reply) => sendPage(reply.code(403), message))
    app.get(
      '/transfer',
      members.handle(async (_request, reply) => {
        const field = `<input type="hidden" name="token" value="${reply.generateCsrf()}">`
        return sendPage(reply, 'Transfer', `<form method="post">${field}<button>Send</button></form>`)
      })
    )
    app.post('/transfer', { preHandler: app.csrfProtection }, async ({ session }, reply) =>
      sendPage(reply, `Sent by ${session.name}`)
    )
    app.get('/elsewhere', async ({ host }, reply) =>
      sendPage(reply, 'You have won', button(`${asSite(`https://${host}`, 'shop.test')}/transfer`, 'Take it'))
    )
    const url = await serve(t, app)
    const shop = asSite(url, 'shop.test')
    const open = async (name: string) => {
      const page = await openPage(t, await openContext(t, browser), `${shop}/login`)
      await logIn(page, name)
      await page.goto(`${shop}/transfer`)
      return page
    }
    const [ada, mallory] = [await open('Ada'), await open('Mallory')]
    const token = await mallory.inputValue('[name=token]')
    await follow(ada, 'button')
    t.equal(await headingOf(ada), 'Sent by Ada')
    await ada.goto(`${shop}/transfer`)
    await ada.evaluate(`document.querySelector('[name=token]').value = '${token}'`)
    await follow(ada, 'button')
    t.equal(await headingOf(ada), 'Invalid csrf token', 'the token of somebody else')
    await ada.goto(`${asSite(url, 'evil.test')}/elsewhere`)
    await follow(ada, 'button')
    t.equal(await headingOf(ada), 'Invalid csrf token', 'a form of another site')
  })

  t.test('the strictest Content-Security-Policy of @fastify/helmet is not violated', async (t) => {
    const { app } = await createSite()
    await app.register(helmet, {
      enableCSPNonces: true,
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          baseUri: ["'none'"],
          formAction: ["'self'"],
          frameAncestors: ["'none'"],
          connectSrc: ["'self'"],
          imgSrc: ['data:']
        }
      }
    })
    app.get('/count', async ({ session }) => {
      session.visits = (session.visits ?? 0) + 1
      return session.visits
    })
    app.get(
      '/visits',
      members.handle(async (_request, reply) => {
        const script = `fetch('/count').then((reply) => reply.text()).then((visits) => { document.querySelector('output').value = visits })`
        return sendPage(reply, 'Visits', `<output></output><script nonce="${reply.cspNonce.script}">${script}</script>`)
      })
    )
    const url = await serve(t, app)
    const page = await openPage(t, await openContext(t, browser), `${url}/visits`)
    t.equal(await headingOf(page), 'Log in')
    await checkAccessibility(t, page)
    await logIn(page)
    await page.locator('output', { hasText: '1' }).waitFor()
    await checkAccessibility(t, page)
    await page.reload()
    await page.locator('output', { hasText: '2' }).waitFor()
    await page.goto(`${url}/members`)
    await checkAccessibility(t, page)
    await follow(page, 'button')
    t.equal(await headingOf(page), 'Hello stranger')
  })

  for (const clearSiteData of [false, true]) {
    t.test(`a logout with clearSiteData: ${clearSiteData}`, async (t) => {
      const { app, clock } = await createSite()
      const ada = { id: 'ada', name: 'Ada', password: '', roles: [] as string[] }
      await app.register(login, { loadUser: () => ada, clearSiteData, clock: clock.now })
      app.post('/leave', async (request, reply) => {
        await request.login(ada)
        await request.logout()
        return reply.redirect('/', 303)
      })
      app.get('/draft', async (_request, reply) => sendPage(reply, 'Draft', button('/leave', 'Leave')))
      const page = await openPage(t, await openContext(t, browser), `${await serve(t, app)}/draft`)
      await page.evaluate(`localStorage.setItem('draft', 'Dear Grace')`)
      await follow(page, 'button')
      t.equal(await headingOf(page), 'Hello stranger')
      t.equal(await page.evaluate(`localStorage.getItem('draft')`), clearSiteData ? null : 'Dear Grace')
    })
  }
}
