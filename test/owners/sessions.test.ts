import t from 'tap'
import { Endings, EVERYTHING, endingOf } from '../../lib/endings/endings.ts'
import { unreadableError } from '../../lib/errors.ts'
import { HandleAliases } from '../../lib/owners/handle-aliases.ts'
import type { Companion } from '../../lib/owners/sessions.ts'
import { OwnerSessions } from '../../lib/owners/sessions.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import type { RawSession } from '../../types/raw-session.ts'
import type { SessionRecord, StoredRecord } from '../../types/store.ts'
import { NOBODY } from '../helpers/nobody.ts'

const NOW = 1_763_640_000
const HOUR = 3600

function keyOf(letter: string): string {
  return letter.repeat(43)
}

function recordOf(record: Partial<SessionRecord>): SessionRecord {
  return {
    json: '{"a":1}',
    createdAt: NOW,
    lastSeenAt: NOW,
    permanent: false,
    ownerId: 'ana',
    description: undefined,
    extensions: undefined,
    ...record
  }
}

async function create(): Promise<{ store: MemoryStore; registry: OwnerSessions }> {
  const store = new MemoryStore({ clock: () => NOW * 1000, pruneInterval: 0 })
  await store.create(keyOf('a'), recordOf({ createdAt: NOW - 50, lastSeenAt: NOW - 20 }), NOW + HOUR)
  await store.create(
    keyOf('b'),
    recordOf({ createdAt: NOW - 40, lastSeenAt: NOW, description: '{"agent":"x"}' }),
    NOW + 60
  )
  await store.create(keyOf('c'), recordOf({ createdAt: NOW - 30, lastSeenAt: NOW - 10 }), NOW + HOUR)
  await store.create(keyOf('d'), recordOf({ ownerId: 'ben' }), NOW + HOUR)
  return { store, registry: new OwnerSessions(store, new HandleAliases(), NOBODY) }
}

t.test("list gives an owner's sessions, the last one that was used first, and none of their data", async (t) => {
  const { registry } = await create()
  const sessions = await registry.list('ana', { current: keyOf('c') })
  t.same(
    sessions.map(({ handle, current }) => [handle, current]),
    [
      [keyOf('b'), false],
      [keyOf('c'), true],
      [keyOf('a'), false]
    ]
  )
  t.strictSame(sessions[0], {
    handle: keyOf('b'),
    createdAt: new Date((NOW - 40) * 1000),
    lastSeenAt: new Date(NOW * 1000),
    expiresAt: new Date((NOW + 60) * 1000),
    current: false,
    device: undefined,
    description: { agent: 'x' }
  })
  t.same(sessions[2]?.description, {}, 'without the option describe')
  t.same(await registry.list('nobody'), [])
  t.ok((await registry.list('ana')).every(({ current }) => !current))
})

t.test('list tells the device to which a session is bound, and its last proof', async (t) => {
  const { registry, store } = await create()
  const key = `E${'A'.repeat(86)}`
  const changes = { set: {}, unset: [] }
  await store.commit(keyOf('a'), { ...changes, extensions: `:D1763640000${key}` }, NOW + 60)
  await store.commit(keyOf('b'), { ...changes, extensions: `:D1763640000${key}:p1763640600:v1` }, NOW + 60)
  await store.commit(keyOf('c'), { ...changes, extensions: ':d1763640000' }, NOW + 60)
  const at = (seconds: number): Date => new Date(seconds * 1000)
  const devices = (await registry.list('ana')).map(({ handle, device }) => [handle, device])
  t.same(Object.fromEntries(devices), {
    [keyOf('a')]: { boundAt: at(1_763_640_000), lastProofAt: at(1_763_640_000) },
    [keyOf('b')]: { boundAt: at(1_763_640_000), lastProofAt: at(1_763_640_600) },
    [keyOf('c')]: undefined
  })
})

t.test('revoke ends one session, whether or not there is one', async (t) => {
  const { registry, store } = await create()
  await registry.revoke(keyOf('a'))
  await registry.revoke(keyOf('a'))
  t.equal(await store.load(keyOf('a')), undefined)
  t.equal((await registry.list('ana')).length, 2)
})

t.test('what can be no handle never reaches the store', async (t) => {
  const store = new MemoryStore()
  store.destroy = async () => void t.fail('it did')
  const registry = new OwnerSessions(store, new HandleAliases(), NOBODY)
  for (const handle of ['x', '../../etc/passwd', `${keyOf('a')}\0`, ` ${keyOf('a')}`, keyOf('ä'), 'a'.repeat(10_000)]) {
    await registry.revoke(handle)
  }
  await t.resolves(registry.revoke(`${keyOf('a')}\n`))
})

t.test('revokeAll ends all sessions of an owner but one', async (t) => {
  const { registry, store } = await create()
  t.equal(await registry.revokeAll('ana', { except: keyOf('b') }), 2)
  t.same(
    (await registry.list('ana')).map(({ handle }) => handle),
    [keyOf('b')]
  )
  t.equal(await registry.revokeAll('ana'), 1)
  t.equal(await registry.revokeAll('ana'), 0)
  t.not(await store.load(keyOf('d')), undefined, "another owner's stays")
})

t.test('an owner is the id of a user and a handle is text', async (t) => {
  const { registry } = await create()
  const untyped = registry as unknown as Record<'list' | 'revoke' | 'revokeAll', (value: unknown) => Promise<unknown>>
  for (const [value, shown] of [
    ['', 'a string of 0 characters'],
    ['x'.repeat(256), 'a string of 256 characters'],
    [7, 'a number'],
    [undefined, 'undefined'],
    [{}, 'a object']
  ]) {
    for (const method of ['list', 'revokeAll'] as const) {
      const message = new RegExp(`^${method}\\(\\) takes the id of a user as .*; it got ${shown}\\.`)
      await t.rejects(untyped[method](value), { code: 'ERR_SESSION_VALUE', message })
    }
  }
  for (const value of [7, undefined, {}]) {
    const message = `revoke() takes the handle of a session, which is its id; it got a ${typeof value}.`
    await t.rejects(untyped.revoke(value), { code: 'ERR_SESSION_VALUE', message })
  }
  t.equal((await registry.list('ana')).length, 3)
})

t.test('without a store every method rejects with what to do', async (t) => {
  const registry = new OwnerSessions(undefined, new HandleAliases(), NOBODY)
  const refusal = (method: string) => ({
    code: 'ERR_SESSION_STORE_REQUIRED',
    message: new RegExp(`^${method}\\(\\) needs a store.*Set the option store`)
  })
  await t.rejects(registry.list('ana'), refusal('list'))
  await t.rejects(registry.revoke(keyOf('a')), refusal('revoke'))
  await t.rejects(registry.revokeAll('ana'), refusal('revokeAll'))
  await t.rejects(registry.count(), refusal('count'))
  await t.rejects(registry.entries(), refusal('entries'))
})

t.test('a companion ends with sessions, and before them', async (t) => {
  const { registry, store } = await create()
  const told: unknown[] = []
  const companion: Companion = {
    async endWith(key) {
      told.push([key, (await store.load(key)) !== undefined])
    },
    async endAllOf(ownerId, kept) {
      told.push([ownerId, kept, (await store.list(ownerId)).length])
    },
    leave(request) {
      told.push(request)
    }
  }
  const request = {}
  registry.leave(request)
  registry.join(companion)
  await registry.leave(request)
  await registry.revoke(keyOf('a'))
  await registry.revoke('none')
  await registry.revokeAll('ana', { except: keyOf('b') })
  await registry.revokeAll('ana')
  t.same(told, [request, [keyOf('a'), true], ['ana', keyOf('b'), 2], ['ana', undefined, 1]])
  t.same(await registry.list('ana'), [])
})

t.test('a companion that fails leaves the sessions to the next attempt', async (t) => {
  const { registry } = await create()
  const fail = (): never => {
    throw new Error('down')
  }
  registry.join({ endWith: fail, endAllOf: fail, leave: fail })
  await t.rejects(registry.revoke(keyOf('a')), { message: 'down' })
  await t.rejects(registry.revokeAll('ana'), { message: 'down' })
  t.equal((await registry.list('ana')).length, 3)
})

t.test('it hands out its store', async (t) => {
  const { registry, store } = await create()
  t.equal(registry.store, store)
})

t.test('revoke ends a session that has got a new id since', async (t) => {
  const { store } = await create()
  const successors: Record<string, string[]> = { [keyOf('x')]: [keyOf('y'), keyOf('a')] }
  const registry = new OwnerSessions(store, new HandleAliases(), NOBODY, async (key) => successors[key] ?? [])
  await registry.revoke(keyOf('x'))
  t.equal(await store.load(keyOf('a')), undefined)
  t.equal((await registry.list('ana')).length, 2)
  await registry.revoke(keyOf('b'))
  t.equal((await registry.list('ana')).length, 1)
})

t.test('revoke ends a session that is getting a new id, by each of its handles', async (t) => {
  for (const handle of [keyOf('a'), keyOf('n')]) {
    const { store } = await create()
    const aliases = new HandleAliases()
    aliases.note(keyOf('n'), keyOf('a'))
    // The store knows the new key already. That the old one had another owner leaves no trace between the two.
    await store.create(keyOf('n'), recordOf({ ownerId: 'eve' }), NOW + HOUR)
    await new OwnerSessions(store, aliases, NOBODY).revoke(handle)
    t.equal(await store.load(keyOf('a')), undefined)
    if (handle === keyOf('n')) t.same(await store.list('eve'), [])
  }
})

t.test(
  'a description that was damaged in the store says nothing, and its session can be listed and ended',
  async (t) => {
    const { registry, store } = await create()
    const [handle = ''] = (await registry.list('ana')).map((session) => session.handle)
    const list = store.list.bind(store)
    for (const description of ['{"browser":', '["Firefox"]', 'null', '5']) {
      store.list = (ownerId) => (list(ownerId) as StoredRecord[]).map((record) => ({ ...record, description }))
      t.same(
        new Set((await registry.list('ana')).map((session) => JSON.stringify(session.description))),
        new Set(['{}'])
      )
    }
    const sealed = {
      get description(): string {
        throw unreadableError()
      }
    }
    store.list = (ownerId) =>
      (list(ownerId) as StoredRecord[]).map(({ key }) => Object.assign(Object.create(sealed), { key }))
    t.same((await registry.list('ana'))[0]?.description, {}, 'nor does one that does not open')
    store.list = list
    await registry.revoke(handle)
    t.equal((await registry.list('ana')).length, 2)
  }
)

t.test('it knows the key under which the store has a session', async (t) => {
  const { store } = await create()
  const aliases = new HandleAliases()
  const registry = new OwnerSessions(store, aliases, NOBODY)
  aliases.note(keyOf('n'), keyOf('a'))
  t.equal(registry.keyOf(keyOf('n')), keyOf('a'))
  t.equal(registry.keyOf(keyOf('b')), keyOf('b'))
})

t.test('listeners hear of what ends, also what others announce', async (t) => {
  const { store } = await create()
  const registry = new OwnerSessions(store, new HandleAliases(), new Endings('session', undefined))
  const told: unknown[] = []
  const stop = registry.onEnded(({ handle, ownerId, reason, except }) => told.push([handle, ownerId, reason, except]))
  await registry.revoke(keyOf('a'))
  await registry.revokeAll('ana', { except: keyOf('b') })
  await registry.revokeAll('ben')
  registry.announce(endingOf('x', 'login-ended'))
  stop()
  await registry.revokeAll('ben')
  t.same(told, [
    [keyOf('a'), undefined, 'revoked', []],
    [undefined, 'ana', 'revoked', [keyOf('b')]],
    [undefined, 'ben', 'revoked', []],
    ['x', undefined, 'login-ended', []]
  ])
  t.throws(() => registry.onEnded(undefined as never), { code: 'ERR_SESSION_VALUE', message: /takes a function/ })
})

t.test('a callback is refused at once, before anything ends', async (t) => {
  const { registry, store } = await create()
  const untyped = registry as unknown as Record<'list' | 'revoke' | 'revokeAll', (...values: unknown[]) => unknown>
  const callback = (): void => {}
  const refused = { code: 'ERR_SESSION_VALUE', message: /returns a promise; it takes no callback/ }
  for (const method of ['list', 'revoke', 'revokeAll'] as const) {
    t.throws(() => untyped[method](keyOf('a'), callback), refused, method)
    t.throws(() => untyped[method]('ana', {}, callback), refused, method)
  }
  for (const method of ['count', 'entries', 'revokeEverything'] as const) {
    t.throws(() => registry[method](callback as never), refused, method)
  }
  t.ok(await store.load(keyOf('a')))
})

t.test('sessions in cookies are ended by their handles and owners, and cannot be listed', async (t) => {
  const calls: unknown[] = []
  const note =
    (name: string) =>
    async (...values: unknown[]): Promise<void> =>
      void calls.push([name, ...values])
  const revoker = {
    revoke: note('revoke'),
    revokeOwner: note('revokeOwner'),
    revokeEverything: note('revokeEverything')
  }
  const aliases = new HandleAliases()
  const sessions = new OwnerSessions(undefined, aliases, NOBODY, undefined, revoker)
  aliases.note('new', 'old')
  await sessions.revoke('a')
  await sessions.revoke('new')
  t.same(await sessions.revokeAll('ana'), Number.NaN)
  await sessions.revokeAll('ana', { except: 'a' })
  await sessions.revokeAll('ana', { except: 'new' })
  await sessions.revokeEverything()
  t.same(calls, [
    ['revoke', 'a'],
    ['revoke', 'old'],
    ['revoke', 'new'],
    ['revokeOwner', 'ana', []],
    ['revokeOwner', 'ana', ['a']],
    ['revokeOwner', 'ana', ['old', 'new']],
    ['revokeEverything']
  ])
  const refused = { code: 'ERR_SESSION_STORE_REQUIRED', message: /new MemoryStore\(\)\.$/ }
  await t.rejects(sessions.list('ana'), refused)
  await t.rejects(sessions.count(), refused)
  await t.rejects(sessions.entries(), refused)
  await t.rejects(sessions.revoke(1 as never), { code: 'ERR_SESSION_VALUE' })
  await t.rejects(sessions.revokeAll(''), { code: 'ERR_SESSION_VALUE' })
  t.throws(() => sessions.revokeEverything((() => {}) as never), { code: 'ERR_SESSION_VALUE' })
})

t.test('without a list and without a store, everything ends by another secret', async (t) => {
  const without = new OwnerSessions(undefined, new HandleAliases(), NOBODY)
  await t.rejects(without.revokeEverything(), {
    code: 'ERR_SESSION_REVOCATIONS_REQUIRED',
    message: /needs the option revocations, or a store\. Without them, a new secret/
  })
})

t.test('everything that a store has ends, and who listens is told', async (t) => {
  const { store } = await create()
  const endings = new Endings('session', undefined)
  const told: unknown[] = []
  endings.listen((event) => told.push(event))
  const registry = new OwnerSessions(store, new HandleAliases(), endings)
  await registry.revokeEverything()
  t.equal(store.size, 0)
  t.same(told, [{ cookieName: 'session', ...EVERYTHING }])
})

t.test('if the end of everything fails, nobody is told that it has come', async (t) => {
  const { store } = await create()
  store.destroyEverything = () => {
    throw new Error('down')
  }
  const endings = new Endings('session', undefined)
  endings.listen(() => t.fail('told'))
  await t.rejects(new OwnerSessions(store, new HandleAliases(), endings).revokeEverything(), { message: 'down' })
})

t.test('entries gives the sessions of everybody with their owners, page by page, and count their number', async (t) => {
  const { store } = await create()
  await store.create(keyOf('e'), recordOf({ ownerId: undefined }), NOW + HOUR)
  const aliases = new HandleAliases()
  aliases.note(keyOf('n'), keyOf('b'))
  const registry = new OwnerSessions(store, aliases, NOBODY)
  t.equal(await registry.count(), 5)
  const first = await registry.entries({ limit: 2, current: keyOf('n') })
  t.same(
    first.entries.map(({ handle, ownerId, current }) => [handle, ownerId, current]),
    [
      [keyOf('a'), 'ana', false],
      [keyOf('b'), 'ana', true]
    ]
  )
  t.strictSame(first.entries[1], {
    ...(await registry.list('ana', { current: keyOf('b') }))[0],
    ownerId: 'ana'
  })
  const rest = await registry.entries({ cursor: first.cursor, limit: 10 })
  t.same(
    rest.entries.map(({ handle, ownerId }) => [handle, ownerId]),
    [
      [keyOf('c'), 'ana'],
      [keyOf('d'), 'ben'],
      [keyOf('e'), undefined]
    ]
  )
  t.equal(rest.cursor, undefined)
  t.equal((await registry.entries()).entries.length, 5)
})

t.test('sessions of raw requests are read where there are requests', async (t) => {
  const request = { headers: {} }
  const found = { handle: 'a' } as RawSession
  const aliases = new HandleAliases()
  const registry = new OwnerSessions(undefined, aliases, NOBODY, undefined, undefined, async (given) =>
    given === request ? found : undefined
  )
  t.equal(await registry.ofRaw(request), found)
  t.throws(() => registry.ofRaw(request, () => {}), { code: 'ERR_SESSION_VALUE' })
  t.equal(await new OwnerSessions(undefined, aliases, NOBODY).ofRaw(request), undefined)
})
