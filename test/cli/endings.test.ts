import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { withEndings } from '../../lib/cli/endings.ts'
import { endingOf } from '../../lib/endings/endings.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'

t.test('the processes of the application hear of what ends', async (t) => {
  const store = new MemoryStore({ pruneInterval: 0 })
  const told: unknown[] = []
  store.listen((message) => told.push(JSON.parse(message)))
  t.equal(await withEndings(store, async (endings) => endings.announce(endingOf('h', 'revoked'))), undefined)
  t.match(told, [{ handle: 'h', reason: 'revoked' }])
})

t.test('it closes when the work fails', async (t) => {
  const store = new MemoryStore({ pruneInterval: 0 })
  await t.rejects(
    withEndings(store, async () => {
      throw new Error('work')
    }),
    { message: 'work' }
  )
  await turn()
})
