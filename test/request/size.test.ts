import t from 'tap'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createApp, decisionsOf, MODES } from '../helpers/app.ts'
import { createVisited } from '../helpers/visited-app.ts'

for (const { mode, options, isSelfContained } of MODES) {
  t.test(`${mode} sessions`, async (t) => {
    const tooLarge = 'a session that is too large fails the request with its size, and the old one stays good'
    t.test(tooLarge, { skip: !isSelfContained && 'a store has room' }, async (t) => {
      const { app, logs } = await createApp(options)
      app.get('/set', async ({ session }) => {
        session.name = 'Ana'
        return ''
      })
      app.get('/grow', async ({ session }) => {
        session.anything = 'x'.repeat(5000)
        return { bytes: session.size().bytes, limit: session.size().limit }
      })
      app.get('/', async ({ session }) => session)
      const visitor = await createClient(app)
      await visitor.get('/set')
      let status = 0
      const decisions = await decisionsOf(async () => {
        const response = await visitor.get('/grow')
        status = response.statusCode
        t.match(response.json(), { code: 'ERR_SESSION_TOO_LARGE', message: /anything \(5013 bytes\)/ })
        t.same(setCookieLines(response), [])
      })
      t.equal(status, 500)
      t.equal(decisions.at(-1), 'commit: too-large')
      t.same((await visitor.get('/')).json(), { name: 'Ana' })
      t.notMatch(JSON.stringify(logs), visitor.jar.get('session'), 'no cookie in a log')
    })
  })
}

t.test('a session is as large as its JSON, and has no limit', async (t) => {
  const { app, visitor } = await createVisited()
  app.get('/grow', async ({ session }) => {
    session.anything = 'ä'.repeat(50_000)
    const { bytes, limit, keys } = session.size()
    return { bytes, isBounded: Number.isFinite(limit), keys }
  })
  t.same((await visitor.get('/grow')).json(), {
    bytes: JSON.stringify({ visits: 1, name: 'Ana', anything: '' }).length + 100_000,
    isBounded: false,
    keys: { visits: 10, name: 12, anything: 100_013 }
  })
  t.equal((await visitor.get('/read')).json().anything.length, 50_000)
})

t.test('a refused size says what is too large, how much is allowed, and what to do', async (t) => {
  const { app } = await createApp()
  app.get('/', async ({ session }) => {
    session.cart = Object.fromEntries(Array.from({ length: 300 }, (_, item) => [`item-${item}`, item]))
    session.name = 'x'.repeat(2000)
    session.visits = 1
    return ''
  })
  const { message } = (await app.inject('/')).json()
  t.match(message, /\d{4} bytes.*4096/)
  t.match(message, /cart \(\d+ bytes\), name \(2009 bytes\)/, 'the largest first')
  t.match(message, /store/)
  t.notMatch(message, 'xxx')
})
