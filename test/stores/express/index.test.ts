import { randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock } from 'node:test'
import { RedisStore } from 'connect-redis'
import { createClient } from 'redis'
import type { Test } from 'tap'
import t from 'tap'
import type { ExpressSessionStore, StoreConstructor } from '../../../lib/stores/express/index.ts'
import * as express from '../../../lib/stores/express/index.ts'
import { FakeClock } from '../../../lib/testing/fake-clock.ts'
import { testRaces, testStore } from '../../../lib/testing/index.ts'
import type { SessionRecord } from '../../../types/store.ts'
import { START } from '../../helpers/app.ts'
import { reachPostgres } from '../../helpers/postgres.ts'
import { startRedis } from '../../helpers/redis.ts'
import { cannotTest } from '../../helpers/service.ts'

const { ExpressStore, Store } = express

// These have no types, or types that ask for those of express-session.
type Make = (express: { Store: StoreConstructor }) => new (options: object) => ExpressSessionStore
const require = createRequire(import.meta.url)
const connectPgSimple: Make = require('connect-pg-simple')
const sessionFileStore: Make = require('session-file-store')
const memoryStore: Make = require('memorystore')
const expressSession: { MemoryStore: new () => ExpressSessionStore } = require('express-session')

type Callback = (error?: unknown, value?: unknown) => void

/** Sessions as text in a map, each operation in the way in which stores answer. */
function styled(answer: (produce: () => unknown, callback: Callback) => unknown): ExpressSessionStore {
  const sessions = new Map<string, string>()
  const read = (text: string | undefined): unknown => text && JSON.parse(text)
  return {
    get: (sid, callback) => answer(() => read(sessions.get(sid)), callback),
    set: (sid, session, callback) => answer(() => void sessions.set(sid, JSON.stringify(session)), callback),
    destroy: (sid, callback) => answer(() => void sessions.delete(sid), callback),
    all: (callback) => answer(() => Object.fromEntries([...sessions].map(([sid, text]) => [sid, read(text)])), callback)
  }
}

/** Gives promises and knows no callbacks. A miss is null. */
class PromiseStore {
  readonly sessions: Map<string, string> = new Map()

  async get(sid: string): Promise<unknown> {
    return JSON.parse(this.sessions.get(sid) ?? 'null')
  }

  async set(sid: string, session: object): Promise<void> {
    this.sessions.set(sid, JSON.stringify(session))
  }

  async destroy(sid: string): Promise<void> {
    this.sessions.delete(sid)
  }

  async all(): Promise<unknown> {
    return Array.from(this.sessions.values(), (text) => JSON.parse(text))
  }
}

/** Keeps and gives out the objects themselves, and writes on them. What is not there is an error, as of a file. */
class ReferenceStore extends Store {
  readonly sessions: Map<string, Record<string, unknown>> = new Map()

  get(sid: string, callback: Callback): void {
    const session = this.sessions.get(sid)
    if (session === undefined) callback(Object.assign(new Error('no such file'), { code: 'ENOENT', syscall: 'open' }))
    else callback(null, session)
  }

  set(sid: string, session: object, callback: Callback): void {
    this.sessions.set(sid, Object.assign(session, { __lastAccess: 1, id: sid, json: 'theirs', cookie: 'gone' }))
    callback()
  }

  touch(): never {
    throw new Error('touch is never called')
  }

  destroy(sid: string, callback: Callback): void {
    const wasThere = this.sessions.delete(sid)
    callback(wasThere ? null : Object.assign(new Error('no such file'), { code: 'ENOENT' }))
  }

  all(callback: Callback): void {
    callback(null, [...this.sessions.values()])
  }
}

const STYLES: Record<string, () => ExpressSessionStore> = {
  'callbacks at once': () => styled((produce, callback) => callback(null, produce())),
  'callbacks later': () => styled((produce, callback) => void setImmediate(() => callback(undefined, produce()))),
  'callbacks with an error that is none': () => styled((produce, callback) => callback(false, produce())),
  'callbacks twice': () =>
    styled((produce, callback) => {
      callback(null, produce())
      callback(new Error('once more'))
      setImmediate(callback, null, undefined)
    }),
  'a promise beside the callback': () =>
    styled(async (produce, callback) => {
      await null
      const value = produce()
      callback(null, value)
      return value
    }),
  'a promise of nothing before the callback': () =>
    styled(async (produce, callback) => void setImmediate(() => callback(null, produce()))),
  promises: () => new PromiseStore(),
  'objects by reference': () => new ReferenceStore()
}

for (const [style, open] of Object.entries(STYLES)) {
  t.test(`the contract: ${style}`, async (t) => {
    testStore({
      test: (name, run) => t.test(name, run),
      open: (clock) => new ExpressStore({ store: open(), clock })
    })
  })
}

t.test('the contract: a store without all()', async (t) => {
  testStore({
    test: (name, run) => t.test(name, run),
    open: (clock) => {
      const { get, set, destroy } = styled((produce, callback) => callback(null, produce()))
      return new ExpressStore({ store: { get, set, destroy }, clock })
    },
    without: ['owners']
  })
})

t.test('the contract: MemoryStore of express-session', async (t) => {
  testStore({
    test: (name, run) => t.test(name, run),
    open: (clock) => new ExpressStore({ store: new expressSession.MemoryStore(), clock })
  })
})

t.test('the races of one process', async (t) => {
  testRaces({
    test: (name, run) => t.test(name, run),
    open: (clock, other) => other ?? new ExpressStore({ store: new expressSession.MemoryStore(), clock })
  })
})

t.test('the races of two processes, whose commits do not overlap', async (t) => {
  const store = new expressSession.MemoryStore()
  testRaces({
    test: (name, run) => t.test(name, run),
    open: (clock) => new ExpressStore({ store, clock }),
    without: ['atomicity']
  })
})

t.test('the contract: memorystore', async (t) => {
  const MemoryStore = memoryStore({ Store })
  testStore({
    test: (name, run) => t.test(name, run),
    open: (clock) => new ExpressStore({ store: new MemoryStore({}), clock })
  })
})

t.test('the contract: session-file-store', async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'express-store-'))
  t.teardown(() => rmSync(path, { recursive: true }))
  const FileStore = sessionFileStore(express)
  const options = { path, retries: 0, reapInterval: -1, logFn: () => {} }
  testStore({
    test: (name, run) => t.test(name, run),
    open: (clock) => new ExpressStore({ store: new FileStore(options), clock }),
    without: ['owners']
  })
})

t.test('the contract: connect-redis', async (t) => {
  const store = await openRedis(t)
  if (store === undefined) return
  testStore({ test: (name, run) => t.test(name, run), open: (clock) => new ExpressStore({ store, clock }) })
})

t.test('the contract: connect-pg-simple', async (t) => {
  const store = await openPostgres(t)
  if (store === undefined) return
  testStore({
    test: (name, run) => t.test(name, run),
    open: (clock) => new ExpressStore({ store, clock }),
    without: ['owners']
  })
})

t.test('a session is a cookie and a record', async (t) => {
  const { store, written, clock } = spied()
  const before = Date.now()
  await store.create(KEY, RECORD, SECOND + 9)
  const after = Date.now()
  const [session] = written
  const { expires, ...cookie } = session?.cookie ?? {}
  t.same(cookie, { originalMaxAge: 10_000, maxAge: 10_000, httpOnly: true, path: '/' })
  t.ok(expires instanceof Date)
  const remaining = 10_000
  t.ok(Number(expires) >= before + remaining && Number(expires) <= after + remaining, 'by the clock of the store')
  t.same(session?.record, { ...RECORD, key: KEY, expiresAt: SECOND + 9, version: 0 })
  t.same(Object.keys(session ?? {}), ['cookie', 'record'])

  clock.advance(0.9995)
  await store.touch(KEY, SECOND)
  t.equal(written[1]?.cookie.maxAge, 1, 'a session that is alive is never given to a store as one that is not')
})

t.test('every write hands over objects of its own', async (t) => {
  const { store, written } = spied()
  await store.create(KEY, RECORD, SECOND + 9)
  await store.commit(KEY, { set: {}, unset: [] }, SECOND + 9)
  await store.touch(KEY, SECOND + 9)
  t.equal(new Set(written).size, 3)
  t.equal(new Set(written.map(({ cookie }) => cookie)).size, 3)
  t.equal(new Set(written.map(({ record }) => record)).size, 3)
  t.ok(written.every(({ record }) => record !== (RECORD as object)))
})

t.test('a record that has ended is destroyed, not written', async (t) => {
  const { store, written, kept } = spied()
  await store.create(KEY, RECORD, SECOND)
  t.equal(written.length, 1)
  await store.touch(KEY, SECOND - 1)
  t.equal(written.length, 1)
  t.equal(kept.size, 0)
})

t.test('what someone else has written is no record', async (t) => {
  const { store, kept } = spied()
  const foreign: Record<string, unknown> = {
    'a session of express-session': { cookie: {}, userId: 1 },
    'a session with such a member': { cookie: {}, record: { artist: 'Nina Simone', key: KEY, expiresAt: SECOND } },
    'a record under another key': {
      cookie: {},
      record: { ...RECORD, key: 'x'.repeat(43), expiresAt: SECOND, version: 0 }
    },
    'an empty text': ''
  }
  for (const [what, session] of Object.entries(foreign)) {
    kept.set(SID, session as object)
    t.equal(await store.load(KEY), undefined, what)
    t.equal(await store.touch(KEY, SECOND), false, what)
  }
  t.equal(await store.create(KEY, RECORD, SECOND), true)
  kept.set('other', { cookie: {}, record: { ownerId: 'ada', expiresAt: SECOND } })
  t.same(
    (await store.list('ada')).map(({ key }) => key),
    [KEY]
  )
})

t.test('a database may write null for what is undefined', async (t) => {
  const { store, kept } = spied()
  const record = { ...RECORD, key: KEY, expiresAt: SECOND, version: 3, ownerId: null, description: null }
  kept.set(SID, { cookie: {}, record })
  const loaded = await store.load(KEY)
  t.equal(loaded?.ownerId, undefined)
  t.equal(loaded?.description, undefined)
  t.equal(loaded?.version, 3)
})

t.test('what cannot be recognised is an error, and not absent', async (t) => {
  const { store, kept } = spied()
  for (const session of [{ record: null }, '{}', 5, { sid: 'a', data: '{}' }, { sess: 'hunter2' }]) {
    kept.set(SID, session as object)
    const error = (await store.load(KEY).catch((error: unknown) => error)) as Error & { code: string }
    t.equal(error.code, 'ERR_SESSION_UNREADABLE')
    t.notMatch(error.message, 'hunter2')
  }
  await store.destroy(KEY)
  t.equal(await store.load(KEY), undefined)
})

/** An `ExpressStore` that has sessions, and whose `all()` returns what `form` makes of them. */
function formed(form: (sessions: ReadonlyMap<string, object>) => unknown): InstanceType<typeof ExpressStore> {
  const { store: full, kept } = spied()
  const all: ExpressSessionStore['all'] = (callback) => callback(null, form(kept))
  return new ExpressStore({ store: { ...full.inner, all }, clock: full.clock })
}

t.test('rows of a table are read through their column sess', async (t) => {
  const forms: Record<string, (sid: string, session: object) => object> = {
    text: (sid, session) => ({ sid, sess: JSON.stringify(session), expire: '2026-11-30' }),
    'an object': (sid, session) => ({ sid, sess: session })
  }
  for (const [what, form] of Object.entries(forms)) {
    const store = formed((kept) => [...Array.from(kept, ([sid, session]) => form(sid, session)), { sess: '{' }, null])
    await store.create(KEY, RECORD, SECOND)
    t.equal((await store.list('ada'))[0]?.key, KEY, what)
    const other = 'o'.repeat(43)
    t.equal(await store.create(other, RECORD, SECOND, { max: 1, evict: true }), true)
    t.equal(await store.load(KEY), undefined, what)
    t.equal(await store.destroyAll('ada'), 1, what)
    t.equal(await store.load(other), undefined, what)
  }
})

t.test('rows that are not recognised are an error at the first use, and end nobody in silence', async (t) => {
  const forms: Record<string, (kept: ReadonlyMap<string, object>) => unknown> = {
    'another column': (kept) => Array.from(kept, ([sid, session]) => ({ sid, data: JSON.stringify(session) })),
    texts: (kept) => Array.from(kept.values(), (session) => JSON.stringify(session)),
    'a map': (kept) => kept,
    'a number': (kept) => kept.size
  }
  for (const [what, form] of Object.entries(forms)) {
    const store = formed(form)
    await store.create(KEY, RECORD, SECOND)
    const refusal = { code: 'ERR_SESSION_STORE_REQUIRED', message: /neither sessions nor rows/ }
    await t.rejects(store.list('ada'), refusal, what)
    await t.rejects(store.destroyAll('ada'), refusal, what)
    await t.rejects(store.create('o'.repeat(43), RECORD, SECOND, { max: 1, evict: true }), refusal, what)
    t.not(await store.load(KEY), undefined)
  }
})

t.test('the id that a database has to hold is short; the record has the whole key', async (t) => {
  const { store, kept, written } = spied()
  await store.create(KEY, RECORD, SECOND)
  t.same([...kept.keys()], [SID])
  t.match(written[0]?.record, { key: KEY })
  t.equal(await store.load(`${SID}${'x'.repeat(11)}`), undefined, 'another key with the same beginning')
})

t.test('all() may give nothing', async (t) => {
  const { get, set, destroy } = STORE
  for (const nothing of [undefined, null, [], {}]) {
    const store = new ExpressStore({ store: { get, set, destroy, all: (callback) => callback(null, nothing) } })
    t.same(await store.list('ada'), [])
  }
})

t.test('a value of a promise is an answer, whether or not a callback was asked for', async (t) => {
  const { set, destroy } = STORE
  const session = { record: { ...RECORD, key: KEY, expiresAt: Number.MAX_SAFE_INTEGER, version: 0 } }
  const store = new ExpressStore({ store: { get: async (_sid, _callback) => session, set, destroy } })
  t.equal((await store.load(KEY))?.json, RECORD.json)
  const empty = new ExpressStore({ store: { get: async (_sid) => undefined, set, destroy } })
  t.equal(await empty.load(KEY), undefined)
})

t.test('methods are called on the store', async (t) => {
  const inner = new PromiseStore()
  const store = new ExpressStore({ store: inner })
  await store.create(KEY, RECORD, Number.MAX_SAFE_INTEGER / 1e6)
  t.equal(inner.sessions.size, 1)
})

t.test('a failure is an exception, however it comes', async (t) => {
  const failure = new Error('the database is on fire')
  const ways: Record<string, (callback: Callback) => unknown> = {
    'thrown at once': () => {
      throw failure
    },
    'in the callback': (callback) => callback(failure),
    'in a late callback': (callback) => void setImmediate(callback, failure),
    'in the callback, with a value': (callback) => callback(failure, { record: RECORD }),
    'as a rejection': async () => {
      throw failure
    },
    'in the callback and as a rejection': async (callback) => {
      callback(failure)
      throw failure
    }
  }
  for (const [way, fail] of Object.entries(ways)) {
    const broken: ExpressSessionStore = {
      get: (_sid, callback) => fail(callback),
      set: (_sid, _session, callback) => fail(callback),
      destroy: (_sid, callback) => fail(callback),
      all: (callback) => fail(callback)
    }
    const store = new ExpressStore({ store: broken })
    await t.rejects(store.create(KEY, RECORD, SECOND), failure, way)
    await t.rejects(store.load(KEY), failure, way)
    await t.rejects(store.commit(KEY, { set: {}, unset: [] }, SECOND), failure, way)
    await t.rejects(store.touch(KEY, SECOND), failure, way)
    await t.rejects(store.destroy(KEY), failure, way)
    await t.rejects(store.list('ada'), failure, way)
    await t.rejects(store.destroyAll('ada'), failure, way)
    const full = new ExpressStore({ store: { ...STORE, set: broken.set } })
    await t.rejects(full.create(KEY, RECORD, Number.MAX_SAFE_INTEGER / 1e6), failure, way)
  }
})

t.test('a failure may be anything', async (t) => {
  for (const failure of ['text', 1, { code: 'EACCES' }]) {
    const store = new ExpressStore({ store: { ...STORE, get: (_sid, callback) => callback(failure) } })
    t.equal(await store.load(KEY).catch((error) => error), failure)
  }
  for (const failure of [undefined, null]) {
    const store = new ExpressStore({ store: { ...STORE, get: () => Promise.reject(failure) } })
    t.equal(
      await store.load(KEY).then(
        () => t.fail(),
        (error) => error
      ),
      failure
    )
  }
})

t.test('a file that is missing is a miss, a socket that is missing is a failure', async (t) => {
  const noFile = Object.assign(new Error('ENOENT: open'), { code: 'ENOENT', syscall: 'open' })
  const noSocket = Object.assign(new Error('ENOENT: connect'), { code: 'ENOENT', syscall: 'connect' })
  const open = (error: Error): InstanceType<typeof ExpressStore> =>
    new ExpressStore({
      store: { ...STORE, get: (_sid, callback) => callback(error), destroy: (_sid, callback) => callback(error) }
    })
  t.equal(await open(noFile).load(KEY), undefined)
  await open(noFile).destroy(KEY)
  await t.rejects(open(noSocket).load(KEY), noSocket)
  await t.rejects(open(noSocket).destroy(KEY), noSocket)
  const { get, destroy } = STORE
  const store = new ExpressStore({ store: { get, destroy, set: (_sid, _session, callback) => callback(noFile) } })
  await t.rejects(store.create(KEY, RECORD, Number.MAX_SAFE_INTEGER / 1e6), noFile, 'a folder that is missing as well')
})

t.test('what the store cannot parse is damage, of which nothing is quoted, and can only end', async (t) => {
  const parse = (): unknown => JSON.parse('hunter2')
  const callBack = (callback: (error: unknown) => void): void => {
    try {
      parse()
    } catch (error) {
      callback(error)
    }
  }
  const gets: readonly (typeof STORE.get)[] = [
    (_sid, callback) => callBack(callback),
    (_sid, _callback) => parse(),
    async (_sid, _callback) => parse()
  ]
  for (const get of gets) {
    const store = new ExpressStore({ store: { ...STORE, get } })
    const error = (await store.load(KEY).catch((error: unknown) => error)) as Error & { code: string }
    t.equal(error.code, 'ERR_SESSION_UNREADABLE')
    t.notMatch(error.message + String(error.cause), 'hunter2')
    t.equal(await store.commit(KEY, { set: {}, unset: [] }, SECOND), 'gone')
    t.equal(await store.touch(KEY, SECOND), false)
    await store.destroy(KEY)
  }
})

t.test('a record with a fact of another type cannot be read, and is not listed', async (t) => {
  const { store, kept } = spied()
  await store.create(KEY, RECORD, SECOND)
  t.equal((await store.list('ada')).length, 1)
  Object.assign((kept.get(SID) as Written).record, { createdAt: '2025' })
  await t.rejects(store.load(KEY), { code: 'ERR_SESSION_UNREADABLE' })
  t.same(await store.list('ada'), [])
})

t.test('an owner needs all() only where somebody asks', async (t) => {
  const { store: full, kept } = spied()
  const { get, set, destroy } = full.inner
  const store = new ExpressStore({ store: { get, set, destroy }, clock: full.clock })
  const refusal = { code: 'ERR_SESSION_STORE_REQUIRED', message: /no method all\(\)/ }
  t.equal(await store.create(KEY, RECORD, SECOND), true, 'without a limit')
  t.equal((await store.load(KEY))?.ownerId, 'ada')
  await t.rejects(store.list('ada'), refusal)
  await t.rejects(store.destroyAll('ada'), refusal)
  const other = 'o'.repeat(43)
  await t.rejects(store.create(other, RECORD, SECOND, { max: 2, evict: true }), refusal)
  t.same([...kept.keys()], [SID], 'and nothing was written')
  const nobody = { ...RECORD, ownerId: undefined }
  t.equal(await store.create(other, nobody, SECOND, { max: 2, evict: true }), true, 'nobody has no limit')
})

t.test('nothing is written for a caller that has given up, except the end of a session', async (t) => {
  const { store, kept, written } = spied()
  const late = { deadline: performance.now() - 1 }
  const other = 'o'.repeat(43)
  await store.create(KEY, RECORD, SECOND)
  for (const attempt of [
    (): Promise<unknown> => store.create(other, RECORD, SECOND, undefined, late),
    () => store.create(other, RECORD, SECOND, { max: 1, evict: true }, late),
    () => store.commit(KEY, { set: {}, unset: [] }, SECOND, undefined, late),
    () => store.touch(KEY, SECOND, undefined, late),
    () => store.touch(KEY, SECOND - 1, undefined, late),
    () => store.destroyAll('ada', undefined, late)
  ]) {
    await t.rejects(attempt, { message: 'The store had no time left for a change. Nothing was written.' })
  }
  t.equal(written.length, 1)
  t.same([...kept.keys()], [SID])
  await store.touch(KEY, SECOND, undefined, { deadline: performance.now() + 60_000 })
  t.equal(written.length, 2)
})

t.test('a step that waited too long for the one before it, or for its own read, writes nothing', async (t) => {
  const { store: full, kept } = spied()
  const { get, set, destroy, all } = full.inner
  const call = { deadline: Number.POSITIVE_INFINITY }
  let onGet = (): void => {}
  const slow: ExpressSessionStore = {
    get: (sid, callback) => {
      onGet()
      return get(sid, callback)
    },
    set,
    destroy,
    all: (callback) => all?.(callback)
  }
  const store = new ExpressStore({ store: slow, clock: full.clock })
  await store.create(KEY, { ...RECORD, json: '{}' }, SECOND)
  onGet = () => {
    call.deadline = performance.now() - 1
  }
  const limit = { max: 1, evict: true }
  const results = await Promise.allSettled([
    store.commit(KEY, { set: { a: '1' }, unset: [] }, SECOND, undefined, call),
    store.commit(KEY, { set: { a: '2' }, unset: [] }, SECOND, undefined, call),
    store.touch(KEY, SECOND - 1, undefined, call),
    store.create('o'.repeat(43), RECORD, SECOND, limit, call)
  ])
  t.same([...new Set(results.map(({ status }) => status))], ['rejected'])
  t.equal((await store.load(KEY))?.json, '{}')
  t.equal(kept.size, 1)
})

t.test('a limit does not matter where the key exists already', async (t) => {
  const { store } = spied()
  const limit = { max: 1, evict: true }
  await store.create(KEY, RECORD, SECOND)
  await store.create('o'.repeat(43), { ...RECORD, createdAt: 1 }, SECOND)
  t.equal(await store.create(KEY, RECORD, SECOND, limit), false)
  t.equal((await store.list('ada')).length, 2, 'nobody made room')
})

t.test('a call that is never answered holds up its own key, and not for ever', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const { store: full } = spied()
  const { get, set, destroy } = full.inner
  let isDeaf = true
  const store = new ExpressStore({
    store: { get: (sid, callback) => (isDeaf && sid === SID ? undefined : get(sid, callback)), set, destroy },
    clock: full.clock
  })
  const done: string[] = []
  void store.commit(KEY, { set: {}, unset: [] }, SECOND).then(() => done.push('never'))
  await new Promise(setImmediate)
  isDeaf = false
  const created = store.create(KEY, RECORD, SECOND).then(() => done.push('the next one'))
  await store.create('o'.repeat(43), RECORD, SECOND).then(() => done.push('another key'))
  await new Promise(setImmediate)
  t.same(done, ['another key'])
  mock.timers.tick(9_999)
  await new Promise(setImmediate)
  t.same(done, ['another key'])
  mock.timers.tick(1)
  await created
  t.same(done, ['another key', 'the next one'])
})

t.test('a session that is destroyed while it is written stays destroyed', async (t) => {
  const { store, settle } = holding()
  await Promise.all([store.create(KEY, RECORD, SECOND), settle()])
  const commit = store.commit(KEY, { set: {}, unset: [] }, SECOND)
  await new Promise(setImmediate)
  const end = store.destroy(KEY)
  const touch = store.touch(KEY, SECOND)
  await settle()
  t.same(await Promise.all([commit, end, touch]), ['committed', undefined, false])
  t.equal(await store.load(KEY), undefined)
})

t.test('who comes when another one has just begun waits as well', async (t) => {
  const { store, settle } = holding()
  await Promise.all([store.create(KEY, { ...RECORD, json: '{}' }, SECOND), settle()])
  const commit = (name: string): Promise<unknown> => store.commit(KEY, { set: { [name]: '1' }, unset: [] }, SECOND)
  const first = commit('first')
  const second = commit('second')
  await settle()
  await first
  const third = commit('third')
  await settle()
  await settle()
  await Promise.all([second, third])
  const record = await store.load(KEY)
  t.same(JSON.parse(record?.json ?? ''), { first: 1, second: 1, third: 1 })
  t.equal(record?.version, 3)
})

t.test('an operation leaves no timer behind, and its timer keeps no process alive', async (t) => {
  const timers = t.capture(globalThis, 'setTimeout', globalThis.setTimeout)
  const cleared = t.capture(globalThis, 'clearTimeout', globalThis.clearTimeout)
  const { store, settle } = holding()
  const created = store.create(KEY, RECORD, SECOND)
  await new Promise(setImmediate)
  const started = timers().flatMap((call) => ('returned' in call ? [call.returned as NodeJS.Timeout] : []))
  t.equal(started.length, 1)
  t.equal(started[0]?.hasRef(), false)
  t.same(cleared(), [])
  await settle()
  await created
  t.equal(cleared()[0]?.args[0], started[0])
})

t.test('a commit leaves what it does not name', async (t) => {
  const { store } = spied()
  await store.create(KEY, RECORD, SECOND)
  await store.commit(KEY, { set: {}, unset: [] }, SECOND)
  t.same(await store.load(KEY), { ...RECORD, key: KEY, expiresAt: SECOND, version: 1 })
})

t.test('a failure does not hold up the next one', async (t) => {
  const { get, set, destroy } = spied().store.inner
  let failures = 1
  const store = new ExpressStore({
    store: {
      get: (sid, callback) => (failures-- > 0 ? callback(new Error('busy')) : get(sid, callback)),
      set,
      destroy
    },
    clock: () => SECOND * 1000
  })
  const [first, second] = await Promise.allSettled([store.touch(KEY, SECOND), store.create(KEY, RECORD, SECOND)])
  t.equal(first.status, 'rejected')
  t.same(second, { status: 'fulfilled', value: true })
})

t.test('between two processes the last write wins', async (t) => {
  const { store: full } = spied()
  const { get, set, destroy } = full.inner
  let release: () => void = () => {}
  const slow: ExpressSessionStore = {
    get,
    set: (sid, session, callback) => {
      release = () => set(sid, session, callback)
    },
    destroy
  }
  const [one, other] = [
    new ExpressStore({ store: slow, clock: full.clock }),
    new ExpressStore({ store: { get, set, destroy }, clock: full.clock })
  ]
  await other.create(KEY, { ...RECORD, json: '{}' }, SECOND)
  const late = one.commit(KEY, { set: { one: '1' }, unset: [] }, SECOND)
  await new Promise(setImmediate)
  t.equal(await other.commit(KEY, { set: { other: '1' }, unset: [] }, SECOND), 'committed')
  release()
  t.equal(await late, 'committed')
  t.equal((await other.load(KEY))?.json, '{"one":1}', 'a change is lost')

  const revived = one.touch(KEY, SECOND)
  await new Promise(setImmediate)
  await other.destroy(KEY)
  release()
  t.equal(await revived, true)
  t.not(await other.load(KEY), undefined, 'and a session that was destroyed is back')
})

t.test('an error event ends no process and is mentioned once', async (t) => {
  const inner = new ReferenceStore()
  const [one, other] = [new ExpressStore({ store: inner }), new ExpressStore({ store: inner })]
  t.equal(inner.listenerCount('error'), 1, 'one listener for all that share the store')
  const warning = once(process, 'warning')
  inner.emit('error', new Error('redis://:password@host is gone'))
  const [{ name, code, message }] = await warning
  t.equal(name, 'SessionStoreWarning')
  t.equal(code, 'SESSION_EXPRESS_STORE_ERROR')
  t.notMatch(message, 'password')
  const others = t.capture(process, 'emitWarning')
  inner.emit('error', new Error('again'))
  t.same(others(), [])
  t.ok(one && other)
})

t.test('an error event that somebody listens to is left to him', async (t) => {
  const warnings = t.capture(process, 'emitWarning')
  const heard: string[] = []
  const early = new ReferenceStore()
  early.on('error', () => heard.push('early'))
  new ExpressStore({ store: early })
  t.equal(early.listenerCount('error'), 1)
  early.emit('error', new Error())
  const late = new ReferenceStore()
  new ExpressStore({ store: late })
  late.on('error', () => heard.push('late'))
  late.emit('error', new Error())
  t.same(heard, ['early', 'late'])
  t.same(warnings(), [])
})

t.test('an emitter by another name needs no listener', async (t) => {
  const on = (): unknown => t.fail('not an EventEmitter of Node')
  new ExpressStore({ store: { ...STORE, on } as ExpressSessionStore })
  t.ok(new ReferenceStore() instanceof EventEmitter)
})

t.test('wrong options are refused', async (t) => {
  const { get, set, destroy } = STORE
  const wrong: Record<string, unknown> = {
    nothing: undefined,
    null: null,
    text: 'memory',
    'an array': [],
    'a class': ReferenceStore,
    'the settings of a store': { conString: 'postgres://user:p4ssw0rd@localhost' },
    'no get': { set, destroy },
    'no set': { get, destroy },
    'no destroy': { get, set },
    'a get that is no method': { get: {}, set, destroy }
  }
  for (const [what, store] of Object.entries(wrong)) {
    try {
      new ExpressStore({ store } as { store: ExpressSessionStore })
      t.fail(what)
    } catch (error) {
      t.match(error, { code: 'ERR_SESSION_OPTION_INVALID', message: /methods get, set and destroy/ }, what)
      t.notMatch((error as Error).message, 'p4ssw0rd')
    }
  }
  const invalid = { code: 'ERR_SESSION_OPTION_INVALID' }
  t.throws(() => new ExpressStore(STORE as never), { code: 'ERR_SESSION_OPTION_UNKNOWN' }, 'the store itself')
  t.throws(() => new ExpressStore(undefined as never), invalid)
  t.throws(() => new ExpressStore({ store: STORE, clock: 1 as never }), invalid)
  t.throws(() => new ExpressStore({ store: STORE, ttl: 1 } as never), { code: 'ERR_SESSION_OPTION_UNKNOWN' })
})

t.test('the clock is that of the system when none is given', async (t) => {
  const store = new ExpressStore({ store: new expressSession.MemoryStore() })
  const now = Math.floor(Date.now() / 1000)
  await store.create(KEY, RECORD, now + 60)
  t.equal((await store.load(KEY))?.expiresAt, now + 60)
  await store.commit(KEY, { set: {}, unset: [] }, now - 60)
  t.equal(await store.load(KEY), undefined)
})

const KEY = 'k'.repeat(43)
const SID = 'k'.repeat(32)
const SECOND = START.getTime() / 1000
const RECORD: SessionRecord = {
  json: '{"cookie":1}',
  createdAt: SECOND - 5,
  lastSeenAt: SECOND - 1,
  permanent: true,
  ownerId: 'ada',
  description: '{"agent":"Firefox"}',
  extensions: ':v3'
}

/** A store without sessions that forgets all it is told. */
const STORE: ExpressSessionStore = {
  get: (_sid, callback) => callback(),
  set: (_sid, _session, callback) => callback(),
  destroy: (_sid, callback) => callback()
}

interface Written {
  cookie: Record<string, unknown>
  record: object
}

/** An `ExpressStore` whose inner store can be looked into. */
function spied(): {
  store: InstanceType<typeof ExpressStore> & { inner: ExpressSessionStore; clock: () => number }
  written: Written[]
  kept: Map<string, object>
  clock: FakeClock
} {
  const written: Written[] = []
  const kept = new Map<string, object>()
  const clock = new FakeClock(START)
  const inner: ExpressSessionStore = {
    get: (sid, callback) => callback(null, kept.get(sid)),
    set: (sid, session, callback) => {
      written.push(session as Written)
      kept.set(sid, session)
      callback()
    },
    destroy: (sid, callback) => {
      kept.delete(sid)
      callback()
    },
    all: (callback) => callback(null, [...kept.values()])
  }
  const store = Object.assign(new ExpressStore({ store: inner, clock: clock.now }), { inner, clock: clock.now })
  return { store, written, kept, clock }
}

/** An `ExpressStore` whose inner store does not write until `settle`. */
function holding(): { store: InstanceType<typeof ExpressStore>; settle: () => Promise<void> } {
  const { get, set, destroy } = spied().store.inner
  const held: (() => void)[] = []
  const hold: ExpressSessionStore['set'] = (sid, session, callback) => held.push(() => set(sid, session, callback))
  const settle = async (): Promise<void> => {
    await new Promise(setImmediate)
    for (const release of held.splice(0)) release()
  }
  return { store: new ExpressStore({ store: { get, set: hold, destroy }, clock: () => START.getTime() }), settle }
}

/** The real connect-redis on a server of its own, if there is one to start: its `all` scans all that the server holds. */
async function openRedis(t: Test): Promise<ExpressSessionStore | undefined> {
  const server = await startRedis()
  const port = server?.ports[0] ?? 6379
  const url = (server === undefined && process.env.REDIS_URL) || `redis://127.0.0.1:${port}`
  const client = createClient({ url, socket: { reconnectStrategy: false } })
  client.on('error', () => {})
  try {
    await client.connect()
  } catch (error) {
    cannotTest(t, 'connect-redis', String(error))
    return undefined
  }
  const store = new RedisStore({ client, prefix: `test:${randomBytes(8).toString('hex')}:` })
  t.teardown(async () => {
    await store.clear()
    await client.close()
    await server?.end()
  })
  return store
}

/** The real connect-pg-simple, whose table and index go to the schema of this test. */
async function openPostgres(t: Test): Promise<ExpressSessionStore | undefined> {
  const postgres = await reachPostgres(t)
  if (postgres === undefined) return undefined
  t.teardown(() => postgres.end())
  const PgStore = connectPgSimple(express)
  return new PgStore({ pool: postgres.pool(), createTableIfMissing: true, pruneSessionInterval: false })
}
