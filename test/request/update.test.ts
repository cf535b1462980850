import t from 'tap'
import { tombstoneOf } from '../../lib/owners/tombstones.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createApp, MODES } from '../helpers/app.ts'
import { createVisited } from '../helpers/visited-app.ts'

for (const { mode, options } of MODES) {
  t.test(`${mode} sessions`, async (t) => {
    t.test('update is applied at once', async (t) => {
      const { app } = await createApp(options)
      app.get('/', async ({ session }) => session.update((data) => (data.visits = (data.visits ?? 0) + 1)))
      const visitor = await createClient(app)
      await visitor.get('/')
      t.equal((await visitor.get('/')).body, '2')
    })
  })
}

t.test('a hundred updates at a time make a hundred, and each gives its own result', async (t) => {
  const { visitor, key, recordOf } = await createVisited()
  const responses = await Promise.all(Array.from({ length: 100 }, () => visitor.get('/update')))
  const results = responses.map(({ body }) => Number(body)).sort((a, b) => a - b)
  t.same(
    results,
    Array.from({ length: 100 }, (_, index) => index + 2)
  )
  t.same(await recordOf(key), { visits: 101, name: 'Ana' })
})

t.test('an update is made again on what others have made of the data', async (t) => {
  const { store, visitor, key, recordOf } = await createVisited()
  let others = 0
  store.before = async (method) => {
    if (method !== 'commit' || others === 3) return
    others++
    await store.inner.commit(key, { set: { visits: String(others * 10) }, unset: ['name'] }, 2_000_000_000)
  }
  const response = await visitor.get('/update')
  t.equal(response.body, '31')
  t.same(await recordOf(key), { visits: 31 })
  t.equal(store.takeMethods().filter((method) => method === 'commit').length, 4)
})

t.test('when others are always faster an update gives up, and nothing of it is kept', async (t) => {
  const { store, visitor, key, recordOf } = await createVisited()
  store.before = async (method) => {
    if (method === 'commit') await store.inner.commit(key, { set: { role: '"guest"' }, unset: [] }, 2_000_000_000)
  }
  const response = await visitor.get('/update')
  t.match(response.json(), { code: 'ERR_SESSION_CONFLICT', statusCode: 409 })
  t.same(await recordOf(key), { visits: 1, name: 'Ana', role: 'guest' })
})

t.test('and so does a new id, which leaves the session under the old one', async (t) => {
  const { store, visitor, key, recordOf } = await createVisited()
  const keys = new Set<string>()
  store.before = async (method, [called, , expiresAt]) => {
    keys.add(called as string)
    if (method !== 'commit' || called !== key || expiresAt !== 0) return
    await store.inner.commit(key, { set: { role: '"guest"' }, unset: [] }, 2_000_000_000)
  }
  const response = await visitor.get('/renew')
  t.match(response.json(), { code: 'ERR_SESSION_CONFLICT', statusCode: 409 })
  t.same(setCookieLines(response), [])
  t.same(await recordOf(key), { visits: 1, name: 'Ana', role: 'guest' })
  t.equal(keys.size, 3)
  keys.delete(tombstoneOf(key))
  for (const other of keys) if (other !== key) t.equal(await recordOf(other), undefined)
})

t.test('an update takes along what was changed before it, and leaves what is changed after it', async (t) => {
  const { app, store, visitor, key, recordOf } = await createVisited()
  app.get('/mixed', async ({ session }) => {
    session.role = 'guest'
    delete session.name
    await store.inner.commit(key, { set: { userId: '7' }, unset: [] }, 2_000_000_000)
    await session.update((data) => {
      t.same(data, { visits: 1, role: 'guest', userId: 7 })
      data.visits = 2
    })
    t.same({ ...session }, { visits: 2, role: 'guest', userId: 7 })
    t.same(await recordOf(key), { visits: 2, role: 'guest', userId: 7 }, 'it is kept already')
    session.names = ['after']
    return ''
  })
  await visitor.get('/mixed')
  t.same(await recordOf(key), { visits: 2, role: 'guest', userId: 7, names: ['after'] })
  const commits = store.takeCalls().filter(([method]) => method === 'commit')
  t.match(commits[1], ['commit', key, { set: { names: '["after"]' }, unset: [] }])
})

t.test('an update that changes nothing writes nothing', async (t) => {
  const { app, store, visitor } = await createVisited()
  app.get('/nothing', async ({ session }) => session.update((data) => data.visits))
  t.equal((await visitor.get('/nothing')).body, '1')
  t.same(store.takeMethods(), ['load', 'load'])
})

t.test('an update of a session that has a new id to come is made under the new one', async (t) => {
  const { app, visitor, key, recordOf } = await createVisited()
  app.get('/renew-update', async ({ session }) => {
    await session.renew()
    await session.update((data) => {
      data.visits = 2
    })
    t.same(await recordOf(session.id), { visits: 2, name: 'Ana' }, 'it is there when the update is')
    t.equal(await recordOf(key), undefined)
    return session.id
  })
  app.get('/regenerate-update', async ({ session }) => {
    await session.regenerate(['name'])
    await session.update((data) => {
      data.visits = 3
    })
    return session.id
  })
  app.get('/nothing-left', async ({ session }) => {
    await session.regenerate()
    await session.update((data) => {
      data.visits = 4
    })
    return session.id
  })
  app.get('/new', async ({ session }) => {
    await session.update((data) => {
      data.visits = 5
    })
    return session.id
  })
  let before = key
  for (const [url, data] of [
    ['/renew-update', { visits: 2, name: 'Ana' }],
    ['/regenerate-update', { visits: 3, name: 'Ana' }],
    ['/nothing-left', { visits: 4 }]
  ] as const) {
    const response = await visitor.get(url)
    t.equal(response.statusCode, 200, url)
    t.not(response.body, before)
    t.same(await recordOf(response.body), data, url)
    t.equal(await recordOf(before), undefined)
    t.same((await visitor.get('/read')).json(), data)
    before = response.body
  }
  const { body: created } = await app.inject('/new')
  t.same(await recordOf(created), { visits: 5 })
})

for (const { mode, options } of MODES) {
  t.test(`a new session has at once what an update that does not wait has set, in ${mode} mode`, async (t) => {
    const { app } = await createApp(options)
    app.get('/', (request, reply) => {
      void request.session.update((data) => {
        data.visits = 1
      })
      reply.send(`visit ${request.session.visits}`)
    })
    const reply = await app.inject('/')
    t.equal(reply.body, 'visit 1')
    t.equal(setCookieLines(reply).length, 1)
  })
}
