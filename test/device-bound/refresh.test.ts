import t from 'tap'
import { MemoryStore } from '../../lib/index.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'
import { MODES, START } from '../helpers/app.ts'
import { createBoundBrowser, createDeviceApp, deviceEventsOf } from '../helpers/device-app.ts'
import { challengeIn, createKeys, DeviceBrowser, offerIn, refreshToken } from '../helpers/device-browser.ts'
import { RecordingStore } from '../helpers/recording-store.ts'

const REFRESH = { method: 'POST', url: '/session/device/refresh' } as const

t.test('without an answer, or with an old one, the browser gets a challenge; with a good one, a proof', async (t) => {
  for (const { mode, options } of MODES) {
    const { browser, clock } = await createBoundBrowser(options)
    clock.advance(700)
    const events = await deviceEventsOf(async () => {
      const asked = await browser.refreshOnce(undefined)
      t.equal(asked.statusCode, 403, mode)
      t.equal(asked.body, '{}')
      const challenge = challengeIn(asked)
      clock.advance(301)
      const late = await browser.refreshOnce(challenge)
      t.equal(late.statusCode, 403)
      const reply = await browser.refreshOnce(challengeIn(late))
      t.equal(reply.statusCode, 200)
      t.match(reply.json(), { session_identifier: browser.session?.identifier })
      t.ok(challengeIn(reply))
      t.ok(browser.cookie('session-device'))
    })
    t.same(events, ['refused: expired-challenge', 'proved'])
  }
})

t.test('what ends the session in the browser', async (t) => {
  const { app, browser, clock } = await createBoundBrowser()
  const { identifier = '', challenge = '' } = browser.session ?? {}
  const refused = async (expected: string, sent: DeviceBrowser, headers: Record<string, string>): Promise<void> => {
    const events = await deviceEventsOf(async () => {
      const reply = await sent.sendAsIs({ ...REFRESH, headers })
      t.equal(reply.statusCode, 400, expected)
      t.same(reply.json(), { continue: false })
    })
    t.same(events, [`refused: ${expected}`])
  }
  const id = { 'sec-secure-session-id': identifier }
  const stranger = new DeviceBrowser(app, clock.now)
  const plain = new DeviceBrowser(app, clock.now)
  plain.isCapable = false
  await plain.post('/login')
  await refused('not-a-browser', browser, {})
  await refused('insecure-transport', browser, { ...id, 'x-forwarded-proto': 'http' })
  await refused('no-session', stranger, id)
  await refused('not-bound', plain, id)
  await refused('other-device', browser, { 'sec-secure-session-id': `${identifier}a` })
  await refused('malformed', browser, { ...id, 'secure-session-response': 'abc' })
  const forged = refreshToken(createKeys(), challenge)
  await refused('bad-signature', browser, { ...id, 'secure-session-response': forged })
})

t.test(
  'a browser gets another challenge in the place of one that is not of this session, such as one under its earlier id',
  async (t) => {
    for (const { options } of MODES) {
      const { browser, clock } = await createBoundBrowser(options)
      const { identifier = '', keys = createKeys() } = browser.session ?? {}
      const headers = {
        'sec-secure-session-id': identifier,
        'secure-session-response': refreshToken(keys, 'another challenge')
      }
      const events = await deviceEventsOf(async () => {
        const reply = await browser.sendAsIs({ ...REFRESH, headers })
        t.equal(reply.statusCode, 403)
        t.ok(challengeIn(reply))
      })
      t.same(events, ['refused: bad-challenge'])

      clock.advance(700)
      t.equal((await browser.sendAsIs({ method: 'POST', url: '/open/renew', payload: {} })).body, 'bound')
      t.ok((await browser.get('/me')).json().isProved)
    }
  }
)

t.test('a key that a session keeps and that is none signs nothing', async (t) => {
  const clock = new FakeClock(START)
  const store = new RecordingStore(new MemoryStore({ clock: clock.now, pruneInterval: 0 }))
  const { app } = await createDeviceApp({ store, clock: clock.now })
  const browser = new DeviceBrowser(app, clock.now)
  await browser.post('/login')
  const { load } = store
  const damaged = `:D1763640000E${'A'.repeat(86)}`
  store.load = async (key) => {
    const record = await load.call(store, key)
    return record?.ownerId === undefined ? record : { ...record, extensions: damaged }
  }
  const { identifierOf } = await import('../../lib/device-bound/device-key.ts')
  const { session } = browser
  if (session === undefined) throw new Error('it is not bound')
  browser.session = { ...session, identifier: identifierOf(damaged.slice(12)) }
  t.equal((await browser.refreshOnce(session.challenge)).statusCode, 400)
})

t.test('a store has the time of the last proof, unless the session ends meanwhile', async (t) => {
  const clock = new FakeClock(START)
  const store = new RecordingStore(new MemoryStore({ clock: clock.now, pruneInterval: 0 }))
  const { app } = await createDeviceApp({ store, clock: clock.now })
  const browser = new DeviceBrowser(app, clock.now)
  await browser.post('/login')
  clock.advance(700)
  await browser.refresh()
  const [found] = await app.sessions.list('7')
  t.same(found?.device, { boundAt: START, lastProofAt: new Date(START.getTime() + 700_000) })

  const { create } = store
  store.create = async (...values) => {
    await app.sessions.revokeAll('7')
    return create.apply(store, values)
  }
  t.equal((await browser.refreshOnce(browser.session?.challenge)).statusCode, 200)
  store.create = create
  t.same(await app.sessions.list('7'), [])
  t.equal((await browser.refreshOnce(browser.session?.challenge)).statusCode, 400)
})

t.test('a session that is not bound, or has lost its binding, is told from each other in every mode', async (t) => {
  for (const { mode, options, isSelfContained } of MODES) {
    const { app, clock } = await createDeviceApp(options)
    const plain = new DeviceBrowser(app, clock.now)
    plain.isCapable = false
    const offer = offerIn(await plain.post('/login'))
    const headers = { 'sec-secure-session-id': 'd1' }
    t.equal((await plain.sendAsIs({ ...REFRESH, headers })).statusCode, 400, mode)
    const before = plain.cookies.get('session')
    await plain.register(offer ?? { path: '', challenge: '' })
    if (isSelfContained && before !== undefined) plain.cookies.set('session', before)
    t.equal((await plain.refresh()).statusCode, 200, mode)
    const https = { host: 'app.test', 'x-forwarded-proto': 'https' }
    t.equal((await app.inject({ ...REFRESH, headers: { ...headers, ...https } })).statusCode, 400, 'no cookie at all')
  }
})
