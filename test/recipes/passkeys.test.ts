import t from 'tap'
import { openChromium, openContext, openPage } from '../helpers/chromium.ts'
import { freePort } from '../helpers/service.ts'
import { startRecipe } from './start.ts'

const browser = await openChromium(t, 'passkeys')
if (browser !== undefined) {
  t.test('passkeys', async (t) => {
    const port = await freePort()
    const origin = `http://localhost:${port}`
    await startRecipe(t, 'passkeys', { PORT: String(port), ORIGIN: origin })
    const page = await openPage(t, await openContext(t, browser), origin)
    const devTools = await page.context().newCDPSession(page)
    await devTools.send('WebAuthn.enable')
    await devTools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true
      }
    })
    const says = async (text: string): Promise<void> => page.locator('output', { hasText: text }).waitFor()
    const me = (): Promise<unknown> =>
      page.evaluate("fetch('/me').then(async (response) => [response.status, (await response.json()).name])")

    t.match(await me(), [401])
    await page.click('#register')
    await says('registered Ada')
    t.same(await me(), [200, 'Ada'])
    await page.click('#logout')
    await says('logged out')
    t.match(await me(), [401])

    const answers: string[] = []
    page.on('request', (request) => {
      if (request.url().endsWith('/login/finish')) answers.push(request.postData() ?? '')
    })
    await page.click('#login')
    await says('logged in Ada')
    t.same(await me(), [200, 'Ada'])

    const replayed = await page.evaluate(
      async (body = '') =>
        (await fetch('/login/finish', { method: 'POST', headers: { 'content-type': 'application/json' }, body }))
          .status,
      answers[0]
    )
    t.equal(replayed, 400, 'an answer is good once')
  })
}
