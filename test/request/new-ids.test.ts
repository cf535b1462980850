import t from 'tap'
import { tombstoneOf } from '../../lib/owners/tombstones.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createApp, decisionsOf, MODES } from '../helpers/app.ts'
import { createVisited } from '../helpers/visited-app.ts'

for (const { mode, options } of MODES) {
  t.test(`${mode} sessions`, async (t) => {
    t.test('renew, assign and permanence are changes', async (t) => {
      const { app } = await createApp(options)
      app.get('/set', async ({ session }) => {
        session.visits = 1
        return session.id
      })
      app.get('/renew', async ({ session }) => {
        await session.renew()
        return session.id
      })
      app.get('/assign', async ({ session }) => {
        session.setOwner('ana{1}%')
        return session.id
      })
      app.get('/permanent', async ({ session }) => {
        session.permanent = true
        return session.id
      })
      app.get('/', async ({ session }) => ({ ...session, owner: session.ownerId, permanent: session.permanent }))
      const visitor = await createClient(app)
      const { body: firstId } = await visitor.get('/set')
      const decisions = await decisionsOf(async () => {
        const { body: secondId } = await visitor.get('/renew')
        t.not(firstId, secondId)
        const { body: thirdId } = await visitor.get('/assign')
        t.not(thirdId, secondId, 'another owner is a change of privilege')
        t.equal((await visitor.get('/assign')).body, thirdId, 'the same one is none')
        const permanent = await visitor.get('/permanent')
        t.match(setCookieLines(permanent)[0], /; Max-Age=86400;/)
      })
      t.same(
        decisions.filter((decision) => decision.startsWith('commit')),
        ['commit: renewed', 'commit: renewed', 'commit: unchanged', 'commit: changed']
      )
      t.same((await visitor.get('/')).json(), { visits: 1, owner: 'ana{1}%', permanent: true })
    })

    t.test('regenerate starts a new session with the keys that are named', async (t) => {
      const { app, clock } = await createApp({ ...options, permanent: true })
      app.get('/set', async ({ session }) => {
        session.visits = 1
        session.name = 'Ana'
        session.permanent = false
        session.setOwner('1')
        return ''
      })
      app.get('/regenerate', async ({ session }) => {
        await session.regenerate(['name'])
        return ''
      })
      app.get('/', async ({ session }) => ({
        ...session,
        id: session.id,
        created: session.createdAt.getTime(),
        owner: session.ownerId ?? null,
        permanent: session.permanent
      }))
      const visitor = await createClient(app)
      await visitor.get('/set')
      const before = (await visitor.get('/')).json()
      clock.advance(10)
      await visitor.get('/regenerate')
      const after = (await visitor.get('/')).json()
      t.not(after.id, before.id)
      t.equal(after.created, before.created + 10_000)
      t.match(after, { name: 'Ana', owner: null, permanent: true })
      t.equal(after.visits, undefined)
    })
  })
}

t.test('a new id is created before the old one is ended', async (t) => {
  const { store, visitor, key, recordOf, clock } = await createVisited()
  const old = visitor.jar.header()
  const response = await visitor.get('/renew')
  const newKey = response.body
  const calls = store.takeCalls()
  t.same(
    calls.map(([method, called]) => [method, called]),
    [
      ['load', key],
      ['load', key],
      ['create', tombstoneOf(key)],
      ['create', newKey],
      ['commit', key],
      ['destroy', key]
    ]
  )
  t.match(calls[3], ['create', newKey, { createdAt: clock.now() / 1000 }])
  t.same(calls[4]?.slice(2), [{ set: {}, unset: [] }, 0, 0], 'only in the version that was copied, and for good')
  t.equal(setCookieLines(response).length, 1)
  t.not(visitor.jar.header(), old)
  t.same(await recordOf(newKey), { visits: 1, name: 'Ana', userId: 7 })
  t.equal(await recordOf(key), undefined)
})

t.test('what others write to the old id meanwhile moves along', async (t) => {
  const { store, visitor, key, recordOf } = await createVisited()
  const cookie = visitor.jar.header()
  let writes = 0
  store.before = (method, [called, , expiresAt]) => {
    // Twice, each time after it was copied and before it is ended.
    if (method !== 'commit' || called !== key || expiresAt !== 0 || writes === 2) return undefined
    writes++
    const set = writes === 1 ? { visits: '50' } : { role: '"guest"' }
    return store.inner.commit(key, { set, unset: writes === 1 ? [] : ['name'] }, 2_000_000_000)
  }
  const { body: newKey } = await visitor.get('/renew')
  t.equal(writes, 2)
  t.same(await recordOf(newKey), { visits: 50, userId: 7, role: 'guest' })
  t.equal(await recordOf(key), undefined)
  t.not(visitor.jar.header(), cookie)
})

t.test('a logout while a session gets a new id wins', async (t) => {
  for (const moment of ['load', 'create', 'commit'] as const) {
    const { store, visitor, key, recordOf, warnings } = await createVisited()
    let loads = 0
    let created = ''
    store.before = (method, [called]) => {
      if (method === 'create' && called !== tombstoneOf(key)) created = called as string
      // The first load is that of the request itself.
      if (method === 'load') loads++
      const isNow = method === moment && (method !== 'load' || loads === 2)
      return isNow ? store.inner.destroy(key) : undefined
    }
    const response = await visitor.get('/renew')
    t.equal(response.statusCode, 200)
    t.same(setCookieLines(response), [], moment)
    t.match(warnings(), [{ reason: 'gone' }], moment)
    t.equal(await recordOf(key), undefined)
    t.equal(created === '' ? undefined : await recordOf(created), undefined, moment)
  }
})

t.test('regenerate ends the old session after the new one is there', async (t) => {
  const { app, store, visitor, key, recordOf } = await createVisited()
  app.get('/regenerate', async ({ session }) => {
    await session.regenerate(['name'])
    return session.id
  })
  const { body: newKey } = await visitor.get('/regenerate')
  t.same(
    store.takeCalls().map(([method, called]) => [method, called]),
    [
      ['load', key],
      ['load', key],
      ['create', tombstoneOf(key)],
      ['create', newKey],
      ['commit', key],
      ['destroy', key]
    ]
  )
  t.same(await recordOf(newKey), { name: 'Ana' })
  t.equal(await recordOf(key), undefined)
})
