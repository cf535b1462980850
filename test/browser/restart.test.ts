import { join } from 'node:path'
import formbody from '@fastify/formbody'
import type { Page } from 'playwright-core'
import t from 'tap'
import { getSession, MemoryStore, session } from '../../lib/index.ts'
import { login } from '../../lib/login/index.ts'
import { createApp, SECRET } from '../helpers/app.ts'
import { follow, hasChromium, openPage, openProfile, serve } from '../helpers/chromium.ts'
import { headingOf, sendPage } from '../helpers/site.ts'

const DAY = 86_400

const LOGIN_FORM = `<form method="post">
  <label><input name="remember" type="checkbox"> Remember me</label> <button>Log in</button>
</form>`

if (hasChromium(t, 'a browser that is closed and opened again')) {
  t.test('what a browser still knows when it has been closed and opened again', async (t) => {
    const { app, clock } = await createApp({ store: (clock) => new MemoryStore({ clock }) })
    await app.register(session, {
      secret: SECRET,
      decorator: 'preferences',
      cookieName: 'preferences',
      permanent: true,
      idleTimeout: 30 * DAY,
      clock: clock.now
    })
    const ada = { id: 'ada', name: 'Ada', password: '', roles: [] as string[] }
    await app.register(login, { loadUser: () => ada, loginPath: '/login', remember: true, clock: clock.now })
    await app.register(formbody)
    app.get('/', async (request, reply) => {
      const user = await request.loadUser()
      const { visits = 0 } = getSession(request, 'preferences')
      getSession(request, 'preferences').visits = visits + 1
      return sendPage(reply, `${user === null ? 'stranger' : 'Ada'}, ${visits} visits before`)
    })
    app.get('/login', async (_request, reply) => sendPage(reply, 'Log in', LOGIN_FORM))
    app.post<{ Body: { remember?: string } }>('/login', async (request, reply) => {
      await request.login(ada, { remember: request.body.remember === 'on' })
      return reply.redirect('/', 303)
    })
    app.get(
      '/fresh',
      app.freshLoginRequired().handle(async (_request, reply) => sendPage(reply, 'Fresh'))
    )
    const url = await serve(t, app)
    const profile = join(t.testdir({}), 'profile')
    let page: Page | undefined
    const restart = async (): Promise<Page> => {
      await page?.context().close()
      page = await openPage(t, await openProfile(t, profile), url)
      return page
    }

    const first = await restart()
    t.equal(await headingOf(first), 'stranger, 0 visits before')
    await first.goto(`${url}/login`)
    await follow(first, 'button')
    t.equal(await headingOf(first), 'Ada, 1 visits before')
    await first.goto(`${url}/fresh`)
    t.equal(await headingOf(first), 'Fresh')

    const second = await restart()
    t.equal(await headingOf(second), 'stranger, 2 visits before', 'a session ends, a permanent one does not')
    await second.goto(`${url}/login`)
    await second.check('[name=remember]')
    await follow(second, 'button')
    t.equal(await headingOf(second), 'Ada, 3 visits before')

    clock.advance(2 * DAY)
    const third = await restart()
    t.equal(await headingOf(third), 'Ada, 4 visits before', 'a login is remembered beyond the session')
    await third.goto(`${url}/fresh`)
    t.equal(await headingOf(third), 'Log in', 'but it is not fresh')

    clock.advance(30 * DAY + 1)
    await third.goto(url)
    t.equal(
      await headingOf(third),
      'stranger, 0 visits before',
      'in the end the server forgets, whatever a browser keeps'
    )
  })
}
