import t from 'tap'
import { asSite, cookiesOf, follow, openChromium, openContext, openPage, serve } from '../helpers/chromium.ts'
import { selfSigned } from '../helpers/self-signed.ts'
import { createSite, headingOf, logIn } from '../helpers/site.ts'

const browser = await openChromium(t, 'cookies over HTTPS')
if (browser !== undefined) {
  t.test('a __Host- cookie stays with its host, and with HTTPS', async (t) => {
    const { app, warnings } = await createSite({ cookieName: '__Host-session' }, selfSigned(t))
    const url = asSite(await serve(t, app), 'shop.test')
    const context = await openContext(t, browser)
    const page = await openPage(t, context, `${url}/login`)
    await logIn(page)
    await page.reload()
    t.equal(await headingOf(page), 'Member Ada')
    t.match(await context.cookies(), [
      {
        name: '__Host-session',
        domain: 'shop.test',
        path: '/',
        secure: true,
        httpOnly: true,
        sameSite: 'Lax',
        expires: -1
      }
    ])
    t.same(await cookiesOf(context, asSite(url, 'www.shop.test')), {})
    t.same(await cookiesOf(context, url.replace('https:', 'http:')), {})

    await follow(page, 'button')
    t.same(await context.cookies(), [], 'and it is cleared by the attributes that it was set with')
    t.same(warnings(), [])
  })

  t.test('another host of the domain cannot plant a session, and cannot put one in the way', async (t) => {
    const tls = selfSigned(t)
    for (const cookieName of ['__Host-session', '__Secure-session', 'session']) {
      const { app } = await createSite({ cookieName }, tls)
      app.get('/plant', async (_request, reply) => {
        const planted = `${cookieName}=planted; Domain=shop.test; Path=/members; Secure`
        return reply.header('set-cookie', planted).redirect('/')
      })
      const received: (string | undefined)[] = []
      app.addHook('onRequest', async ({ headers }) => void received.push(headers.cookie))
      const url = asSite(await serve(t, app), 'shop.test')
      const page = await openPage(t, await openContext(t, browser), `${url}/login`)
      await logIn(page)
      await page.goto(`${asSite(url, 'www.shop.test')}/plant`)
      await page.goto(`${url}/members`)
      t.equal(await headingOf(page), 'Member Ada', cookieName)
      const isPlanted = received.at(-1)?.startsWith(`${cookieName}=planted; `)
      t.equal(isPlanted, cookieName !== '__Host-session', 'only __Host- keeps the other cookie away')
    }
  })

  t.test('no script can write a cookie with a name of Http', async (t) => {
    const tls = selfSigned(t)
    for (const cookieName of ['__Host-Http-session', '__Http-session', '__Host-session']) {
      const { app } = await createSite({ cookieName }, tls)
      const url = asSite(await serve(t, app), 'shop.test')
      const context = await openContext(t, browser)
      const page = await openPage(t, context, url)
      await page.evaluate(`document.cookie = '${cookieName}=planted; Path=/; Secure'`)
      const isPlanted = cookieName in (await cookiesOf(context, url))
      t.equal(isPlanted, cookieName === '__Host-session', cookieName)
      await context.clearCookies()
      await page.goto(`${url}/login`)
      await logIn(page)
      t.equal(await headingOf(page), 'Member Ada', 'the server can')
    }
  })

  // Browsers trust what never leaves the machine: a program can be developed over plain HTTP with the settings of production.
  for (const [host, isKept] of [
    ['localhost', true],
    ['127.0.0.1', true],
    ['shop.test', false]
  ] as const) {
    t.test(`a Secure cookie over http://${host} is ${isKept ? 'kept' : 'dropped'}`, async (t) => {
      for (const cookieName of ['session', '__Host-session']) {
        const { app, warnings } = await createSite({ cookieName, cookie: { secure: true } })
        const url = asSite(await serve(t, app), host)
        const context = await openContext(t, browser)
        const page = await openPage(t, context, `${url}/login`)
        await logIn(page)
        t.equal(await headingOf(page), isKept ? 'Member Ada' : 'Log in', cookieName)
        t.same(Object.keys(await cookiesOf(context, url)), isKept ? [cookieName] : [])
        t.same(
          warnings().map(({ reason }) => reason),
          ['insecure-transport'],
          'the log says so once'
        )
      }
    })
  }

  t.test("with secure: 'auto' a cookie over plain HTTP is not Secure, and is kept", async (t) => {
    const { app, warnings } = await createSite()
    const url = asSite(await serve(t, app), 'shop.test')
    const context = await openContext(t, browser)
    const page = await openPage(t, context, `${url}/login`)
    await logIn(page)
    t.equal(await headingOf(page), 'Member Ada')
    t.match(await context.cookies(), [{ name: 'session', secure: false }])
    t.same(warnings(), [])
  })
}
