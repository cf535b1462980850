import t from 'tap'
import { MemoryStore } from '../../lib/index.ts'
import { createBoundBrowser, createDeviceApp, deviceEventsOf } from '../helpers/device-app.ts'
import { DeviceBrowser, offerIn } from '../helpers/device-browser.ts'

t.test('a session is offered over HTTPS, to owners unless the application asks for it', async (t) => {
  for (const offerAtLogin of [true, false]) {
    const { app, clock } = await createDeviceApp({}, { offerAtLogin })
    const browser = new DeviceBrowser(app, clock.now)
    await browser.post('/login')
    t.equal(browser.session !== undefined, offerAtLogin)
    await browser.post('/bind')
    t.ok(browser.session)
    const plain = await app.inject({ method: 'POST', url: '/login' })
    t.notOk('secure-session-registration' in plain.headers)
  }
})

t.test('a proof is read from the short cookie', async (t) => {
  const { browser, clock } = await createBoundBrowser()
  t.ok((await browser.sendAsIs({ url: '/me' })).json().isProved)
  clock.advance(611)
  t.notOk((await browser.sendAsIs({ url: '/me' })).json().isBound)
})

t.test('a browser that has skipped a refresh is refused or accepted, and told of', async (t) => {
  for (const onSkipped of ['refuse', 'accept'] as const) {
    const { browser, clock } = await createBoundBrowser({}, { onSkipped })
    clock.advance(700)
    const events = await deviceEventsOf(async () => {
      const headers = { 'secure-session-skipped': 'quota_exceeded' }
      const reply = await browser.sendAsIs({ url: '/me', headers })
      t.equal(reply.json().isBound, onSkipped === 'accept')
      t.notOk((await browser.sendAsIs({ url: '/me' })).json().isBound)
    })
    t.same(events, ['skipped: quota_exceeded'])
  }
})

t.test(
  'a session that has lost its binding finds it in the short cookie, for as long as that can happen',
  async (t) => {
    const { app, clock } = await createDeviceApp({ idleTimeout: 200_000 }, { refreshEvery: 86_400 })
    const browser = new DeviceBrowser(app, clock.now)
    browser.isCapable = false
    const offer = offerIn(await browser.post('/login'))
    const before = browser.cookies.get('session')
    t.notOk((await browser.get('/me')).json().isBound, 'there is none')
    await browser.register(offer ?? { path: '', challenge: '' })
    for (const [seconds, isBound] of [
      [0, true],
      [86_000, true],
      [1001, false]
    ] as const) {
      clock.advance(seconds)
      if (before !== undefined) browser.cookies.set('session', before)
      if (!isBound) await browser.refreshOnce(undefined)
      t.equal((await browser.sendAsIs({ url: '/open' })).json().isBound, isBound, String(seconds))
    }
  }
)

t.test('with a store, requests that were under way when the session was bound are served', async (t) => {
  const { browser, clock } = await createBoundBrowser({ store: (clock) => new MemoryStore({ clock }) })
  browser.cookies.delete('session-device')
  t.ok((await browser.sendAsIs({ url: '/me' })).json().isBound)
  clock.advance(11)
  t.notOk((await browser.sendAsIs({ url: '/me' })).json().isBound)
})
