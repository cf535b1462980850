import t from 'tap'
import { createBoundBrowser } from '../helpers/device-app.ts'
import { challengeIn } from '../helpers/device-browser.ts'

t.test('the answer to a proof has the short cookie, the next challenge and the instructions', async (t) => {
  const { browser } = await createBoundBrowser()
  const { identifier, challenge } = browser.session ?? {}
  const reply = await browser.refreshOnce(challenge)
  t.equal(reply.statusCode, 200)
  t.match(reply.headers['set-cookie'], /^session-device=.+; Max-Age=600; /)
  t.not(challengeIn(reply), challenge)
  t.equal(reply.headers['cache-control'], 'no-store')
  t.match(reply.json(), {
    session_identifier: identifier,
    refresh_url: '/session/device/refresh',
    credentials: [{ name: 'session-device', attributes: 'Path=/; HttpOnly; Secure; SameSite=Lax' }]
  })
})
