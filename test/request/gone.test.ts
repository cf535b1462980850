import t from 'tap'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { decisionsOf } from '../helpers/app.ts'
import { once } from '../helpers/recording-store.ts'
import { createVisited, recordFor } from '../helpers/visited-app.ts'

t.test('gone is gone: what comes late keeps nothing, revives nothing and says so once', async (t) => {
  const { app, store, visitor, key, recordOf, warnings } = await createVisited()
  app.addHook('onSend', async (_request, reply) => {
    if (reply.getHeader('x-fail') !== undefined && reply.statusCode === 200) throw new Error('hook failed')
  })
  app.get('/late', async ({ session }, reply) => {
    session.visits = 99
    reply.header('x-fail', 'yes')
    return 'done'
  })
  store.before = once('commit', () => store.inner.destroy(key))
  let response = await visitor.get('/untouched')
  const decisions = await decisionsOf(async () => {
    response = await visitor.get('/late')
  })
  t.equal(response.statusCode, 500, 'the hook failed, the session did not')
  t.equal(decisions.at(-1), 'commit: gone')
  t.same(setCookieLines(response), [])
  t.equal(await recordOf(key), undefined)
  t.match(warnings(), [{ reason: 'gone' }])
  t.equal(warnings().length, 1)
})

t.test('who asks for a result is told that the session is gone', async (t) => {
  const { app, store, visitor, key, recordOf } = await createVisited()
  const cookie = visitor.jar.header()
  app.get('/late/:method', async ({ session, params }) => {
    const { method } = params as { method: 'commit' | 'update' | 'reload' }
    session.visits = 99
    await store.inner.destroy(key)
    return method === 'update' ? session.update((data) => void delete data.name) : session[method]()
  })
  for (const method of ['commit', 'update', 'reload']) {
    await store.inner.create(key, recordFor('{"visits":1}'), 2_000_000_000)
    const response = await app.inject({ url: `/late/${method}`, headers: { cookie } })
    t.match(response.json(), { code: 'ERR_SESSION_GONE', statusCode: 409 }, method)
    t.same(setCookieLines(response), [], method)
    t.equal(await recordOf(key), undefined, method)
  }
})

t.test('a session that is gone can begin anew', async (t) => {
  const { app, store, visitor, key, recordOf } = await createVisited()
  app.get('/anew', async ({ session }) => {
    session.visits = 2
    await store.inner.destroy(key)
    await t.rejects(session.commit(), { code: 'ERR_SESSION_GONE' })
    await session.regenerate(['visits'])
    await t.rejects(session.commit(), { code: 'ERR_SESSION_GONE' }, 'not with its data')
    await session.regenerate()
    session.visits = 5
    return session.id
  })
  const { body: newKey } = await visitor.get('/anew')
  t.not(newKey, key)
  t.same(await recordOf(newKey), { visits: 5 })
  t.equal((await visitor.get('/count')).body, '6')
})

t.test('a failure after that is a failure', async (t) => {
  const { app, store, visitor, key } = await createVisited()
  app.get('/anew', async ({ session }) => {
    session.visits = 2
    await store.inner.destroy(key)
    await t.rejects(session.commit(), { code: 'ERR_SESSION_GONE' })
    await session.regenerate()
    session.anything = new Map()
    return ''
  })
  t.match((await visitor.get('/anew')).json(), { code: 'ERR_SESSION_VALUE', statusCode: 500 })
})

t.test('a decision without a cookie is noted and told', async (t) => {
  const { store, visitor, key } = await createVisited()
  store.before = once('commit', () => store.inner.destroy(key))
  const decisions = await decisionsOf(async () => {
    const { headers } = await visitor.get('/count')
    t.match(headers, { 'set-cookie': undefined, 'cache-control': undefined })
  })
  t.same(decisions, ['open: opened', 'commit: gone'])
})
