import t from 'tap'
import { isThere } from '../../lib/cli/is-there.ts'
import { unreadableError } from '../../lib/errors.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { addSession, keyOf, NOW } from '../helpers/cli-stores.ts'

t.test('a record is there, and a damaged one', async (t) => {
  const store = new MemoryStore({ clock: () => NOW * 1000, pruneInterval: 0 })
  await addSession(store, 'a')
  t.equal(await isThere(store, keyOf('a')), true)
  t.equal(await isThere(store, keyOf('b')), false)
  store.load = () => {
    throw unreadableError()
  }
  t.equal(await isThere(store, keyOf('b')), true)
})

t.test('a store that fails says nothing', async (t) => {
  const store = new MemoryStore({ pruneInterval: 0 })
  store.load = () => {
    throw new Error('down')
  }
  await t.rejects(isThere(store, keyOf('a')), { message: 'down' })
})
