import t from 'tap'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createApp, decisionsOf, MODES } from '../helpers/app.ts'

for (const { mode, options } of MODES) {
  t.test(`onSend hooks after ours, in ${mode} mode`, async (t) => {
    const { app, warnings } = await createApp(options)
    let act: (session: { visits?: number | undefined; anything?: unknown; destroy(): Promise<void> }) => unknown =
      () => {}
    app.get('/set', async ({ session }) => {
      session.visits = 1
      return ''
    })
    app.get('/read', async ({ session }) => ({ ...session }))
    app.get('/route', { onSend: async ({ session }) => void (await act(session)) }, async () => '')
    app.get('/used', { onSend: [async ({ session }) => void (await act(session))] }, async ({ session }) => {
      session.name = 'Ana'
      return ''
    })
    await app.register(async (scope) => {
      scope.addHook('onSend', async ({ session }) => void (await act(session)))
      scope.get('/scope', async () => '')
    })
    const urls = ['/route', '/used', '/scope']

    t.test('change the session, and the change is kept', async (t) => {
      for (const url of urls) {
        const visitor = await createClient(app)
        act = (session) => (session.visits = (session.visits ?? 0) + 1)
        const response = await visitor.get(url)
        t.equal(setCookieLines(response).length, 1, url)
        const first = url === '/used' ? { name: 'Ana', visits: 1 } : { visits: 1 }
        t.same((await visitor.get('/read')).json(), first, url)
        await visitor.get(url)
        t.same((await visitor.get('/read')).json(), { ...first, visits: 2 }, url)
      }
      t.same(warnings(), [])
    })

    t.test('that only look decide nothing anew', async (t) => {
      const visitor = await createClient(app)
      await visitor.get('/set')
      act = (session) => session.visits
      const decisions = await decisionsOf(async () => {
        t.equal((await visitor.get('/scope')).headers.vary, 'Cookie')
      })
      t.same(decisions.slice(-1), ['commit: unchanged'])
      const used = await decisionsOf(() => visitor.get('/used'))
      t.same(used, ['open: opened', 'commit: changed'])
    })

    t.test('end the session', async (t) => {
      const visitor = await createClient(app)
      for (const url of urls) {
        await visitor.get('/set')
        act = (session) => session.destroy()
        await visitor.get(url)
        t.equal(visitor.jar.get('session'), undefined, url)
      }
    })

    t.test('fail the request with what JSON cannot hold', async (t) => {
      const visitor = await createClient(app)
      act = (session) => (session.anything = 1n)
      t.match((await visitor.get('/route')).json(), { statusCode: 500, code: 'ERR_SESSION_VALUE' })
    })
  })
}

t.test('a change behind the last hook is lost, and the warning is true', async (t) => {
  const { app, warnings } = await createApp()
  app.addHook('onSend', async (request) => {
    if (request.is404) request.session.visits = 1
  })
  const response = await app.inject('/nowhere')
  t.same(setCookieLines(response), [])
  t.match(warnings(), [{ reason: 'headers-sent', msg: /after the headers, or in an onSend hook that runs after/ }])
})
