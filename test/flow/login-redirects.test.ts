import { once } from 'node:events'
import type { IncomingMessage, RequestOptions, Server } from 'node:http'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import t from 'tap'
import { loginRequired, safeNext } from '../../lib/index.ts'
import type { LoginOptions, User } from '../../lib/login/index.ts'
import { CookieJar } from '../../lib/testing/cookie-jar.ts'
import type { LooseOptions } from '../helpers/app.ts'
import { createApp, MODES } from '../helpers/app.ts'
import type { KitApp } from '../helpers/login-app.ts'
import { ANA, createKitApp } from '../helpers/login-app.ts'
import { listen } from '../helpers/sockets.ts'

/** Creates an application whose pages redirect, as those of most sites do. */
async function createSite(
  options: LooseOptions = {},
  kit: Partial<LoginOptions> = {},
  server: FastifyServerOptions = {}
): Promise<KitApp> {
  const made = await createKitApp(options, kit, server)
  const { app, users } = made
  app.get('/', async (request) => `home of ${(await request.loadUser())?.name ?? 'nobody'}`)
  app.get(
    '/orders',
    app.loginRequired().handle(async ({ user }) => `orders of ${user.name}`)
  )
  app.post('/enter', async (request, reply) => {
    await request.login(users.get('1') as User)
    return reply.redirect(safeNext(request), 303)
  })
  app.get(
    '/logout',
    app.loginRequired().handle(async (request) => {
      await request.logout()
      return 'bye'
    })
  )
  return made
}

/** Starts a proxy that serves an application below `/app`, and takes that off. `says`: its headers. */
async function serveBelow(app: FastifyInstance, says: Record<string, string>): Promise<{ url: string; proxy: Server }> {
  const inner = new URL(await listen(app))
  const proxy = createServer((incoming, outgoing) => {
    const { url = '', method, headers } = incoming
    if (!url.startsWith('/app/')) {
      outgoing.writeHead(404).end()
      return
    }
    const options: RequestOptions = {
      method: method as string,
      path: url.slice('/app'.length),
      headers: { ...headers, ...says }
    }
    const passed = request(inner, options, (answer) => {
      outgoing.writeHead(answer.statusCode as number, answer.headers)
      answer.pipe(outgoing)
    })
    incoming.pipe(passed)
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, proxy }
}

/** A browser that follows redirects over the network. */
class Browser {
  readonly #url: string
  readonly #jar: CookieJar = new CookieJar()

  constructor(url: string) {
    this.#url = url
  }

  /** Returns the paths that the browser went through, and the last status. */
  async go(path: string, method = 'GET'): Promise<string[]> {
    const sent = request(this.#url + path, { method, headers: { accept: 'text/html', cookie: this.#jar.header(path) } })
    sent.end()
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    answer.resume()
    this.#jar.take(answer, path)
    const { location } = answer.headers
    return location === undefined ? [path, String(answer.statusCode)] : [path, ...(await this.go(location))]
  }
}

t.test('a site below a path that the proxy takes off is entered as any other', async (t) => {
  const prefix = { 'x-forwarded-prefix': '/app' }
  for (const { mode, options } of MODES) {
    for (const [says, session, server] of [
      [prefix, {}, { trustProxy: true }],
      [{}, { basePath: '/app' }, {}],
      [prefix, { basePath: '/app', cookie: { path: '/app' } }, {}]
    ] as const) {
      for (const loginPath of ['/public', '/app/public']) {
        const { app } = await createSite({ ...options, ...session }, { loginPath }, server)
        const { url, proxy } = await serveBelow(app, says)
        t.teardown(async () => {
          proxy.close()
          await app.close()
        })
        const browser = new Browser(url)
        const [asked, login = ''] = await browser.go('/app/orders?page=2')
        t.same([asked, login.split('?')[0]], ['/app/orders?page=2', '/app/public'], mode)
        const query = login.slice('/app/public'.length)
        t.same(await browser.go(`/app/enter${query}`, 'POST'), [`/app/enter${query}`, '/app/orders?page=2', '200'])
        t.same(await browser.go('/app/enter', 'POST'), ['/app/enter', '/app/', '200'], 'also without a page')
      }
    }
  }
})

t.test('a proxy that is not trusted moves nothing', async (t) => {
  const { app } = await createSite()
  const headers = { accept: 'text/html', 'x-forwarded-prefix': '/app' }
  t.equal((await app.inject({ url: '/orders', headers })).headers.location, '/login')
})

t.test('a guard for the whole application says that its login page is behind it', async (t) => {
  for (const says of [{ 'x-forwarded-prefix': '/app' }, {}]) {
    const { app } = await createApp({}, { trustProxy: true })
    app.addHook('preHandler', loginRequired({ key: 'userId' as never, redirectTo: '/app/login', next: 'query' }))
    app.get('/login', async () => 'form')
    const { url, proxy } = await serveBelow(app, says)
    t.teardown(async () => {
      proxy.close()
      await app.close()
    })
    const way = await new Browser(url).go('/app/login')
    t.equal(way.at(-1), '500')
    t.ok(way.length <= 4, way.join(' '))
  }
})

t.test('a confirmation that sends away who is logged in ends in an error', async (t) => {
  for (const { mode, options } of MODES) {
    const { app } = await createSite(options, { loginPath: '/form' })
    app.get('/form', async (request, reply) =>
      (await request.loadUser()) === null ? 'form' : reply.redirect(safeNext(request, '/account'))
    )
    app.get(
      '/account',
      app.freshLoginRequired({ within: 60 }).handle(async () => 'account')
    )
    app.post('/stale', async (request) => request.login(ANA, { fresh: false }))
    const url = await listen(app)
    t.teardown(() => app.close())
    const browser = new Browser(url)
    await browser.go('/stale', 'POST')
    const way = await browser.go('/account')
    t.equal(way.at(-1), '500', mode)
    t.ok(way.length < 20, 'before a browser gives up')
    await browser.go('/enter', 'POST')
    t.same(await browser.go('/account'), ['/account', '200'])
  }
})

t.test('who logs in at the way to a logout stays logged in', async (t) => {
  for (const { mode, options } of MODES) {
    const { app } = await createSite(options, { loginPath: '/public' })
    const url = await listen(app)
    t.teardown(() => app.close())
    const browser = new Browser(url)
    t.same(await browser.go('/logout'), ['/logout', '/public', '200'], mode)
    t.same(await browser.go('/enter', 'POST'), ['/enter', '/', '200'])
    t.same(await browser.go('/enter?next=/logout', 'POST'), ['/enter?next=/logout', '/', '200'])
    t.same(await browser.go('/orders'), ['/orders', '200'])
    t.same(await browser.go('/logout'), ['/logout', '200'])
    t.same((await browser.go('/orders'))[1]?.slice(0, 7), '/public')
  }
})
