import Cookie from '@fastify/cookie'
import t from 'tap'
import { readAdoption } from '../../lib/adopt/adoption.ts'
import type { OldSessionStore } from '../../lib/adopt/stored-reader.ts'
import { assertOldStore, readOldSecrets, storedReader } from '../../lib/adopt/stored-reader.ts'
import { UnreadableError } from '../../lib/errors.ts'
import type { FoundSession } from '../../types/adopt.ts'

const CONTEXT = { now: 1_800_000_000, cookiesNamed: () => [] }
const sign = (id: string, secret = 'secret'): string => Cookie.sign(id, secret)

/** A store with one answer. */
function storeOf(answer: unknown, error?: unknown): OldSessionStore & { readonly destroyed: string[] } {
  const destroyed: string[] = []
  return {
    destroyed,
    get: (_sid, done) => done(error, answer),
    destroy: (sid, done) => {
      destroyed.push(sid)
      done()
    }
  }
}

function read(store: OldSessionStore, value: string, checksExpiry = true, prefix = '') {
  const reader = storedReader(readAdoption({}, 'old'), { secrets: ['secret', 'older'], prefix, store, checksExpiry })
  return reader.read(value, CONTEXT)
}

t.test('a signed id leads to a record', async (t) => {
  const store = storeOf({ userId: 7, cookie: { expires: null }, __lastAccess: 5 })
  const found = (await read(store, sign('abc'))) as FoundSession
  t.match(found, { key: 'abc', isUnique: true, data: { userId: 7 }, ownerId: undefined })
  t.same(found.data, { userId: 7 })
  await found.end?.()
  t.same(store.destroyed, ['abc'])
})

t.test('under each of the secrets, in every spelling that browsers send', async (t) => {
  const store = storeOf({ userId: 7 })
  t.match(await read(store, sign('abc', 'older')), { key: 'abc' })
  t.match(await read(store, encodeURIComponent(sign('abc'))), { key: 'abc' })
  t.match(await read(store, `"${sign('abc')}"`), { key: 'abc' })
  t.match(await read(store, encodeURIComponent(`s:${sign('abc')}`), true, 's:'), { key: 'abc' })
})

t.test('anything else is refused, and the store is not asked', async (t) => {
  const store: OldSessionStore = { get: () => t.fail('asked'), destroy: () => t.fail('asked') }
  const genuine = sign('abc')
  for (const value of ['', '.', 'abc', 'abc.', `x${genuine}`, genuine.slice(0, -1), sign('abc', 'other'), sign('')]) {
    t.equal(await read(store, value), 'refused', value)
  }
  t.equal(await read(store, genuine, true, 's:'), 'refused')
  t.equal(await read(store, sign('a'.repeat(5000))), 'refused')
})

t.test('a genuine id without a record', async (t) => {
  t.same(await read(storeOf(undefined), sign('abc')), { key: 'abc', data: undefined })
  t.same(await read(storeOf(null), sign('abc')), { key: 'abc', data: undefined })
  t.same(await read(storeOf('text'), sign('abc')), { key: 'abc', data: undefined })
  t.same(await read(storeOf(undefined, { code: 'ENOENT' }), sign('abc')), { key: 'abc', data: undefined })
  t.same(await read(storeOf(undefined, new UnreadableError('x')), sign('abc')), { key: 'abc', data: undefined })
})

t.test('a store that fails', async (t) => {
  await t.rejects(async () => read(storeOf(undefined, new Error('down')), sign('abc')), { message: 'down' })
  await t.rejects(async () => read({ ...storeOf(1), get: () => Promise.reject(null) } as never, sign('abc')))
})

t.test('times', async (t) => {
  const cookie = { expires: new Date(1_800_000_100_500).toISOString(), originalMaxAge: 100_000 }
  const times = { createdAt: 1_800_000_000, expiresAt: 1_800_000_100, permanent: true }
  t.match(await read(storeOf({ cookie }), sign('abc')), times)
  t.match(await read(storeOf({ cookie }), sign('abc'), false), { ...times, expiresAt: undefined })
  const unknown = { createdAt: undefined, permanent: true }
  t.match(await read(storeOf({ cookie: { ...cookie, originalMaxAge: null } }), sign('abc')), unknown)
  t.match(await read(storeOf({ cookie: { ...cookie, originalMaxAge: 0 } }), sign('abc')), unknown)
  t.match(await read(storeOf({ cookie: { expires: 'never' } }), sign('abc')), { permanent: undefined })
})

t.test('what is no store or no secret is refused', async (t) => {
  for (const store of [undefined, null, {}, 'redis://', { get: () => {} }]) {
    t.throws(() => assertOldStore(store), { code: 'ERR_SESSION_OPTION_INVALID' })
  }
  assertOldStore(storeOf(undefined))
  for (const secret of [undefined, '', [], [''], [1], {}]) {
    t.throws(() => readOldSecrets(secret, 'secret'), { code: 'ERR_SESSION_OPTION_INVALID' })
  }
  t.same(readOldSecrets('a', 'secret'), ['a'])
  t.same(readOldSecrets(['a', Buffer.from('b')], 'secret'), ['a', Buffer.from('b')])
})
