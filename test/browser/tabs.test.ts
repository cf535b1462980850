import websocket from '@fastify/websocket'
import type { Page } from 'playwright-core'
import t from 'tap'
import { MemoryStore } from '../../lib/index.ts'
import { barrier } from '../helpers/barrier.ts'
import { follow, openChromium, openContext, openPage, serve } from '../helpers/chromium.ts'
import { BROWSER_MODES, button, createSite, headingOf, logIn, members, sendPage } from '../helpers/site.ts'

/** A WebSocket of a page. */
interface Live {
  /** How it was closed. */
  readonly closed: Promise<string>
}

const browser = await openChromium(t, 'tabs of a browser')
if (browser !== undefined) {
  for (const { mode, options, isSelfContained } of BROWSER_MODES) {
    t.test(`the tabs of a browser share a ${mode} session, and its end`, async (t) => {
      const { app } = await createSite(options)
      const url = await serve(t, app)
      const context = await openContext(t, browser)
      const first = await openPage(t, context, `${url}/login`)
      await logIn(first)
      await first.close()
      const second = await openPage(t, context, `${url}/members`)
      t.equal(await headingOf(second), 'Member Ada', 'a tab was closed, and another one opened')

      const third = await openPage(t, context, `${url}/members`)
      t.equal(await headingOf(third), 'Member Ada')
      await follow(third, 'button')
      t.equal(await headingOf(second), 'Member Ada', 'what a tab shows, it goes on showing')
      t.equal(await second.evaluate(`fetch('/members').then(({ status }) => status)`), 401, 'its scripts get nothing')
      await second.reload()
      t.equal(await headingOf(second), 'Log in')
      await logIn(second, 'Bob')
      await third.goto(`${url}/members`)
      t.equal(await headingOf(third), 'Member Bob')
    })

    t.test(`a logout in one tab closes the WebSocket of another one, in a ${mode} session`, async (t) => {
      const { app } = await createSite(options)
      await app.register(websocket)
      await app.register(async (scope) => {
        scope.get('/live', { websocket: true }, (socket, { session }) => {
          session.signal.addEventListener('abort', () => socket.close(4401, 'session ended'))
          socket.send('open')
        })
      })
      const url = await serve(t, app)
      const context = await openContext(t, browser)
      const first = await openPage(t, context, `${url}/login`)
      await logIn(first)
      const second = await openPage(t, context, `${url}/members`)
      const live = second.evaluateHandle<Live>(`new Promise((resolve) => {
        const socket = new WebSocket(location.origin.replace('http', 'ws') + '/live')
        const closed = new Promise((tell) => {
          socket.onclose = ({ code, reason }) => tell(code + ' ' + reason)
        })
        socket.onmessage = () => resolve({ closed })
      })`)
      const socket = await live
      await first.goto(`${url}/members`)
      await follow(first, 'button')
      t.equal(await socket.evaluate(({ closed }) => closed), '4401 session ended')
      await second.reload()
      t.equal(await headingOf(second), 'Log in')
    })

    t.test(`two tabs write to a ${mode} session at once`, async (t) => {
      const { app } = await createSite(options)
      const [bothHaveCome, allHaveCome] = [barrier(2), barrier(4)]
      app.post('/cart', async ({ session }, reply) => {
        session.cart = { tea: 1 }
        await bothHaveCome()
        return sendPage(reply, 'Tea')
      })
      app.post('/role', async ({ session }, reply) => {
        session.role = 'guest'
        await bothHaveCome()
        return sendPage(reply, 'Guest')
      })
      app.post('/count', async ({ session }) => {
        await allHaveCome()
        return session.update((data) => {
          data.visits = (data.visits ?? 0) + 1
        })
      })
      app.get('/form', async (_request, reply) => sendPage(reply, 'Form', button('/cart', '1') + button('/role', '2')))
      app.get('/data', async ({ session }) => session.data())
      const url = await serve(t, app)
      const context = await openContext(t, browser)
      const first = await openPage(t, context, `${url}/login`)
      await logIn(first)
      await first.goto(`${url}/form`)
      const second = await openPage(t, context, `${url}/form`)
      const read = () => first.evaluate<Record<string, unknown>>(`fetch('/data').then((reply) => reply.json())`)

      await Promise.all([follow(first, '[action="/cart"] button'), follow(second, '[action="/role"] button')])
      const { cart, role } = await read()
      const kept = [cart, role].filter((value) => value !== undefined)
      t.equal(kept.length, isSelfContained ? 1 : 2, 'what is kept of two writes')

      const count = (page: Page): Promise<unknown> =>
        page.evaluate(`Promise.all([1, 2].map(() => fetch('/count', { method: 'POST' })))`)
      await Promise.all([count(first), count(second)])
      t.match(await read(), { name: 'Ada', visits: isSelfContained ? 1 : 4 }, 'what is kept of four updates')
    })
  }

  t.test('a device is logged out from another one', async (t) => {
    const { app } = await createSite({
      store: (clock) => new MemoryStore({ clock }),
      describe: ({ headers }) => ({ browser: headers['user-agent'] ?? '' })
    })
    app.get(
      '/devices',
      members.handle(async ({ session }, reply) => {
        const devices = await app.sessions.list(session.name, { current: session.id })
        const items = devices.map(({ handle, current, description }) => {
          return `<li>${description.browser} ${current ? '(this one)' : button(`/devices/${handle}/end`, 'End')}</li>`
        })
        return sendPage(reply, 'Devices', `<ul>${items.join('')}</ul>`)
      })
    )
    app.post<{ Params: { handle: string } }>(
      '/devices/:handle/end',
      members.handle(async ({ session, params }, reply) => {
        const own = await app.sessions.list(session.name)
        if (!own.some(({ handle }) => handle === params.handle)) return reply.code(404).send('No such device.')
        await app.sessions.revoke(params.handle)
        return reply.redirect('/devices', 303)
      })
    )
    const url = await serve(t, app)
    const open = async (userAgent: string, name: string): Promise<Page> => {
      const page = await openPage(t, await openContext(t, browser, { userAgent }), `${url}/login`)
      await logIn(page, name)
      await page.goto(`${url}/devices`)
      return page
    }
    const devicesOf = async (page: Page): Promise<string[]> => (await page.locator('li').allInnerTexts()).sort()

    const [laptop, phone, stranger] = [
      await open('Laptop', 'Ada'),
      await open('Phone', 'Ada'),
      await open('Tablet', 'Bob')
    ]
    t.same(await devicesOf(laptop), ['Laptop (this one)'])
    await laptop.reload()
    t.match(await devicesOf(laptop), ['Laptop (this one)', /^Phone/])
    t.match(await devicesOf(phone), [/^Laptop/, 'Phone (this one)'])
    t.same(await devicesOf(stranger), ['Tablet (this one)'], 'everybody sees their own')

    const action = (await laptop.getAttribute('form', 'action')) ?? ''
    t.equal(await stranger.evaluate(`fetch('${action}', { method: 'POST' }).then(({ status }) => status)`), 404)
    await follow(laptop, 'form button')
    t.same(await devicesOf(laptop), ['Laptop (this one)'])
    await phone.reload()
    t.equal(await headingOf(phone), 'Log in')
    await stranger.reload()
    t.equal(await headingOf(stranger), 'Devices')
  })
}
