import t from 'tap'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createApp, MODES } from '../helpers/app.ts'
import { createVisited } from '../helpers/visited-app.ts'

for (const { mode, options } of MODES) {
  t.test(`${mode} sessions`, async (t) => {
    t.test('reload goes back to what came with the request', async (t) => {
      const { app } = await createApp(options)
      app.get('/set', async ({ session }) => {
        session.visits = 1
        session.setOwner('1')
        return ''
      })
      app.get('/reload', async ({ session }) => {
        session.visits = 2
        session.permanent = true
        session.setOwner('2')
        await session.renew()
        await session.reload()
        return { ...session, owner: session.ownerId, permanent: session.permanent }
      })
      app.get('/fresh', async ({ session }) => {
        session.visits = 2
        await session.reload()
        return session
      })
      t.same((await app.inject('/fresh')).json(), {})
      const visitor = await createClient(app)
      await visitor.get('/set')
      const response = await visitor.get('/reload')
      t.same(response.json(), { visits: 1, owner: '1', permanent: false })
      t.same(setCookieLines(response), [])
    })
  })
}

t.test('reload gets what others have made of the data', async (t) => {
  const { app, store, visitor, key } = await createVisited()
  app.get('/reload', async ({ session }) => {
    session.visits = 99
    await store.inner.commit(key, { set: { visits: '2', role: '"guest"' }, unset: ['name'] }, 2_000_000_000)
    await session.reload()
    return { ...session }
  })
  const response = await visitor.get('/reload')
  t.same(response.json(), { visits: 2, role: 'guest' })
  t.same(store.takeMethods(), ['load', 'load'])
})
