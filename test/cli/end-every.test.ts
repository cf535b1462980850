import t from 'tap'
import { endEvery } from '../../lib/cli/end-every.ts'
import { unreadableError } from '../../lib/errors.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'

const RECORD = {
  json: '{}',
  createdAt: 0,
  lastSeenAt: 0,
  permanent: false,
  ownerId: undefined,
  description: undefined,
  extensions: undefined
}
const FAR = 9_999_999_999

t.test('records that appear meanwhile end, too', async (t) => {
  const store = new MemoryStore({ pruneInterval: 0 })
  for (const key of ['a', 'b']) await store.create(key, RECORD, FAR)
  const passes = [['a', 'b', 'expired'], ['c', 'a'], ['a'], ['d']]
  const keys = async function* (): AsyncGenerator<string> {
    yield* passes.shift() as string[]
    if (passes.length === 3) await store.create('c', RECORD, FAR)
  }
  t.equal(await endEvery(store, keys), 3)
  t.same([store.size, passes], [0, [['d']]], 'it ends when a pass finds nothing')
})

t.test('it does not go on for ever', async (t) => {
  const store = new MemoryStore({ pruneInterval: 0 })
  const keys = async function* (): AsyncGenerator<string> {
    await store.create('again', RECORD, FAR)
    yield 'again'
  }
  t.equal(await endEvery(store, keys), 10)
})

t.test('a damaged record ends, and an outage fails', async (t) => {
  const ended: string[] = []
  const broken = (error: Error): MemoryStore =>
    Object.assign(new MemoryStore({ pruneInterval: 0 }), {
      load: async () => (ended.length === 0 ? Promise.reject(error) : undefined),
      destroy: async (key: string) => void ended.push(key)
    })
  const keys = async function* (): AsyncGenerator<string> {
    yield 'damaged'
  }
  t.equal(await endEvery(broken(unreadableError()), keys), 1)
  t.same(ended.splice(0), ['damaged', 'damaged'])
  await t.rejects(endEvery(broken(new Error('down')), keys), { message: 'down' })
})
