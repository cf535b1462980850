import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { MemoryStore } from '../../../lib/index.ts'
import { START } from '../../helpers/app.ts'
import type { KitApp } from '../../helpers/login-app.ts'
import { ANA, createKitApp, Member } from '../../helpers/login-app.ts'
import { RecordingStore } from '../../helpers/recording-store.ts'

const RUNS = 60

/** What requests under way do to the session. */
const ACTS: Readonly<Record<string, (request: FastifyRequest) => unknown>> = {
  write: ({ session }) => {
    session.visits = 1
  },
  touch: ({ session }) => session.touch(),
  update: ({ session }) => session.update((data) => void Object.assign(data, { visits: 2 })),
  renew: ({ session }) => session.renew(),
  'renew and commit': async ({ session }) => {
    await session.renew()
    await session.commit()
  },
  'renew and update': async ({ session }) => {
    await session.renew()
    await session.update((data) => void Object.assign(data, { visits: 3 }))
  },
  regenerate: ({ session }) => session.regenerate(Object.keys(session) as never, { keepOwner: true }),
  confirm: (request) => request.confirmLogin()
}

/** What ends it meanwhile. */
const ENDINGS: Readonly<Record<string, (request: FastifyRequest, app: KitApp['app'], handle: string) => unknown>> = {
  logout: (request) => request.logout(),
  destroy: ({ session }) => session.destroy(),
  null: (request) => {
    request.session = null
  },
  regenerate: ({ session }) => session.regenerate(),
  revoke: (_request, { sessions }, handle) => sessions.revoke(handle),
  revokeAll: (_request, { sessions }) => sessions.revokeAll(String(ANA.id))
}

/** Numbers from 0 to below 1, the same for each seed (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A store that takes the steps of all requests that wait for it one by one, in any order. */
class ShuffledStore extends RecordingStore {
  readonly #waiting: (() => void)[] = []
  #isBusy = false

  shuffle(random: () => number): void {
    this.before = () =>
      new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
        if (!this.#isBusy) this.#run(random)
      })
  }

  async #run(random: () => number): Promise<void> {
    this.#isBusy = true
    while (this.#waiting.length > 0) {
      // So that every request has come to its next step.
      for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
      this.#waiting.splice(Math.floor(random() * this.#waiting.length), 1)[0]?.()
    }
    this.#isBusy = false
  }
}

async function start(store: ShuffledStore, end: string): Promise<KitApp> {
  const kit = await createKitApp({ store })
  kit.app.post('/act/:name', async (request) => {
    await request.loadUser()
    await ACTS[(request.params as { name: string }).name]?.(request)
    return ''
  })
  kit.app.post('/end/:handle', async (request) => {
    await request.loadUser()
    await ENDINGS[end]?.(request, kit.app, (request.params as { handle: string }).handle)
    return ''
  })
  return kit
}

for (const end of Object.keys(ENDINGS)) {
  t.test(
    `after ${end} nobody is logged in, whatever up to three requests do in two processes, in any order`,
    async (t) => {
      const left: string[] = []
      for (let seed = 0; seed < RUNS; seed++) {
        const random = numbers(seed)
        const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
        const store = new ShuffledStore(new MemoryStore({ clock: () => START.getTime(), pruneInterval: 0 }))
        const kits = [await start(store, end), await start(store, end)]
        const ana = new Member(pick(kits).app)
        await ana.login(ANA.id)
        const handle = await ana.read('/id')
        const acts = Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(Object.keys(ACTS)))
        store.shuffle(random)
        const send = (path: string) =>
          pick(kits).app.inject({ method: 'POST', url: encodeURI(path), headers: { cookie: ana.jar.header() } })
        const [ended, ...replies] = await Promise.all([`/end/${handle}`, ...acts.map((act) => `/act/${act}`)].map(send))
        store.before = () => undefined
        t.equal(ended?.statusCode, 200)
        for (const reply of replies) ana.jar.take(reply)
        const isIn = (await ana.read('/who')) !== 'nobody'
        if (isIn || (await store.list(String(ANA.id))).length > 0) left.push(`${seed}: ${acts}`)
      }
      t.same(left, [])
    }
  )
}
