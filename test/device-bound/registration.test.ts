import t from 'tap'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import { RandomPool } from '../../lib/crypto/random.ts'
import { ChallengeFormat } from '../../lib/format/challenge.ts'
import { MemoryStore } from '../../lib/index.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'
import { SECRET, START } from '../helpers/app.ts'
import { createBoundBrowser, createDeviceApp, deviceEventsOf } from '../helpers/device-app.ts'
import {
  createKeys,
  DeviceBrowser,
  offerIn,
  refreshToken,
  registrationToken,
  signToken
} from '../helpers/device-browser.ts'
import { RecordingStore } from '../helpers/recording-store.ts'

const KEYS = createKeys()
const register = (browser: DeviceBrowser, token: string) =>
  browser.sendAsIs({
    method: 'POST',
    url: '/session/device/register',
    headers: { 'secure-session-response': token }
  })

t.test('a browser is told what it has to know, with its first proof and the next challenge', async (t) => {
  const { app, clock } = await createDeviceApp()
  const browser = new DeviceBrowser(app, clock.now)
  browser.isCapable = false
  const { challenge = '' } = offerIn(await browser.post('/login')) ?? {}
  const reply = await register(browser, registrationToken(KEYS, challenge))
  t.equal(reply.statusCode, 200)
  t.match(reply.json(), { refresh_url: '/session/device/refresh', credentials: [{ name: 'session-device' }] })
  t.equal(reply.headers['secure-session-challenge']?.toString().includes(reply.json().session_identifier), true)
  t.ok(browser.cookie('session-device'))
})

t.test('why a browser is not bound', async (t) => {
  const { app, clock } = await createDeviceApp({}, { offerAgainAfter: 0 })
  app.get('/id', async ({ session }) => session.id)
  const refused = async (expected: string, browser: DeviceBrowser, token: string): Promise<void> => {
    const events = await deviceEventsOf(async () => {
      const reply = await register(browser, token)
      t.equal(reply.statusCode, 400)
      t.same(reply.json(), { continue: false })
    })
    t.same(events, [`refused: ${expected}`])
  }
  const browser = new DeviceBrowser(app, clock.now)
  browser.isCapable = false
  const { challenge = '' } = offerIn(await browser.post('/login')) ?? {}
  await refused('malformed', browser, 'abc')
  await refused('no-session', new DeviceBrowser(app, clock.now), registrationToken(KEYS, challenge))
  await refused('bad-challenge', browser, registrationToken(KEYS, 'abc'))
  await refused('unusable-key', browser, refreshToken(KEYS, challenge))
  const jwk = createKeys().publicKey.export({ format: 'jwk' })
  const other = signToken(KEYS, { alg: 'ES256', typ: 'dbsc+jwt', jwk }, { jti: challenge })
  await refused('bad-signature', browser, other)
  const { body: id } = await browser.get('/id')
  const challenges = new ChallengeFormat(
    deriveKeys([Buffer.from(SECRET)], 'device-challenge'),
    'session-device',
    new RandomPool()
  )
  const later = challenges.encode('register', id, START.getTime() / 1000 + 1)
  await refused('not-offered', browser, registrationToken(KEYS, later))
  const { challenge: second = '' } = offerIn(await browser.post('/bind')) ?? {}
  await refused('bad-challenge', browser, registrationToken(KEYS, challenge))
  t.equal((await register(browser, registrationToken(KEYS, second))).statusCode, 200)
  await refused('already-bound', browser, registrationToken(createKeys(), second))
})

t.test('with a store, an offer is taken once, also by requests at once', async (t) => {
  const { app, clock } = await createDeviceApp({ store: (clock) => new MemoryStore({ clock }) })
  const browser = new DeviceBrowser(app, clock.now)
  browser.isCapable = false
  const { challenge = '' } = offerIn(await browser.post('/login')) ?? {}
  const tokens = [createKeys(), createKeys(), createKeys()].map((keys) => registrationToken(keys, challenge))
  const replies = await Promise.all(tokens.map((token) => register(browser, token)))
  t.same(replies.map(({ statusCode }) => statusCode).sort(), [200, 400, 400])
})

t.test('a session that ends meanwhile is not bound, and a store that fails is no answer', async (t) => {
  for (const [fault, status] of [
    ['gone', 400],
    ['down', 503]
  ] as const) {
    const clock = new FakeClock(START)
    const store = new RecordingStore(new MemoryStore({ clock: clock.now, pruneInterval: 0 }))
    const { app } = await createDeviceApp({ store, clock: clock.now })
    const browser = new DeviceBrowser(app, clock.now)
    browser.isCapable = false
    const { challenge = '' } = offerIn(await browser.post('/login')) ?? {}
    store.commit = async () => {
      if (fault === 'down') throw new Error('the store is down')
      return 'gone'
    }
    t.equal((await register(browser, registrationToken(KEYS, challenge))).statusCode, status, fault)
    t.equal(browser.cookie('session-device'), undefined)
  }
})

t.test('it is the session of its decorator', async (t) => {
  const { browser } = await createBoundBrowser()
  t.ok((await browser.get('/me')).json().isBound)
})
