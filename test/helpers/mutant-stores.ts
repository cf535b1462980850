import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { twinOf } from '../../histories/checks/last-write.ts'
import type { SessionChanges, SessionStore, StoredRecord } from '../../lib/index.ts'
import { MemoryStore } from '../../lib/index.ts'

/** A store that breaks one promise, and the check that must notice. */
export interface Mutant {
  readonly name: string
  readonly check: string
  /** What the text of the violation says. */
  readonly says: RegExp
  readonly open: () => SessionStore
  /** Breaks the application, where no store can break the promise. */
  readonly spoil?: (app: FastifyInstance) => void
  /** For how many milliseconds requests have to go on at least, so that it shows. */
  readonly lasts?: number
}

type Breaks = (store: SessionStore, sometimes: () => boolean) => Partial<SessionStore>

/** Longer than the checks allow an operation to be late. */
const LATE = 150
/** Long enough for what is late to meet later requests. */
const LASTS = 4 * LATE
/** Longer than any request may take in the tests. */
const BLOCKED = 500
/** Every so many times, what is broken breaks. */
const OFTEN = 7
/** A time that has passed, which ends a record. */
const ENDED = 0
const UNAVAILABLE = 503

/** Makes a store of another one. Each call takes a turn of the event loop, so that calls overlap. */
function broken(breaks: Breaks): () => SessionStore {
  return () => {
    const store: SessionStore = new MemoryStore({ pruneInterval: 0 })
    let calls = 0
    const overrides = breaks(store, () => ++calls % OFTEN === 0)
    const target: SessionStore = {
      create: (...given) => store.create(...given),
      load: (...given) => store.load(...given),
      commit: (...given) => store.commit(...given),
      touch: (...given) => store.touch(...given),
      destroy: (...given) => store.destroy(...given),
      list: (...given) => store.list(...given),
      destroyAll: (...given) => store.destroyAll(...given),
      ...overrides
    }
    return slow(target)
  }
}

function slow(store: SessionStore): SessionStore {
  const turn = (): Promise<void> => new Promise(setImmediate)
  return {
    create: (...given) => turn().then(() => store.create(...given)),
    load: (...given) => turn().then(() => store.load(...given)),
    commit: (...given) => turn().then(() => store.commit(...given)),
    touch: (...given) => turn().then(() => store.touch(...given)),
    destroy: (...given) => turn().then(() => store.destroy(...given)),
    list: (...given) => turn().then(() => store.list(...given)),
    destroyAll: (...given) => turn().then(() => store.destroyAll(...given))
  }
}

function isIncrement({ set }: SessionChanges): boolean {
  return 'applied' in set
}

/** Whether the changes are those of a plain write. */
function isWrite({ set }: SessionChanges): boolean {
  return Object.keys(set).some((name) => twinOf(name) in set)
}

function fail(): never {
  throw new Error('The store does not answer.')
}

/** Applies changes whose caller has been told that it is not known. */
async function applyLate(store: SessionStore, key: string, changes: SessionChanges): Promise<void> {
  await pause(LATE)
  const record = await store.load(key)
  if (record === undefined) return
  const tokens = changes.set.applied === undefined ? [] : JSON.parse(changes.set.applied).slice(-1)
  const applied = JSON.stringify([...(JSON.parse(record.json).applied ?? []), ...tokens])
  await store.commit(key, { ...changes, set: tokens.length > 0 ? { applied } : changes.set }, record.expiresAt)
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'applies an increment twice',
    check: 'counts',
    says: /counts twice/,
    open: broken((store, sometimes) => ({
      async commit(key, changes, expiresAt, version) {
        if (!isIncrement(changes) || !sometimes()) return store.commit(key, changes, expiresAt, version)
        const applied = JSON.parse(changes.set.applied ?? '[]')
        const set = { ...changes.set, applied: JSON.stringify([...applied, ...applied.slice(-1)]) }
        return store.commit(key, { ...changes, set }, expiresAt, version)
      }
    }))
  },
  {
    name: 'acknowledges an increment that it does not apply',
    check: 'counts',
    says: /acknowledged, and does not count/,
    open: broken((store, sometimes) => ({
      async commit(key, changes, expiresAt, version) {
        return isIncrement(changes) && sometimes() ? 'committed' : store.commit(key, changes, expiresAt, version)
      }
    }))
  },
  {
    name: 'applies an increment and says that the session is gone',
    check: 'counts',
    says: /refused, and counts/,
    open: broken((store, sometimes) => ({
      async commit(key, changes, expiresAt, version) {
        const result = await store.commit(key, changes, expiresAt, version)
        return isIncrement(changes) && sometimes() ? 'gone' : result
      }
    }))
  },
  {
    name: 'applies an increment long after the 503',
    check: 'counts',
    says: /only after its time/,
    lasts: LASTS,
    open: broken((store, sometimes) => ({
      async commit(key, changes, expiresAt, version) {
        if (!isIncrement(changes) || !sometimes()) return store.commit(key, changes, expiresAt, version)
        applyLate(store, key, changes)
        return fail()
      }
    }))
  },
  {
    name: 'acknowledges a write that it does not apply',
    check: 'last-write',
    says: /after \d+ was acknowledged/,
    open: broken((store, sometimes) => ({
      async commit(key, changes, expiresAt, version) {
        return isWrite(changes) && sometimes() ? 'committed' : store.commit(key, changes, expiresAt, version)
      }
    }))
  },
  {
    name: 'applies a write long after the 503',
    check: 'last-write',
    says: /after \d+ was acknowledged|again, after it was something else/,
    lasts: LASTS,
    open: broken((store, sometimes) => ({
      async commit(key, changes, expiresAt, version) {
        if (!isWrite(changes) || !sometimes()) return store.commit(key, changes, expiresAt, version)
        applyLate(store, key, changes)
        return fail()
      }
    }))
  },
  {
    name: 'applies a write once more, over a later one',
    check: 'last-write',
    says: /after \d+ was acknowledged|again, after it was something else/,
    lasts: LASTS,
    open: broken((store, sometimes) => ({
      async commit(key, changes, expiresAt, version) {
        if (isWrite(changes) && sometimes()) applyLate(store, key, changes)
        return store.commit(key, changes, expiresAt, version)
      }
    }))
  },
  {
    name: 'applies a part of a write',
    check: 'last-write',
    says: /one request has set both/,
    open: broken((store, sometimes) => ({
      async commit(key, changes, expiresAt, version) {
        if (!isWrite(changes) || !sometimes()) return store.commit(key, changes, expiresAt, version)
        const set = Object.fromEntries(Object.entries(changes.set).slice(0, 1))
        return store.commit(key, { ...changes, set }, expiresAt, version)
      }
    }))
  },
  {
    name: 'acknowledges an end and keeps the session',
    check: 'endings',
    says: /after logout|after revoke/,
    open: broken((store, sometimes) => ({
      destroy: (key) => (sometimes() ? undefined : store.destroy(key))
    }))
  },
  {
    name: 'brings an ended session back',
    check: 'endings',
    says: /after logout|after revoke/,
    open: broken((store) => ({
      async destroy(key) {
        const record = await store.load(key)
        await store.destroy(key)
        if (record !== undefined) pause(LATE).then(() => store.create(key, record, record.expiresAt))
      }
    }))
  },
  {
    name: 'ends all sessions of an owner but one',
    check: 'endings',
    says: /after revokeAll/,
    open: broken((store) => {
      let isHiding = false
      return {
        async destroyAll(ownerId, exceptKey) {
          const [spared] = (await store.list(ownerId)).filter(({ key }) => key !== exceptKey)
          const others = (await store.list(ownerId)).filter(({ key }) => key !== exceptKey && key !== spared?.key)
          for (const { key } of others) await store.destroy(key)
          isHiding = true
          return others.length
        },
        async list(ownerId) {
          const records = isHiding ? [] : await store.list(ownerId)
          isHiding = false
          return records
        }
      }
    })
  },
  {
    name: 'lists a session that has ended',
    check: 'endings',
    says: /listed after/,
    open: broken((store) => {
      const ended: StoredRecord[] = []
      return {
        async destroy(key) {
          const record = await store.load(key)
          if (record !== undefined) ended.push(record)
          await store.destroy(key)
        },
        list: async (ownerId) => [
          ...(await store.list(ownerId)),
          ...ended.filter((record) => record.ownerId === ownerId)
        ]
      }
    })
  },
  {
    name: 'counts no sessions of an owner',
    check: 'limit',
    says: /live sessions of one owner/,
    open: broken((store) => ({ create: (key, record, expiresAt) => store.create(key, record, expiresAt) }))
  },
  {
    name: 'keeps the old id beside the new one',
    check: 'new-id',
    says: /old id still opens/,
    open: broken((store, sometimes) => {
      const spared = new Set<string>()
      return {
        async commit(key, changes, expiresAt, version) {
          if (expiresAt !== ENDED || !sometimes()) return store.commit(key, changes, expiresAt, version)
          spared.add(key)
          return 'committed'
        },
        destroy: (key) => (spared.has(key) ? undefined : store.destroy(key))
      }
    })
  },
  {
    name: 'lets two requests give one session a new id',
    check: 'new-id',
    says: /one id was replaced twice/,
    open: broken((store) => ({
      async commit(key, changes, expiresAt, version) {
        const result = await store.commit(key, changes, expiresAt, version)
        return expiresAt === ENDED ? 'committed' : result
      }
    }))
  },
  {
    name: 'fails to begin a session, in an application that sends its cookie all the same',
    check: 'new-id',
    says: /a failure brings a new cookie/,
    open: broken((store, sometimes) => ({
      create: (...given) => (sometimes() ? fail() : store.create(...given))
    })),
    spoil: (app) =>
      app.addHook('onSend', async (_request, reply) => {
        if (reply.statusCode === UNAVAILABLE) reply.header('set-cookie', 'session=new; Path=/')
      })
  },
  {
    name: 'fails to begin a session and keeps it',
    check: 'new-id',
    says: /that no browser has/,
    open: broken((store, sometimes) => {
      const left = new Set<string>()
      return {
        async create(key, record, expiresAt, limit) {
          const result = await store.create(key, record, expiresAt, limit)
          if (record.ownerId === undefined || !sometimes()) return result
          left.add(key)
          return fail()
        },
        destroy: (key) => (left.has(key) ? undefined : store.destroy(key)),
        destroyAll: () => 0
      }
    })
  },
  {
    name: 'loses a session',
    check: 'kept',
    says: /gone, and nothing has ended it/,
    open: broken((store, sometimes) => ({
      async commit(key, changes, expiresAt, version) {
        if (isIncrement(changes) && sometimes()) await store.destroy(key)
        return store.commit(key, changes, expiresAt, version)
      }
    }))
  },
  {
    name: 'leaves a session out of the list',
    check: 'kept',
    says: /not listed, and nothing has ended it/,
    open: broken((store) => ({ list: async (ownerId) => (await store.list(ownerId)).slice(1) }))
  },
  {
    name: 'does not answer in time',
    check: 'deadlines',
    says: /took \d+ ms/,
    open: broken((store) => {
      let calls = 0
      return {
        load(key) {
          if (++calls === OFTEN) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BLOCKED)
          return store.load(key)
        }
      }
    })
  },
  {
    name: 'refuses what it must keep',
    check: 'answers',
    says: /was answered 413/,
    open: broken((store, sometimes) => ({
      async commit(key, changes, expiresAt, version) {
        if (!sometimes()) return store.commit(key, changes, expiresAt, version)
        throw Object.assign(new Error('too large'), { code: 'ERR_SESSION_TOO_LARGE', statusCode: 413 })
      }
    }))
  }
]
