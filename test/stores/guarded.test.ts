import { runInNewContext } from 'node:vm'
import t from 'tap'
import { StoreUnavailableError } from '../../lib/errors.ts'
import type { StoreOperation } from '../../lib/stores/guarded.ts'
import { GuardedStore } from '../../lib/stores/guarded.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import type { SessionStore, StoreCall } from '../../types/store.ts'
import { FakeTime } from '../helpers/fake-time.ts'

const RECORD = {
  json: '{}',
  createdAt: 1,
  lastSeenAt: 2,
  permanent: false,
  ownerId: 'ana',
  description: undefined,
  extensions: undefined
}
const UNAVAILABLE = {
  code: 'ERR_SESSION_STORE_UNAVAILABLE',
  statusCode: 503,
  message: 'The session store is not available. Try again later.',
  headers: { 'retry-after': '5' }
}

/** A call of every method, with every parameter. */
const CALLS = {
  create: ['key', RECORD, 10, { max: 1, evict: true }],
  load: ['key'],
  commit: ['key', { set: {}, unset: [] }, 10, 3],
  touch: ['key', 10, 5],
  destroy: ['key'],
  list: ['ana'],
  destroyAll: ['ana', 'key'],
  count: ['cursor'],
  entries: ['cursor', 5],
  destroyEverything: ['cursor']
} as const

/** What each method may answer. */
const ANSWERS: Readonly<Record<string, readonly unknown[]>> = {
  create: [true, false, 'over-limit'],
  load: [undefined, { json: '{}' }],
  commit: ['committed', 'gone', 'conflict'],
  touch: [true, false],
  destroy: [undefined, null, 1],
  list: [[]],
  destroyAll: [0, 3],
  count: [
    { found: 0, next: undefined },
    { found: 3, next: 'a' }
  ],
  entries: [{ found: [], next: undefined }],
  destroyEverything: [{ found: 1, next: 'a' }]
}

/** A store whose methods all do the same. */
function storeOf(answer: (method: string, parameters: unknown[]) => unknown): SessionStore {
  const entries = Object.keys(CALLS).map((name) => [name, (...parameters: unknown[]) => answer(name, parameters)])
  return Object.fromEntries(entries) as SessionStore
}

function call(store: SessionStore, method: string): unknown {
  const untyped = store as unknown as Record<string, (...parameters: unknown[]) => unknown>
  return (untyped[method] as () => unknown).apply(store, CALLS[method as keyof typeof CALLS] as never)
}

/** What the query builders of some libraries are. */
function thenable(then: unknown): object {
  return { then }
}

t.test('every call goes to the store as it is, and so does every answer', async (t) => {
  for (const method of Object.keys(CALLS)) {
    const seen: unknown[] = []
    const store = new GuardedStore(
      storeOf(async (name, parameters) => {
        seen.push(name, ...parameters)
        return ANSWERS[name]?.[0]
      }),
      1
    )
    t.equal(await call(store, method), ANSWERS[method]?.[0])
    const told = seen.at(-1) as StoreCall
    const writes = !['load', 'list', 'count', 'entries'].includes(method)
    if (writes) t.equal(told.deadline > performance.now(), true, 'a write is told its deadline')
    t.same(writes ? seen.slice(0, -1) : seen, [method, ...CALLS[method as keyof typeof CALLS]])
  }
})

t.test('an answer that is there is passed on at once', async (t) => {
  for (const [method, answers] of Object.entries(ANSWERS)) {
    for (const answer of answers)
      t.equal(
        call(
          new GuardedStore(
            storeOf(() => answer),
            1
          ),
          method
        ),
        answer
      )
  }
})

t.test('what no store may answer is an outage, never a logout', async (t) => {
  for (const method of Object.keys(ANSWERS).filter((name) => name !== 'destroy')) {
    for (const answer of ['OK', null, 1.5, { json: 5 }, Number.NaN]) {
      const cause = { name: 'TypeError', message: /broke its contract/ }
      t.throws(
        () =>
          call(
            new GuardedStore(
              storeOf(() => answer),
              1
            ),
            method
          ),
        { ...UNAVAILABLE, cause }
      )
      const late = call(
        new GuardedStore(
          storeOf(async () => answer),
          1
        ),
        method
      ) as Promise<unknown>
      await t.rejects(late, { ...UNAVAILABLE, cause })
    }
  }
})

t.test('whatever can be waited for is a promise, be it of another realm or a library', async (t) => {
  const cause = new Error('down')
  const foreign = runInNewContext('Promise.resolve(undefined)')
  const good = thenable((resolve: (value: unknown) => void) => resolve(undefined))
  const bad = thenable((_: unknown, reject: (cause: unknown) => void) => reject(cause))
  for (const promise of [foreign, good]) {
    const answer = call(
      new GuardedStore(
        storeOf(() => promise),
        1
      ),
      'load'
    )
    t.type(answer, Promise)
    t.equal(await answer, undefined)
  }
  await t.rejects(
    call(
      new GuardedStore(
        storeOf(() => bad),
        1
      ),
      'load'
    ) as Promise<unknown>,
    { ...UNAVAILABLE, cause }
  )
})

t.test('the methods of the store are called as its methods', async (t) => {
  const store = new GuardedStore(new MemoryStore({ clock: () => 0 }), 1)
  t.equal(await store.create('key', RECORD, 10), true)
  t.match(await store.load('key'), { key: 'key', ownerId: 'ana' })
})

t.test('whatever goes wrong is one error that answers 503, with what went wrong as its cause', async (t) => {
  const cause = new Error('ECONNREFUSED redis://:hunter2@10.0.0.1')
  const fail = (): never => {
    throw cause
  }
  for (const method of Object.keys(CALLS)) {
    const rejection = call(
      new GuardedStore(
        storeOf(async () => fail()),
        1
      ),
      method
    ) as Promise<unknown>
    const rejected: Error = await rejection.then(
      () => t.fail('resolved') as never,
      (error) => error
    )
    const thrown = t.throws(() => call(new GuardedStore(storeOf(fail), 1), method)) as Error
    for (const error of [rejected, thrown]) {
      t.match(error, { ...UNAVAILABLE, cause }, method)
      t.notMatch(error.message, /hunter2/)
    }
  }
})

t.test('what a store refuses for a reason of its own is no outage', async (t) => {
  const large = new MemoryStore({ maxBytes: 10, pruneInterval: 0 })
  const refusing = new GuardedStore(large, 1)
  t.throws(() => refusing.create('key', { ...RECORD, json: '{"a":"a long text"}' }, 10), {
    code: 'ERR_SESSION_TOO_LARGE'
  })
  const mine = new StoreUnavailableError('redis://10.0.0.1 is not there')
  for (const cause of [mine, 'text', undefined, Object.assign(new Error('x'), { code: 5 })]) {
    await t.rejects(
      call(
        new GuardedStore(
          storeOf(() => Promise.reject(cause)),
          1
        ),
        'load'
      ) as Promise<unknown>,
      { ...UNAVAILABLE, cause }
    )
  }
})

t.test('the calls of an operation say which record another one is to replace', async (t) => {
  const seen: unknown[] = []
  const inner = storeOf(() => undefined)
  inner.destroy = (_key, call) => void seen.push(call?.replacing)
  const store = new GuardedStore(inner, 1)
  await store.begin('old').destroy('key')
  await store.begin().destroy('key')
  t.same(seen, ['old', undefined])
})

t.test('a store that does not answer in time is not available, whatever it answers later', async (t) => {
  const time = new FakeTime(t)
  let answer = (): void => {}
  const store = new GuardedStore(
    storeOf(() => new Promise((resolve) => (answer = () => resolve('late')))),
    0.02
  )
  const loading = call(store, 'load') as Promise<unknown>
  time.advance(20)
  await t.rejects(loading, { ...UNAVAILABLE, cause: { message: /did not answer within 0\.02 s/ } })
  answer()
  await new Promise(setImmediate)
})

t.test('the calls of an operation have one deadline', async (t) => {
  const time = new FakeTime(t)
  const seen: string[] = []
  const store = new GuardedStore(
    storeOf(async (name) => {
      seen.push(name)
      time.advance(15)
      return ANSWERS[name]?.[0]
    }),
    0.04
  )
  const operation = store.begin()
  t.equal(operation.timeLeft, 40)
  for (let calls = 0; calls < 3; calls++) await operation.destroy('key')
  t.equal(operation.timeLeft, 0)
  for (const method of Object.keys(CALLS)) {
    t.throws(() => call(operation, method), { ...UNAVAILABLE, cause: { message: /did not answer within 0\.04 s/ } })
  }
  t.same(seen, ['destroy', 'destroy', 'destroy'], 'what begins too late does not reach the store')
})

/** An operation of a store that has 40 milliseconds, and does nothing. */
function beginIdle(): StoreOperation {
  return new GuardedStore(
    storeOf(() => undefined),
    0.04
  ).begin()
}

t.test('who waits for a turn does not wait longer than for the store', async (t) => {
  const time = new FakeTime(t)
  const operation = beginIdle()
  const failure = new TypeError('a mistake')
  t.equal(await operation.inTime(Promise.resolve(5)), 5)
  await t.rejects(operation.inTime(Promise.reject(failure)), failure)
  const waiting = operation.inTime(new Promise(() => {}))
  time.advance(40)
  await t.rejects(waiting, { ...UNAVAILABLE, cause: { message: /did not answer within 0\.04 s/ } })
})

t.test('what the application does within an operation may take its time', async (t) => {
  const time = new FakeTime(t)
  const operation = beginIdle()
  const failure = new TypeError('a mistake')
  const run = (): string => {
    time.advance(500)
    return 'done'
  }
  t.equal(await operation.uncounted(run), 'done')
  t.equal(operation.timeLeft, 40)
  await t.rejects(
    operation.uncounted(() => Promise.reject(failure)),
    failure
  )
  t.equal(operation.timeLeft, 40)
})

t.test(
  'a load that answers later although the store loads at once is a failure, and its rejection is heard',
  async (t) => {
    for (const answer of [Promise.resolve(undefined), Promise.reject(new Error('down')), thenable(() => {})]) {
      const store = new GuardedStore({ ...storeOf(() => answer), loadsAtOnce: true }, 5)
      t.equal(store.loadsAtOnce, true)
      t.throws(() => store.load('key'), { ...UNAVAILABLE, cause: { message: /returned a promise/ } })
    }
    const found = { json: '{}' }
    t.equal(new GuardedStore({ ...storeOf(() => found), loadsAtOnce: true }, 5).load('key'), found)
  }
)

t.test('it has those methods for all records that the store has', async (t) => {
  const full = new GuardedStore(new MemoryStore(), 1)
  t.type(full.count, 'function')
  const { count, entries, destroyEverything } = new GuardedStore(
    { ...storeOf(() => true), count: undefined, entries: undefined, destroyEverything: undefined } as never,
    1
  )
  t.same([count, entries, destroyEverything], [undefined, undefined, undefined])
})
