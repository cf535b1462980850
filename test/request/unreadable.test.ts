import t from 'tap'
import { MemoryStore } from '../../lib/index.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { readSession } from '../../lib/testing/read-session.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import type { StoredRecord } from '../../types/store.ts'
import type { TestApp } from '../helpers/app.ts'
import { createApp, decisionsOf } from '../helpers/app.ts'
import { RecordingStore } from '../helpers/recording-store.ts'

/** A store whose records were damaged while nobody looked. */
class DamagedStore extends RecordingStore {
  damage: (record: StoredRecord) => StoredRecord = (record) => record

  override async load(key: string): Promise<StoredRecord | undefined> {
    const record = await super.load(key)
    return record && this.damage(record)
  }
}

/** An error as a store of somebody else throws it. */
function unreadable(): never {
  const error = new Error('The row is not readable.')
  throw Object.assign(error, { code: 'ERR_SESSION_UNREADABLE', statusCode: 500 })
}

const DAMAGES: Readonly<Record<string, (record: StoredRecord) => StoredRecord>> = {
  'cut off': (record) => ({ ...record, json: record.json.slice(0, -3) }),
  'no JSON': (record) => ({ ...record, json: '{"name":hunter2}' }),
  empty: (record) => ({ ...record, json: '' }),
  'an array': (record) => ({ ...record, json: '["hunter2"]' }),
  null: (record) => ({ ...record, json: 'null' }),
  'a number': (record) => ({ ...record, json: '5' }),
  'a text': (record) => ({ ...record, json: '"hunter2"' }),
  'what the store cannot read': unreadable
}

async function create(damage: (record: StoredRecord) => StoredRecord): Promise<TestApp & { store: DamagedStore }> {
  let store: DamagedStore | undefined
  const made = await createApp({
    debug: 'always',
    store: (clock) => {
      store = new DamagedStore(new MemoryStore({ clock }))
      return store
    }
  })
  const { app } = made
  const damaged = store as unknown as DamagedStore
  app.get('/set', async ({ session }) => {
    session.name = 'hunter2'
    session.setOwner('ada')
    return session.id
  })
  app.get('/public', async () => 'public')
  app.get('/read', async ({ session }) => ({ ...session, isNew: session.isNew, ownerId: session.ownerId ?? null }))
  app.get('/write', async ({ session }) => {
    session.visits = 1
    return session.id
  })
  app.get('/own', async ({ session }) => {
    session.setOwner('ben')
    return session.id
  })
  app.get('/destroy', async ({ session }) => session.destroy().then(() => 'destroyed'))
  app.get('/regenerate', async ({ session }) => session.regenerate().then(() => 'new'))
  app.get('/login', async ({ session }) => {
    await session.regenerate()
    session.visits = 7
    return session.id
  })
  app.get('/update', async ({ session }) => session.update((data) => Object.assign(data, { visits: 3 })))
  app.get('/reload', async ({ session }) => session.reload().then(() => ({ ...session })))
  // The damage happens during the request.
  app.get('/meanwhile/:what', async ({ session, params }) => {
    session.get('name')
    damaged.damage = damage
    if ((params as { what: string }).what === 'reload') await session.reload()
    else await session.update((data) => Object.assign(data, { visits: 3 }))
  })
  return { ...made, store: damaged }
}

for (const [what, damage] of Object.entries(DAMAGES)) {
  t.test(`a stored session that is ${what}`, async (t) => {
    const start = async () => {
      const made = await create(damage)
      const visitor = await createClient(made.app)
      const handle = (await visitor.get('/set')).body
      made.store.damage = damage
      made.store.takeCalls()
      const isThere = async (): Promise<boolean> => (await made.store.inner.load(handle)) !== undefined
      return { ...made, visitor, handle, isThere }
    }

    t.test('is an empty one, and stays until another takes its place', async (t) => {
      const { visitor, handle, isThere, logs, store, warnings } = await start()
      let reply: Awaited<ReturnType<typeof visitor.get>> | undefined
      const decisions = await decisionsOf(async () => {
        reply = await visitor.get('/read')
      })
      t.same(reply?.json(), { isNew: true, ownerId: null })
      t.same(reply && setCookieLines(reply), [])
      t.equal(reply?.headers['session-trace'], 'session; open=unreadable; commit=empty')
      t.same(decisions, ['open: opened', 'open: unreadable', 'commit: empty'])
      t.same(store.takeMethods(), ['load'], 'reading never writes')
      t.ok(await isThere())
      t.match(warnings(), [{ reason: 'unreadable', id: handle, err: { code: 'ERR_SESSION_UNREADABLE' } }])
      t.notMatch(JSON.stringify(logs) + reply?.body, 'hunter2')
    })

    t.test('does nothing to who does not look', async (t) => {
      const { clock, visitor, warnings } = await start()
      t.equal((await visitor.get('/public')).body, 'public')
      clock.advance(3600)
      t.equal((await visitor.get('/public')).body, 'public', 'when its activity is due as well')
      t.same(warnings(), [])
    })

    for (const path of ['/write', '/own', '/login', '/update']) {
      t.test(`makes room for the one that ${path} begins`, async (t) => {
        const { app, visitor, handle, isThere, store } = await start()
        const reply = await visitor.get(path)
        t.equal(reply.statusCode, 200)
        t.equal(setCookieLines(reply).length, 1)
        t.notOk(await isThere())
        store.damage = (record) => record
        const read = (await visitor.get('/read')).json()
        t.equal(read.isNew, false)
        t.notOk('name' in read)
        if (path !== '/update') {
          t.not(reply.body, handle)
          await app.sessions.revoke(reply.body)
          t.equal((await visitor.get('/read')).json().isNew, true, 'its id is its handle')
        }
      })
    }

    for (const path of ['/destroy', '/regenerate']) {
      t.test(`ends by ${path}`, async (t) => {
        const { visitor, isThere } = await start()
        t.equal((await visitor.get(path)).statusCode, 200)
        t.notOk(await isThere())
        t.equal(visitor.jar.header(), '')
      })
    }

    t.test('is told to tests by its reason', async (t) => {
      const { app, visitor } = await start()
      t.same(await readSession(app, visitor.jar.header()), { reason: 'unreadable' })
    })

    t.test('has nothing to reload', async (t) => {
      const { visitor } = await start()
      t.same((await visitor.get('/reload')).json(), {})
    })

    for (const method of ['reload', 'update']) {
      t.test(`fails ${method}() with a code and without data if it was readable before`, async (t) => {
        const { visitor, logs, store } = await start()
        store.damage = (record) => record
        const reply = await visitor.get(`/meanwhile/${method}`)
        t.match(reply.json(), { statusCode: 500, code: 'ERR_SESSION_UNREADABLE' })
        t.notMatch(JSON.stringify(logs) + reply.body, 'hunter2')
        t.equal((await visitor.get('/read')).json().isNew, true)
      })
    }
  })
}
