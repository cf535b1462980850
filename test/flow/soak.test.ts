import { closeSync, existsSync, openSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { serve } from '../../bench/soak/app.ts'
import { SoakClock, soak } from '../../bench/soak/run.ts'
import type { Sample } from '../../bench/soak/sample.ts'
import { complain, judge } from '../../bench/soak/verdict.ts'
import { session } from '../../lib/index.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import type { StoredRecord } from '../../types/store.ts'
import { SECRET } from '../helpers/app.ts'

// `npm run soak` takes minutes. Here it runs for seconds, and has to find what leaks.

const REQUESTS = 1000
const IDLE_TIMEOUT = 3600

// The flag of the process would have to be passed to every test.
setFlagsFromString('--expose-gc')
globalThis.gc = runInNewContext('gc')

/** Sends requests to an application with a store, and returns the samples. `addTo`: makes it leak. */
async function run(store: MemoryStore, clock: SoakClock, addTo: (app: FastifyInstance) => void): Promise<Sample[]> {
  const soaked = await serve(async (app) => {
    await app.register(session, { secret: SECRET, store, clock: clock.now, idleTimeout: IDLE_TIMEOUT })
    addTo(app)
  }, true)
  const expire = (): void => {
    clock.skip(2 * IDLE_TIMEOUT)
    store.prune()
  }
  try {
    return await soak({ soaked, requests: REQUESTS, expire, count: 4 })
  } finally {
    await soaked.app.close()
  }
}

/** Returns the measures that have grown. */
function grownIn(samples: readonly Sample[]): string[] {
  return judge(samples).flatMap(({ measure, isFlat }) => (isFlat ? [] : [measure]))
}

t.test('sessions in memory leave nothing behind', async (t) => {
  const clock = new SoakClock()
  const store = new MemoryStore({ clock: clock.now, pruneInterval: 0 })
  const samples = await run(store, clock, () => {})
  t.same(grownIn(samples), [])
  t.equal(samples.length, 4)
  t.ok((samples.at(-1)?.requests ?? 0) >= REQUESTS)
  t.equal(store.size, 0)
})

t.test('a store that keeps what it has loaded is found', async (t) => {
  class LeakingStore extends MemoryStore {
    readonly loaded: unknown[] = []
    override load(key: string): StoredRecord | undefined {
      const record = super.load(key)
      this.loaded.push({ ...record, copies: Array.from({ length: 200 }, () => ({ key })) })
      return record
    }
  }
  const clock = new SoakClock()
  const store = new LeakingStore({ clock: clock.now, pruneInterval: 0 })
  t.same(grownIn(await run(store, clock, () => {})), ['heap'])
})

t.test('a plugin that forgets to clean up is found, whatever it forgets', async (t) => {
  const buffers: Buffer[] = []
  const timers: NodeJS.Timeout[] = []
  const files: number[] = []
  const events: symbol[] = []
  t.teardown(() => {
    for (const timer of timers) clearInterval(timer)
    for (const file of files) closeSync(file)
    for (const event of events) process.removeAllListeners(event)
  })
  const clock = new SoakClock()
  const samples = await run(new MemoryStore({ clock: clock.now, pruneInterval: 0 }), clock, (app) => {
    app.addHook('onRequest', async ({ url }) => {
      buffers.push(Buffer.alloc(4096))
      if (!url.startsWith('/login')) return
      timers.push(setInterval(() => {}, 1e9))
      files.push(openSync(process.execPath, 'r'))
      const event = Symbol('forgotten')
      events.push(event)
      process.on(event, () => {})
    })
  })
  const hasDescriptors = existsSync('/proc/self/fd')
  t.same(
    grownIn(samples).filter((measure) => measure !== 'heap'),
    ['external', ...(hasDescriptors ? ['descriptors'] : []), 'listeners', 'resources']
  )
})

t.test('what has grown is told with its figures', async (t) => {
  const flat = { requests: 0, heap: 2 ** 24, external: 0, rss: 0, descriptors: 20, listeners: 7, resources: 3 }
  t.same(complain(judge([flat, flat, flat, flat])), [])
  t.same(
    complain(judge([flat, flat, flat, { ...flat, heap: 2 ** 24 + 2 ** 20, rss: 2 ** 30 }])),
    [],
    'within the tolerance'
  )
  t.same(complain(judge([flat, { ...flat, listeners: 8 }, flat, flat])), [], 'it goes down')
  const grown = { ...flat, heap: 2 ** 24 + 2 ** 20 + 1, listeners: 8 }
  t.same(complain(judge([flat, flat, grown, grown])), [
    'heap: 16,777,216 in the first half, 17,825,793 in the second; at most 1,048,576 more is flat',
    'listeners: 7 in the first half, 8 in the second; at most 0 more is flat'
  ])
})
