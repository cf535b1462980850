import type { Test } from 'tap'
import t from 'tap'
import { tombstoneOf } from '../../lib/owners/tombstones.ts'
import { GuardedStore } from '../../lib/stores/guarded.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { Undo } from '../../lib/transport/undo.ts'
import type { SessionRecord } from '../../types/store.ts'
import { NOW } from '../format/samples.ts'
import { FakeTime } from '../helpers/fake-time.ts'
import { RecordingStore } from '../helpers/recording-store.ts'
import { createSaved, LATER, OCCASION, RECORD, REQUEST, save } from './stored.ts'

const PLAIN: SessionRecord = { ...RECORD, description: undefined }
const TIMEOUT = 2

function open(t: Test) {
  const time = new FakeTime(t)
  const store = new RecordingStore(new MemoryStore({ clock: () => NOW * 1000, pruneInterval: 0 }))
  const guarded = new GuardedStore(store, TIMEOUT)
  return { time, store, guarded, undo: new Undo(guarded) }
}

/** Lets everything run that waits for no time. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
}

t.test('a record that must not stay is removed when no call that was under way can be applied any more', async (t) => {
  const { time, store, guarded, undo } = open(t)
  await store.inner.create('new', PLAIN, LATER)
  const operation = guarded.begin()
  time.advance(500)
  undo.removal(operation, 'new')
  time.advance(2499)
  await settle()
  t.same(store.takeMethods(), [])
  time.advance(1)
  await settle()
  t.same(store.takeMethods(), ['destroy'])
  time.advance(5000)
  t.equal(time.pending, 0)
})

t.test('while the store is down, it is tried again, with one record at a time', async (t) => {
  const { time, store, guarded, undo } = open(t)
  let isDown = true
  store.before = () => (isDown ? Promise.reject(new Error('down')) : undefined)
  for (const key of ['a', 'b', 'c']) {
    await store.inner.create(key, PLAIN, LATER)
    undo.removal(guarded.begin(), key)
  }
  for (const wait of [3000, 1000, 1000]) {
    time.advance(wait)
    await settle()
    t.same(store.takeMethods(), ['destroy'])
  }
  isDown = false
  time.advance(1000)
  await settle()
  t.same(store.takeMethods(), ['destroy', 'destroy', 'destroy'])
  for (const key of ['a', 'b', 'c']) t.equal(await store.inner.load(key), undefined)
  time.advance(5000)
  t.equal(time.pending, 0)
})

t.test('of very many, the oldest are forgotten', async (t) => {
  const { time, store, guarded, undo } = open(t)
  const operation = guarded.begin()
  for (let count = 0; count < 1010; count++) undo.removal(operation, `key${count}`)
  time.advance(3000)
  for (let turn = 0; turn < 100; turn++) await settle()
  const removed = store.takeCalls().map(([, key]) => key)
  t.equal(removed.length, 1000)
  t.equal(removed[0], 'key10')
})

t.test(
  'whatever call of a change of id fails, and whether it was applied: one session lives, and it is the old one',
  async (t) => {
    for (const kind of ['changeId', 'replace'] as const) {
      for (const isApplied of [false, true]) {
        for (const [method, count] of STEPS) {
          const time = new FakeTime(t)
          const { store, transport, envelope, key, jsonOf } = await createSaved()
          let seen = 0
          let isDown = false
          const fail = (): never => {
            isDown = true
            throw new Error('down')
          }
          store.before = (called) => {
            if (isDown) fail()
            if (called === method && ++seen === count && !isApplied) fail()
          }
          store.after = (called) => {
            if (called === method && seen === count && isApplied) fail()
          }
          const renewed = { ...envelope, id: transport.newId(), json: '{"visits":13}' }
          const occasion = kind === 'replace' ? { request: REQUEST, replaced: envelope } : OCCASION
          const saving = save(transport, renewed, envelope, occasion) as Promise<unknown>
          await t.rejects(saving, { code: 'ERR_SESSION_STORE_UNAVAILABLE' })
          isDown = false
          store.before = () => undefined
          store.after = () => undefined
          time.advance(62_000)
          await settle()
          const name = `${kind}, ${method} ${count}, ${isApplied ? 'applied' : 'not applied'}`
          t.equal(await jsonOf(renewed.id), undefined, name)
          t.equal(await jsonOf(envelope.id), envelope.json, name)
          t.same(await store.inner.load(key), { ...(await store.inner.load(key)), createdAt: envelope.createdAt }, name)
        }
      }
    }
  }
)

t.test('what ends a login is not taken back', async (t) => {
  const time = new FakeTime(t)
  const { store, transport, envelope } = await createSaved()
  const mine = { ...envelope, id: transport.newId(), ownerId: 'alice' }
  await save(transport, mine, envelope, OCCASION)
  const next = { ...mine, id: transport.newId(), ownerId: 'bob' }
  store.after = (called, [, , expiresAt]) => {
    if (called === 'commit' && expiresAt === 0) throw new Error('down')
  }
  await t.rejects(save(transport, next, mine, OCCASION) as Promise<unknown>, { code: 'ERR_SESSION_STORE_UNAVAILABLE' })
  store.after = () => undefined
  time.advance(62_000)
  await settle()
  t.same(await store.inner.list('alice'), [])
  t.same(await store.inner.list('bob'), [])
})

t.test('an old session does not come back if another request has ended the new one', async (t) => {
  const time = new FakeTime(t)
  const { store, transport, envelope } = await createSaved()
  const renewed = { ...envelope, id: transport.newId() }
  store.after = (called, [, , expiresAt]) => {
    if (called === 'commit' && expiresAt === 0) throw new Error('down')
  }
  await t.rejects(save(transport, renewed, envelope, OCCASION) as Promise<unknown>, {
    code: 'ERR_SESSION_STORE_UNAVAILABLE'
  })
  await store.inner.destroy(transport.handleOf(renewed.id))
  store.after = () => undefined
  time.advance(62_000)
  await settle()
  t.equal(await store.inner.load(transport.handleOf(envelope.id)), undefined)
  t.ok(await store.inner.load(tombstoneOf(transport.handleOf(envelope.id))), 'its tombstone is there')
})

/** The calls of a change of id that can fail with an unknown outcome. */
const STEPS = [
  ['create', 1],
  ['create', 2],
  ['commit', 1]
] as const
