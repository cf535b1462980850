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
        t.match(response.json(), { code: 'ERR_SESSION_TOO_LARGE' })
        t.match(JSON.stringify(logs), 'anything (5013 bytes)')
        t.notMatch(response.body, 'anything', 'no key for a client')
        t.same(setCookieLines(response), [])
      })
      t.equal(status, 500)
      t.equal(decisions.at(-1), 'commit: too-large')
      t.same((await visitor.get('/')).json(), { name: 'Ana' })
      t.notMatch(JSON.stringify(logs), visitor.jar.get('session'), 'no cookie in a log')
    })
  })
}

for (const { mode, options, isSelfContained } of MODES) {
  t.test(`a large cookie is told once, from 2 KB of data on, in ${mode} mode`, async (t) => {
    const { app, logs } = await createApp(options)
    app.get('/:size', async ({ session, params }) => {
      session.anything = 'x'.repeat(Number((params as { size: string }).size) - '{"anything":""}'.length)
      return ''
    })
    const told = (): unknown[] => logs.filter(({ reason }) => reason === 'large-cookie')
    await app.inject('/1990')
    t.same(told(), [])
    for (const url of ['/2048', '/2900']) t.equal((await app.inject(url)).statusCode, 200)
    t.match(told(), isSelfContained ? [{ level: 20, msg: /nginx .* 502/ }] : [])
    t.equal(told().length, isSelfContained ? 1 : 0)
    t.notMatch(JSON.stringify(told()), 'xxx', 'without the data')
  })
}

t.test('a stored session is as large as its JSON, and may have a mebibyte', async (t) => {
  const { app, visitor } = await createVisited()
  app.get('/grow', async ({ session }) => {
    session.anything = 'ä'.repeat(50_000)
    const { bytes, limit, keys } = session.size()
    return { bytes, limit, keys }
  })
  t.same((await visitor.get('/grow')).json(), {
    bytes: JSON.stringify({ visits: 1, name: 'Ana', anything: '' }).length + 100_000,
    limit: 1_048_576,
    keys: { visits: 10, name: 12, anything: 100_013 }
  })
  t.equal((await visitor.get('/read')).json().anything.length, 50_000)
})

for (const { mode, options, isSelfContained } of MODES) {
  t.test(`${mode} sessions in a store have at most maxBytes`, { skip: isSelfContained && 'no store' }, async (t) => {
    const { app, logs } = await createApp({ ...options, maxBytes: 1000 })
    app.get('/grow/:size', async ({ session, params }) => {
      session.anything = 'x'.repeat(Number((params as { size: string }).size))
      return session.size().limit
    })
    app.get('/update', async ({ session }) =>
      session.update((data) => Object.assign(data, { anything: 'x'.repeat(2000) }))
    )
    app.get('/renew', async ({ session }) => {
      session.renew()
      session.anything = 'x'.repeat(2000)
    })
    app.get('/', async ({ session }) => String(session.anything).length)
    const visitor = await createClient(app)
    const refused = await visitor.get('/grow/2000')
    t.equal(refused.json().code, 'ERR_SESSION_TOO_LARGE')
    t.match(JSON.stringify(logs), 'anything (2013 bytes)')
    t.notMatch(refused.body, 'anything', 'no key for a client')
    t.equal(visitor.jar.get('session'), undefined, 'a refused session has no cookie')
    t.equal((await visitor.get('/grow/600')).json(), 1000)
    for (const path of ['/grow/2000', '/update', '/renew']) {
      const decisions = await decisionsOf(async () => {
        const response = await visitor.get(path)
        t.match(response.json(), { statusCode: 500, code: 'ERR_SESSION_TOO_LARGE' }, path)
        t.same(setCookieLines(response), [])
      })
      if (path !== '/update') t.equal(decisions.at(-1), 'commit: too-large', path)
      t.equal((await visitor.get('/')).json(), 600, 'the old one stays as it was')
    }
    t.notMatch(JSON.stringify(logs), 'xxx', 'no data in a log')
  })
}

t.test('a refused size says what is too large, how much is allowed, and what to do', async (t) => {
  const { app, logs } = await createApp()
  app.get('/', async ({ session }) => {
    session.cart = Object.fromEntries(Array.from({ length: 300 }, (_, item) => [`item-${item}`, item]))
    session.name = 'x'.repeat(2000)
    session.visits = 1
    return ''
  })
  const { message } = (await app.inject('/')).json()
  t.match(message, /\d{4} bytes.*4096/)
  t.match(message, /store/)
  t.match(
    JSON.stringify(logs),
    /cart \(\d+ bytes\), name \(2009 bytes\)/,
    'the largest first, for those who read the log'
  )
  t.notMatch(message + JSON.stringify(logs), 'xxx')
})
