import t from 'tap'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createApp, decisionsOf, MODES } from '../helpers/app.ts'
import { once } from '../helpers/recording-store.ts'
import { createVisited } from '../helpers/visited-app.ts'

for (const { mode, options } of MODES) {
  t.test(`${mode} sessions`, async (t) => {
    t.test('a new session with nothing in it is not kept', async (t) => {
      const { app } = await createApp({ ...options, permanent: true })
      app.get('/', async ({ session }) => {
        session.touch()
        session.permanent = false
        await session.renew()
        return { isNew: session.isNew, size: session.size().keys }
      })
      const visitor = await createClient(app)
      let response = await visitor.get('/')
      const decisions = await decisionsOf(async () => {
        response = await visitor.get('/')
      })
      t.same(response.json(), { isNew: true, size: {} })
      t.same(decisions, ['open: no-cookie', 'commit: empty'])
      t.same(setCookieLines(response), [])
    })

    t.test('an owner alone is worth keeping', async (t) => {
      const { app } = await createApp(options)
      app.get('/assign', async ({ session }) => {
        session.setOwner('7')
        return ''
      })
      app.get('/', async ({ session }) => session.ownerId)
      const visitor = await createClient(app)
      await visitor.get('/assign')
      t.equal((await visitor.get('/')).body, '7')
    })
  })
}

t.test('what is new and empty is never stored, and what is new and not empty once', async (t) => {
  const { app, store } = await createVisited()
  await app.inject('/read')
  t.same(store.takeCalls(), [])
  await app.inject('/set')
  t.same(store.takeMethods(), ['create'])
})

t.test('a session that loses its last data, or its owner with them, is ended', async (t) => {
  const { app, store, visitor, key } = await createVisited()
  app.get('/clear', async ({ session }) => {
    session.clear()
    return ''
  })
  app.get('/assign', async ({ session }) => {
    session.setOwner('ana')
    return session.id
  })
  const { body: owned } = await visitor.get('/assign')
  t.not(owned, key)
  t.match(setCookieLines(await visitor.get('/clear')), [/^session=; Max-Age=0/])
  t.same(store.takeMethods().slice(-2), ['destroy', 'load'], 'and looked for a newer id')
  t.equal(await store.inner.load(owned), undefined)
})

t.test('a session that was emptied goes on where others have put something into it meanwhile', async (t) => {
  const { app, store, visitor, key, recordOf } = await createVisited()
  app.get('/clear', async ({ session }) => {
    session.clear()
    return ''
  })
  store.before = once('commit', () => store.inner.commit(key, { set: { role: '"guest"' }, unset: [] }, 2_000_000_000))
  let response = await visitor.get('/clear')
  t.same(setCookieLines(response), [])
  t.same(await recordOf(key), { role: 'guest' })
  store.before = once('commit', () => store.inner.destroy(key))
  const decisions = await decisionsOf(async () => {
    response = await visitor.get('/clear')
  })
  t.equal(decisions.at(-1), 'commit: gone')
  t.same(setCookieLines(response), [])
})
