import { join } from 'node:path'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type * as Tap from 'tap'
import t from 'tap'
import type { SessionOptions } from '../../lib/index.ts'
import { getSession, loginRequired, session } from '../../lib/index.ts'
import { SECRET } from '../helpers/app.ts'
import { asSite, follow, openChromium, openContext, openPage, openProfile, serve } from '../helpers/chromium.ts'
import { selfSigned } from '../helpers/self-signed.ts'
import { button, createSite, headingOf, logIn, sendPage } from '../helpers/site.ts'

const SESSIONS = [
  { secret: SECRET, decorator: 'lax', cookieName: 'lax', cookie: { sameSite: 'lax' } },
  { secret: SECRET, decorator: 'strict', cookieName: 'strict', cookie: { sameSite: 'strict' } },
  { secret: SECRET, decorator: 'none', cookieName: 'none', cookie: { sameSite: 'none', secure: true } },
  {
    secret: SECRET,
    decorator: 'partitioned',
    cookieName: 'partitioned',
    cookie: { sameSite: 'none', secure: true, partitioned: true }
  }
] as const satisfies SessionOptions[]

const NAMES = SESSIONS.map(({ decorator }) => decorator)

/** The shop that pages of other sites lead to: one server has them all. */
function shopOf({ protocol, host }: FastifyRequest): string {
  return asSite(`${protocol}://${host}`, 'shop.test')
}

function count(request: FastifyRequest, name: string): string {
  const session = getSession(request, name)
  session.visits = (session.visits ?? 0) + 1
  return `${name} ${session.visits}`
}

/** A shop with sessions of all kinds, and two other sites. Their addresses. */
async function openSites(t: Tap.Test): Promise<{ shop: string; news: string; weather: string }> {
  const { app } = await createSite({}, selfSigned(t))
  for (const options of SESSIONS) await app.register(session, options)
  const method = ['GET', 'POST']
  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    sendPage(reply, NAMES.map((name) => count(request, name)).join(', '))
  app.route({ method, url: '/count', handler })
  app.route({
    method,
    url: '/known',
    handler: async (request, reply) => {
      const known = NAMES.filter((name) => !getSession(request, name).isNew)
      return sendPage(reply, `Known: ${known.join(', ')}`, '<a href="/known">Again</a>')
    }
  })
  app.get('/links', async (request, reply) => {
    const shop = shopOf(request)
    const buttons = button(`${shop}/known`, 'Look') + button(`${shop}/count`, 'Buy')
    return sendPage(reply, 'Links', `<a href="${shop}/known">Look</a> ${buttons}`)
  })
  app.get('/frame', async (request, reply) =>
    sendPage(reply, 'Frame', `<iframe src="${shopOf(request)}/count" title="The shop"></iframe>`)
  )
  const url = await serve(t, app)
  return { shop: asSite(url, 'shop.test'), news: asSite(url, 'news.test'), weather: asSite(url, 'weather.test') }
}

const browser = await openChromium(t, 'sessions between sites')
if (browser !== undefined) {
  t.test('what SameSite lets along on the way from another site', async (t) => {
    const { shop, news } = await openSites(t)
    const page = await openPage(t, await openContext(t, browser), `${shop}/count`)
    await page.goto(`${shop}/known`)
    t.equal(await headingOf(page), 'Known: lax, strict, none, partitioned', 'an address that was typed')
    await page.goto(`${news}/links`)
    await follow(page, 'a')
    t.equal(await headingOf(page), 'Known: lax, none, partitioned', 'a link')
    await follow(page, 'a')
    t.equal(await headingOf(page), 'Known: lax, strict, none, partitioned', 'and a link from there')
    await page.goto(`${news}/links`)
    await follow(page, '[action$="/known"] button')
    t.equal(await headingOf(page), 'Known: none, partitioned', 'a form')

    await page.goto(`${news}/links`)
    await follow(page, '[action$="/count"] button')
    t.equal(await headingOf(page), 'lax 1, strict 1, none 2, partitioned 2', 'a form, where something is stored')
    await page.goto(`${shop}/count`)
    t.equal(
      await headingOf(page),
      'lax 2, strict 2, none 3, partitioned 3',
      'the sessions that were not let along have been replaced'
    )
  })

  // Users choose whether cookies of embedded sites are taken; some browsers have chosen for them.
  for (const thirdPartyCookies of [true, false]) {
    t.test(`a shop that is embedded, where third-party cookies are ${thirdPartyCookies ? 'on' : 'off'}`, async (t) => {
      const { shop, news, weather } = await openSites(t)
      const context = await openProfile(t, join(t.testdir({}), 'profile'), { thirdPartyCookies })
      const page = await openPage(t, context, `${shop}/count`)
      const embeddedIn = async (site: string): Promise<string> => {
        await page.goto(`${site}/frame`)
        return page.frameLocator('iframe').locator('h1').innerText()
      }
      t.equal(await headingOf(page), 'lax 1, strict 1, none 1, partitioned 1')
      const [second, third, fourth] = thirdPartyCookies ? [2, 3, 4] : [1, 1, 1]
      t.equal(await embeddedIn(news), `lax 1, strict 1, none ${second}, partitioned 1`)
      t.equal(await embeddedIn(news), `lax 1, strict 1, none ${third}, partitioned 2`)
      t.equal(
        await embeddedIn(weather),
        `lax 1, strict 1, none ${fourth}, partitioned 1`,
        'another site, another session'
      )
      await page.goto(`${shop}/known`)
      t.equal(await headingOf(page), 'Known: lax, strict, none, partitioned', 'none of which its own sessions noticed')
    })
  }

  for (const next of ['query', 'session'] as const) {
    t.test(`a link from elsewhere to a guarded page, with SameSite=Strict and next: '${next}'`, async (t) => {
      const { app } = await createSite({ cookie: { sameSite: 'strict' } }, selfSigned(t))
      const guard = loginRequired({ key: 'name', redirectTo: '/login', next })
      app.get(
        '/order',
        guard.handle(async ({ session }, reply) => sendPage(reply, `Order of ${session.name}`))
      )
      app.get('/mail', async (request, reply) =>
        sendPage(reply, 'Mail', `<a href="${shopOf(request)}/order">Order</a>`)
      )
      const url = await serve(t, app)
      const shop = asSite(url, 'shop.test')
      const page = await openPage(t, await openContext(t, browser), `${shop}/login`)
      await logIn(page)
      await page.goto(`${asSite(url, 'mail.test')}/mail`)
      await follow(page, 'a')
      t.equal(await headingOf(page), 'Log in', 'who follows it comes as a stranger')
      await page.goto(`${shop}/order`)
      t.equal(await headingOf(page), 'Order of Ada', 'and nothing took the place of the session that stayed behind')
    })
  }
}
