import { inspect } from 'node:util'
import t from 'tap'
import type { ChangeData, SessionLife } from '../../lib/request/session.ts'
import { RequestSession } from '../../lib/request/session.ts'
import type { OpenReason, Session } from '../../types/index.ts'
import '../helpers/session-data.ts'

class FakeLife implements SessionLife {
  handle = 'first-handle'
  openReason: OpenReason = 'opened'
  isNew = false
  createdAt = 1_000
  lastSeenAt = 1_500
  permanent = false
  ownerId: string | undefined
  status: 'alive' | 'destroyed' = 'alive'
  touched = false
  calls: string[] = []
  /** What others have made of the data; undefined while nobody else can. */
  shared: Record<string, unknown> | undefined
  restart = (): void => void this.calls.push('restart')
  renew = (): void => void this.calls.push('renew')
  setOwner = (ownerId: string | undefined): void => {
    this.ownerId = ownerId
  }
  expiresAt = (): number => 2_000
  end = async (): Promise<void> => void this.calls.push('end')
  commit = async (): Promise<void> => void this.calls.push('commit')
  reload = async (): Promise<Record<string, unknown>> => ({ visits: 7 })
  amend = async (change: ChangeData): Promise<Record<string, unknown>> => {
    const draft = structuredClone(this.shared ?? {})
    await change(draft)
    this.shared = draft
    return draft
  }
  size = () => ({ bytes: 1, limit: 2, keys: {} })
  setCookieAttributes = (attributes: object): void => void this.calls.push(`options ${Object.keys(attributes)}`)

  get isShared(): boolean {
    return this.shared !== undefined
  }
}

function create(values?: Record<string, unknown>): { session: Session; life: FakeLife } {
  const life = new FakeLife()
  return { session: new RequestSession(life, values) as unknown as Session, life }
}

t.test('data, and nothing else, are own enumerable properties', async (t) => {
  const { session } = create({ visits: 1 })
  session.name = 'Ana'
  t.same(Object.keys(session), ['visits', 'name'])
  t.same({ ...session }, { visits: 1, name: 'Ana' })
  t.equal(JSON.stringify(session), '{"visits":1,"name":"Ana"}')
  t.equal('visits' in session, true)
  t.equal('userId' in session, false)
  delete session.visits
  t.equal('visits' in session, false)
  t.equal(session.visits, undefined)
  const seen: string[] = []
  for (const key in session) seen.push(key)
  t.same(seen, ['name'])
  t.equal(inspect(session), "Session { name: 'Ana' }")
})

t.test('the dict methods are those that Flask hands know', async (t) => {
  const { session } = create({ visits: 1 })
  t.equal(session.get('visits'), 1)
  t.equal(session.get('visits', 5), 1)
  t.equal(session.get('name'), undefined)
  t.equal(session.get('name', 'guest'), 'guest')
  session.set('name', 'Ana')
  t.equal(session.name, 'Ana')
  t.equal(session.has('name'), true)
  session.set('name', undefined)
  t.equal(session.has('name'), false)
  t.equal(session.pop('visits'), 1)
  t.equal(session.pop('visits'), undefined)
  t.equal(session.pop('visits', 9), 9)
  t.equal(session.setDefault('visits', 3), 3)
  t.equal(session.setDefault('visits', 4), 3)
  t.equal(session.delete('visits'), true)
  t.equal(session.delete('visits'), false)
  session.names = ['a']
  session.setOwner('user-1')
  t.same(session.data(), { names: ['a'] })
  t.not(session.data(), session)
  session.clear()
  t.same(session.data(), {})
  t.equal(session.ownerId, undefined)
})

t.test('a method is not a value: inherited names are no data', async (t) => {
  const { session } = create()
  const untyped = session as unknown as { get(key: string): unknown; has(key: string): boolean }
  t.equal(untyped.get('get'), undefined)
  t.equal(untyped.get('toString'), undefined)
  t.equal(untyped.has('constructor'), false)
})

t.test('no inherited name can be overwritten, in any way of writing', async (t) => {
  const { session } = create()
  const names = [...names_of(RequestSession.prototype), ...Object.getOwnPropertyNames(Object.prototype)]
  t.ok(names.includes('__proto__') && names.includes('destroy') && names.includes('hasOwnProperty'))
  for (const name of new Set(names)) {
    if (name === 'permanent') continue
    const untyped = session as unknown as Record<string, unknown> & { set(key: string, value: unknown): void }
    t.throws(() => (untyped[name] = { polluted: true }), { code: 'ERR_SESSION_RESERVED_KEY' }, name)
    t.throws(() => untyped.set(name, 1), { code: 'ERR_SESSION_RESERVED_KEY' }, name)
    t.throws(() => Object.assign(session, JSON.parse(`{${JSON.stringify(name)}:{"polluted":true}}`)), {
      code: 'ERR_SESSION_RESERVED_KEY'
    })
  }
  t.equal(({} as { polluted?: boolean }).polluted, undefined)
  t.equal(Object.getPrototypeOf(session), RequestSession.prototype)
  t.equal(typeof session.destroy, 'function')
  t.same(Object.keys(session), [])
})

t.test('stored data whose key became a method since are left behind', async (t) => {
  const { session } = create(JSON.parse('{"visits":1,"destroy":2,"__proto__":{"polluted":true},"name":"Ana"}'))
  t.same(session.data(), { visits: 1, name: 'Ana' })
  t.equal(typeof session.destroy, 'function')
  t.equal((session as { polluted?: boolean }).polluted, undefined)
})

t.test('set refuses at once what JSON cannot hold, and says where it is', async (t) => {
  const { session } = create()
  t.throws(() => session.set('anything', { list: [new Date(0)] }), {
    code: 'ERR_SESSION_VALUE',
    message: /session\.anything\.list\[0\] holds an instance of Date/
  })
  t.equal(session.has('anything'), false)
  t.throws(() => session.setDefault('anything', () => 1), { code: 'ERR_SESSION_VALUE' })
})

t.test('keys are strings', async (t) => {
  const { session } = create({ visits: 1 })
  const untyped = session as unknown as Record<string, (...args: unknown[]) => unknown>
  for (const method of ['get', 'set', 'has', 'pop', 'setDefault', 'delete']) {
    t.throws(() => untyped[method]?.(1), { code: 'ERR_SESSION_VALUE' }, method)
  }
  t.throws(() => untyped.delete?.(), { code: 'ERR_SESSION_VALUE', message: /call session\.destroy\(\)/ })
  t.equal(session.visits, 1, 'a logout as @fastify/secure-session writes it is never silently nothing')
})

t.test('life is read through dates', async (t) => {
  const { session, life } = create()
  t.equal(session.id, 'first-handle')
  t.equal(session.isNew, false)
  t.same(session.createdAt, new Date(1_000_000))
  t.same(session.expiresAt, new Date(2_000_000))
  t.equal(session.permanent, false)
  session.permanent = true
  t.equal(life.permanent, true)
  t.throws(() => ((session as { permanent: unknown }).permanent = 'yes'), { code: 'ERR_SESSION_VALUE' })
  session.touch()
  t.equal(life.touched, true)
  session.options({ path: '/x' })
  await session.commit()
  t.same(life.calls, ['options path', 'commit'])
  t.same(session.size(), { bytes: 1, limit: 2, keys: {} })
})

t.test('renew changes the id and nothing else; regenerate keeps only the keys that are named', async (t) => {
  const { session, life } = create({ visits: 1, name: 'Ana' })
  await session.renew()
  t.same(session.data(), { visits: 1, name: 'Ana' })
  await session.regenerate(['name'])
  t.same(session.data(), { name: 'Ana' })
  await session.regenerate()
  t.same(session.data(), {})
  t.same(life.calls, ['renew', 'restart', 'restart'])
})

t.test('destroy empties the session and is final', async (t) => {
  const { session, life } = create({ visits: 1 })
  await session.destroy()
  t.equal(life.status, 'destroyed')
  t.same(session.data(), {})
  session.set('visits', 2)
  t.equal(session.get('visits'), 2, 'what other plugins call after a logout does not throw')
  await t.rejects(
    session.update((data) => (data.visits = 1)),
    { code: 'ERR_SESSION_DESTROYED' }
  )
})

t.test('a session ends even if somebody froze it', async (t) => {
  const { session, life } = create({ visits: 1 })
  Object.freeze(session)
  await session.destroy()
  t.equal(life.status, 'destroyed')
})

t.test('what is passed by mistake does not stand in the message', async (t) => {
  const { session } = create()
  const untyped = session as unknown as { set(value: object): void; setOwner(value: unknown): void }
  for (const run of [() => untyped.set({ password: 'hunter2' }), () => untyped.setOwner({ hash: 'hunter2' })]) {
    const error = t.throws(run, { code: 'ERR_SESSION_VALUE' }) as Error
    t.notMatch(error.message, /hunter2/)
  }
  t.throws(() => untyped.setOwner('hunter2'.repeat(50)), { message: /a string of 350 characters/ })
})

t.test('regenerate takes an array', async (t) => {
  const { session } = create({ cart: { a: 1 } })
  await t.rejects(session.regenerate('cart' as unknown as []), { code: 'ERR_SESSION_VALUE' })
})

t.test('delete removes a key that holds undefined', async (t) => {
  const { session } = create({ visits: 1 })
  session.visits = undefined
  t.equal(session.delete('visits'), false)
  t.equal('visits' in session, false)
})

t.test('reload forgets what the request changed', async (t) => {
  const { session } = create({ name: 'Ana' })
  await session.reload()
  t.same(session.data(), { visits: 7 })
})

t.test('assign takes the id of an owner', async (t) => {
  const { session } = create()
  session.setOwner('user-1')
  t.equal(session.ownerId, 'user-1')
  for (const bad of ['', 1, undefined, null, 'x'.repeat(256), '\ud800', '\0', 'a\0b']) {
    t.throws(() => session.setOwner(bad as string), { code: 'ERR_SESSION_VALUE' }, inspect(bad))
  }
  session.setOwner('x'.repeat(255))
  t.equal(session.ownerId?.length, 255)
})

t.test('update applies its changes as one step, or none of them', async (t) => {
  const { session } = create({ visits: 1, name: 'Ana', cart: { a: 1 } })
  const result = await session.update((data) => {
    data.visits = (data.visits ?? 0) + 1
    data.cart = { ...data.cart, b: 2 }
    delete data.name
    return data.visits
  })
  t.equal(result, 2)
  t.same(session.data(), { visits: 2, cart: { a: 1, b: 2 } })

  await t.rejects(
    session.update((data) => {
      data.visits = 100
      throw new Error('no')
    }),
    { message: 'no' }
  )
  await t.rejects(
    session.update((data) => {
      data.visits = 100
      data.anything = new Date()
    }),
    { code: 'ERR_SESSION_VALUE' }
  )
  t.same(session.data(), { visits: 2, cart: { a: 1, b: 2 } })
})

t.test('update does not undo what was set beside it while it waited', async (t) => {
  const { session } = create({ visits: 1 })
  const updated = session.update(async (data) => {
    await Promise.resolve()
    data.visits = 2
  })
  session.name = 'Ana'
  await updated
  t.same(session.data(), { visits: 2, name: 'Ana' })
})

t.test('a hundred updates at a time make a hundred, applied at once where the function does not wait', async (t) => {
  const { session } = create()
  const increment = (data: { visits?: number | undefined }): void => {
    data.visits = (data.visits ?? 0) + 1
  }
  const updates = Array.from({ length: 100 }, () => session.update(increment))
  t.equal(session.visits, 100, 'before anybody has waited')
  await Promise.all(updates)
  const waiting = Array.from({ length: 100 }, () =>
    session.update(async (data) => {
      await Promise.resolve()
      increment(data)
    })
  )
  await Promise.all([...waiting, session.update(increment)])
  t.equal(session.visits, 201)
  await t.rejects(
    session.update(() => Promise.reject(new Error('no'))),
    { message: 'no' }
  )
  await session.update(increment)
  t.equal(session.visits, 202, 'a failed one holds nobody up')
})

t.test('where others can change the data, too, update runs on theirs and leaves what was set beside it', async (t) => {
  const { session, life } = create({ visits: 1, name: 'Ana' })
  life.shared = { visits: 5, name: 'Ana', userId: 7 }
  const updating = session.update(async (data) => {
    data.visits = (data.visits ?? 0) + 1
    delete data.name
    return data.visits
  })
  session.role = 'guest'
  t.equal(await updating, 6)
  t.same(session.data(), { visits: 6, userId: 7, role: 'guest' })
  t.same(life.shared, { visits: 6, userId: 7 })
})

t.test('there, too, one update waits for another, and a refused one changes nothing', async (t) => {
  const { session, life } = create()
  life.shared = {}
  const updates = Array.from({ length: 20 }, () =>
    session.update((data) => {
      data.visits = (data.visits ?? 0) + 1
    })
  )
  await Promise.all(updates)
  t.equal(session.visits, 20)
  for (const wrong of [{ anything: new Date() }, { destroy: 1 }]) {
    await t.rejects(session.update((data) => Object.assign(data, wrong)))
  }
  await t.rejects(
    session.update(() => Promise.reject(new Error('no'))),
    { message: 'no' }
  )
  t.same(session.data(), { visits: 20 })
  t.same(life.shared, { visits: 20 })
})

t.test('update refuses the name of a method', async (t) => {
  const { session } = create()
  await t.rejects(
    session.update((data) => Object.assign(data, { visits: 1, destroy: 1 })),
    { code: 'ERR_SESSION_RESERVED_KEY' }
  )
  t.same(session.data(), {})
})

t.test('what came of looking at cookies is told, and not by a member, whose name data could not have', async (t) => {
  const { session } = create({ openReason: 'mine', openReasonOf: 'mine' })
  t.equal(RequestSession.openReasonOf(session as unknown as RequestSession), 'opened')
  t.same(session.data(), { openReason: 'mine', openReasonOf: 'mine' })
})

t.test('whether it was destroyed is told in the same way', async (t) => {
  const { session } = create({ isDestroyed: 'mine' })
  t.equal(RequestSession.isDestroyed(session as unknown as RequestSession), false)
  await session.destroy()
  t.equal(RequestSession.isDestroyed(session as unknown as RequestSession), true)
})

function names_of(prototype: object): string[] {
  return Object.getOwnPropertyNames(prototype)
}

t.test('when activity was last noted is told, and not by a member', async (t) => {
  const { session } = create({ lastSeenOf: 'mine' })
  t.equal(RequestSession.lastSeenOf(session as unknown as RequestSession), 1_500)
  t.same(session.data(), { lastSeenOf: 'mine' })
})
