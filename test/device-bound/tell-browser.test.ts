import t from 'tap'
import { deviceBound } from '../../lib/device-bound/index.ts'
import { getSession, session } from '../../lib/index.ts'
import { MODES, SECRET } from '../helpers/app.ts'
import { createBoundBrowser, createDeviceApp } from '../helpers/device-app.ts'
import { challengeIn, DeviceBrowser, offerIn } from '../helpers/device-browser.ts'

t.test('an offer goes out with what is saved', async (t) => {
  const { app, clock } = await createDeviceApp()
  app.post('/both', async ({ session }) => {
    session.setOwner('7')
    await session.destroy()
    return 'out'
  })
  app.post('/empty', async ({ session }) => session.bindToDevice())
  const browser = new DeviceBrowser(app, clock.now)
  t.equal(offerIn(await browser.post('/empty')), undefined, 'nothing was')
  t.equal(offerIn(await browser.post('/both')), undefined, 'it has ended')
  t.match(offerIn(await browser.post('/login')), { path: '/session/device/register' })
})

t.test('a reply can have the offers of two sessions, and that of one only once', async (t) => {
  const { app } = await createDeviceApp()
  await app.register(session, { secret: SECRET, cookieName: 'admin', decorator: 'adminSession' })
  await app.register(deviceBound, { decorator: 'adminSession', path: '/admin/device' })
  app.post('/both', async (request) => {
    request.session.setOwner('7')
    getSession(request, 'adminSession').setOwner('7')
    return 'in'
  })
  app.post('/fails', { onSend: async () => Promise.reject(new Error('too late')) }, async (request) => {
    request.session.setOwner('7')
  })
  const headers = { 'x-forwarded-proto': 'https' }
  const pathsOf = async (url: string): Promise<string[]> => {
    const { headers: told } = await app.inject({ method: 'POST', url, headers })
    const lines = [told['secure-session-registration'] ?? []].flat().map(String)
    return lines.map((line) => line.split('"')[1] ?? '')
  }
  t.same(await pathsOf('/both'), ['/session/device/register', '/admin/device/register'])
  t.same(await pathsOf('/fails'), ['/session/device/register'])
})

t.test('a session that has ended takes its proof along', async (t) => {
  for (const [path, body] of [
    ['/logout', {}],
    ['/regenerate', { keep: ['userId'] }]
  ] as const) {
    const { browser } = await createBoundBrowser()
    const reply = await browser.post(path, body)
    t.ok(
      [reply.headers['set-cookie']].flat().some((line) => line?.startsWith('session-device=; Max-Age=0')),
      path
    )
  }
  const { browser } = await createBoundBrowser()
  const reply = await browser.post('/renew')
  t.notOk([reply.headers['set-cookie']].flat().some((line) => line?.startsWith('session-device=;')))
  t.ok(offerIn(reply), 'one that is offered anew gets another one')
})

t.test('the next challenge comes ahead, once in a reply', async (t) => {
  const { browser, clock } = await createBoundBrowser()
  t.equal(challengeIn(await browser.get('/me')), undefined)
  clock.advance(450)
  t.ok(challengeIn(await browser.get('/me')))
  t.ok(challengeIn(await browser.refresh()), 'a refresh has its own')
  t.equal(challengeIn(await browser.get('/me')), undefined)

  const short = await createBoundBrowser({}, { refreshEvery: 30 })
  short.clock.advance(19)
  t.equal(challengeIn(await short.browser.get('/me')), undefined)
  short.clock.advance(1)
  t.ok(challengeIn(await short.browser.get('/me')))
})

t.test('a request without a proof gets no challenge, and an id without one no cookie', async (t) => {
  const { browser, clock } = await createBoundBrowser()
  clock.advance(700)
  const reply = await browser.sendAsIs({ url: '/open' })
  t.equal(challengeIn(reply), undefined)
  t.equal(reply.headers['secure-session-registration'], undefined)
  const { headers } = await browser.sendAsIs({ method: 'POST', url: '/open/renew' })
  t.ok([headers['set-cookie']].flat().some((line) => line?.startsWith('session-device=; Max-Age=0')))
})

t.test('a short cookie that proves nothing is cleared, so that the browser proves itself anew', async (t) => {
  for (const { options } of MODES) {
    const { browser, clock } = await createBoundBrowser(options)
    const clearedBy = async (url: string): Promise<boolean> => {
      browser.cookies.set('session-device', { value: 'd1', expiresAt: Number.POSITIVE_INFINITY })
      const { headers } = await browser.sendAsIs({ url })
      return String(headers['set-cookie']).startsWith('session-device=; Max-Age=0')
    }
    clock.advance(11)
    t.ok(await clearedBy('/me'))
    t.ok(await clearedBy('/open'), 'where it opens without a proof, too')
    t.notOk(await clearedBy('/nowhere'), 'a reply that does not depend on the session may be in a cache')
    browser.cookies.delete('session-device')
    t.equal((await browser.sendAsIs({ url: '/me' })).headers['set-cookie'], undefined)
    browser.cookies.set('session-device', { value: 'd1', expiresAt: Number.POSITIVE_INFINITY })
    t.equal((await browser.refresh()).statusCode, 200)
    t.ok((await browser.get('/me')).json().isProved, 'a refresh sets it')
  }
})
