import t from 'tap'
import { tombstoneOf } from '../../lib/owners/tombstones.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createApp, decisionsOf, MODES } from '../helpers/app.ts'
import { createVisited } from '../helpers/visited-app.ts'

for (const { mode, options } of MODES) {
  t.test(`${mode} sessions`, async (t) => {
    t.test('destroy and clear send the cookie that clears, with the attributes of the one that was set', async (t) => {
      const cookie = { path: '/app', domain: 'example.com', secure: true, sameSite: 'none', partitioned: true } as const
      const { app } = await createApp({ ...options, cookie })
      app.get('/app/set', async ({ session }) => {
        session.visits = 1
        return ''
      })
      app.get('/app/destroy', async ({ session }) => {
        await session.destroy()
        return ''
      })
      app.get('/app/clear', async ({ session }) => {
        session.clear()
        return ''
      })
      app.get('/app/null', async (request) => {
        request.session = null
        return request.session.data()
      })
      for (const [url, reason] of [
        ['/app/destroy', 'destroyed'],
        ['/app/clear', 'emptied'],
        ['/app/null', 'destroyed']
      ]) {
        const visitor = await createClient(app)
        const [set = ''] = setCookieLines(await visitor.get('/app/set'))
        const attributes = (line: string): string[] =>
          line
            .split('; ')
            .slice(1)
            .filter((part) => !/^(Max-Age|Expires)=/.test(part))
        let cleared = ''
        const decisions = await decisionsOf(async () => {
          cleared = setCookieLines(await visitor.get(url as string))[0] ?? ''
        })
        t.match(cleared, /^session=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; /)
        t.same(attributes(cleared), attributes(set))
        t.equal(decisions.at(-1), `commit: ${reason}`)
        t.equal(visitor.jar.header(), '')
      }
    })

    t.test('a cookie that does not open is cleared by destroy, and nothing is sent to who has none', async (t) => {
      const { app } = await createApp(options)
      app.get('/destroy', async ({ session }) => {
        await session.destroy()
        return ''
      })
      t.same(setCookieLines(await app.inject('/destroy')), [])
      const forged = await app.inject({ url: '/destroy', headers: { cookie: 'session=forged' } })
      t.equal(setCookieLines(forged).length, 1)
    })

    t.test('nothing later in the request revives a destroyed session, and a warning says so', async (t) => {
      const { app, warnings } = await createApp(options)
      app.get('/set', async ({ session }) => {
        session.visits = 1
        return ''
      })
      app.get('/logout', async (request) => {
        await request.session.destroy()
        request.session.visits = 2
        await request.session.renew()
        await request.session.commit()
        await request.session.reload()
        request.session.set('visits', 3)
        return ''
      })
      const visitor = await createClient(app)
      await visitor.get('/set')
      const response = await visitor.get('/logout')
      t.equal(setCookieLines(response).length, 1)
      t.match(setCookieLines(response)[0], /^session=; Max-Age=0/)
      t.match(warnings()[0], { reason: 'destroyed' })
    })
  })
}

t.test('destroy ends the record and clears the cookie; a copy of it opens nothing', async (t) => {
  const { app, store, visitor, key, recordOf } = await createVisited()
  const copy = visitor.jar.header()
  const response = await visitor.get('/logout')
  t.match(setCookieLines(response), [/^session=; Max-Age=0/])
  t.same(store.takeCalls(), [
    ['load', key],
    ['destroy', key],
    ['load', tombstoneOf(key)]
  ])
  t.equal(await recordOf(key), undefined)
  t.same((await app.inject({ url: '/read', headers: { cookie: copy } })).json(), {})
})
