import { join } from 'node:path'
import fastify from 'fastify'
import type * as Tap from 'tap'
import t from 'tap'
import { asSite, openChromium, openContext, openPage, openProfile, serve } from '../helpers/chromium.ts'
import { recipeText, startRecipe } from './start.ts'

/** Starts the page and the API. The page is on `pageHost`, the API on localhost. */
async function start(t: Tap.Test, pageHost: string, settings: Record<string, string>): Promise<[string, string]> {
  const app = fastify()
  let html = ''
  app.get('/', async (_request, reply) => reply.type('text/html').send(html))
  const page = asSite(await serve(t, app), pageHost)
  const { url } = await startRecipe(t, 'cors', { PAGE_ORIGIN: page, NODE_ENV: 'development', ...settings })
  const api = asSite(url, 'localhost')
  const text = recipeText('cors', 'index.html').replace('http://localhost:3000', api)
  html = text.replace('<output>', '<link rel="icon" href="data:,"><output>')
  return [page, api]
}

t.test('who may call', async (t) => {
  const { url } = await startRecipe(t, 'cors', { PAGE_ORIGIN: 'https://shop.example' })
  const of = (origin: string, method = 'GET'): Promise<Response> =>
    fetch(`${url}/me`, { method, headers: { origin, 'access-control-request-method': 'DELETE' } })
  const own = await of('https://shop.example')
  t.equal(own.status, 200)
  t.equal(own.headers.get('access-control-allow-origin'), 'https://shop.example')
  t.equal(own.headers.get('access-control-allow-credentials'), 'true')
  t.equal((await of('https://other.example')).status, 403)
  const preflight = await of('https://shop.example', 'OPTIONS')
  t.equal(preflight.status, 204)
  t.match(preflight.headers.get('access-control-allow-methods'), 'DELETE')
  t.same(preflight.headers.getSetCookie(), [])
})

const browser = await openChromium(t, 'CORS')
if (browser !== undefined) {
  t.test('two origins of one site', async (t) => {
    const [url] = await start(t, 'localhost', {})
    const page = await (await openContext(t, browser)).newPage()
    const traces: string[] = []
    page.on('console', (message) => traces.push(message.text()))
    await page.goto(url)
    t.equal(await output(page), 'null, then Ada')
    t.match(traces, [/^\/me session; /, /^\/login session; .*commit=/, /^\/me session; open=opened/])
    await page.reload()
    t.equal(await output(page), 'Ada, then Ada')
  })

  for (const thirdPartyCookies of [true, false]) {
    t.test(`two sites, where third-party cookies are ${thirdPartyCookies ? 'on' : 'off'}`, async (t) => {
      const [url] = await start(t, 'page.test', { OTHER_SITE: 'yes' })
      const context = await openProfile(t, join(t.testdir({}), 'profile'), { thirdPartyCookies })
      t.equal(await output(await openPage(t, context, url)), 'null, then Ada')
    })
  }

  t.test('two sites without SameSite=None', async (t) => {
    const [url] = await start(t, 'page.test', {})
    const page = await openPage(t, await openContext(t, browser), url)
    t.equal(await output(page), 'null, then null')
  })
}

async function output(page: Awaited<ReturnType<typeof openPage>>): Promise<string> {
  const text = page.locator('output', { hasText: 'then' })
  return text.innerText()
}
