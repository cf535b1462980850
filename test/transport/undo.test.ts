import type { Test } from 'tap'
import t from 'tap'
import { GuardedStore } from '../../lib/stores/guarded.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { Undo } from '../../lib/transport/undo.ts'
import type { SessionRecord } from '../../types/store.ts'
import { NOW } from '../format/samples.ts'
import { FakeTime } from '../helpers/fake-time.ts'
import { RecordingStore } from '../helpers/recording-store.ts'
import { LATER, RECORD } from './stored.ts'

const PLAIN: SessionRecord = { ...RECORD, description: undefined, extensions: undefined }
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

t.test('what fails later waits for its own time', async (t) => {
  const { time, store, guarded, undo } = open(t)
  const first = guarded.begin()
  time.advance(1900)
  undo.removal(first, 'a')
  time.advance(1000)
  store.before = (_method, [key]) => {
    if (key === 'a') undo.removal(guarded.begin(), 'b')
  }
  time.advance(100)
  await settle()
  t.same(store.takeCalls(), [['destroy', 'a']])
  time.advance(2999)
  await settle()
  t.same(store.takeCalls(), [])
  time.advance(1)
  await settle()
  t.same(store.takeCalls(), [['destroy', 'b']])
  time.advance(5000)
  t.equal(time.pending, 0)
})

t.test('nothing is tried again after the end', async (t) => {
  const { time, store, guarded, undo } = open(t)
  undo.close()
  store.before = () => Promise.reject(new Error('closed'))
  undo.removal(guarded.begin(), 'a')
  undo.close()
  time.advance(5000)
  await settle()
  t.same([store.takeMethods(), time.pending], [[], 0])
  undo.removal(guarded.begin(), 'b')
  time.advance(3000)
  undo.close()
  await settle()
  time.advance(5000)
  t.same([store.takeMethods(), time.pending], [['destroy'], 0])
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
