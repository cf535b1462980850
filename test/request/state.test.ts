import type { FastifyRequest } from 'fastify'
import t from 'tap'
import type { LoadedRecord } from '../../lib/format/record.ts'
import { assertChangesStorable, detectChanges, toRecord } from '../../lib/request/changes.ts'
import { DeviceGate } from '../../lib/request/device-gate.ts'
import type { SessionIds } from '../../lib/request/ids.ts'
import { SessionState } from '../../lib/request/state.ts'
import { PatchedRecord } from '../../lib/transport/patched-record.ts'

const REQUEST = {} as FastifyRequest
const POLICY = { enabled: true, touch: true, anonymousOnStoreError: false, deviceOptional: false }
const NOW = 5000

const RECORD: LoadedRecord = {
  id: 'loaded-id',
  createdAt: 1000,
  lastSeenAt: 2000,
  permanent: false,
  ownerId: 'ana',
  extensions: ':v3',
  json: '{"visits":1}',
  data: { visits: 1 }
}

/** Ids one after another, and what was said of them. */
function createIds(): SessionIds & { readonly calls: string[] } {
  const calls: string[] = []
  let count = 0
  const ids = {
    calls,
    next: (replaced: string | undefined) => {
      calls.push(`next in place of ${replaced}`)
      return `id-${++count}`
    },
    saved: (id: string) => void calls.push(`saved ${id}`),
    handleOf: (id: string) => `handle of ${id}`
  }
  return ids as unknown as SessionIds & { readonly calls: string[] }
}

function load(record: LoadedRecord | undefined = RECORD, due = {}): { state: SessionState; ids: { calls: string[] } } {
  const ids = createIds()
  const found = {
    reason: 'opened',
    record,
    losers: [],
    needsRekey: false,
    isDue: false,
    isStale: false,
    provedAt: undefined,
    lostKey: undefined,
    ...due
  } as const
  return {
    state: new SessionState(
      REQUEST,
      POLICY,
      found,
      { ids, permanent: true, extensions: undefined, device: new DeviceGate() },
      NOW
    ),
    ids
  }
}

/** What the loader finds in a request without a cookie. */
const NO_COOKIE = {
  reason: 'no-cookie',
  record: undefined,
  losers: [],
  needsRekey: false,
  isDue: false,
  isStale: false,
  provedAt: undefined,
  lostKey: undefined
} as const

function begin(): SessionState {
  return new SessionState(
    REQUEST,
    POLICY,
    NO_COOKIE,
    { ids: createIds(), permanent: true, extensions: undefined, device: new DeviceGate() },
    NOW
  )
}

/** The same session after its first access. */
function access(state: SessionState): SessionState & { session: Record<string, unknown> } {
  state.access()
  const data = state.loaded?.data
  state.expose({ ...data }, data)
  return state as SessionState & { session: Record<string, unknown> }
}

t.test('a new session begins now, with the defaults, and gets its id when it is first needed', async (t) => {
  const ids = createIds()
  const state = new SessionState(
    REQUEST,
    POLICY,
    NO_COOKIE,
    { ids, permanent: true, extensions: undefined, device: new DeviceGate() },
    NOW
  )
  t.match(state, { isNew: true, createdAt: NOW, lastSeenAt: NOW, permanent: true, ownerId: undefined, hasNewId: false })
  t.equal(state.knownHandle, undefined)
  t.same(ids.calls, [])
  t.equal(state.id, 'id-1')
  t.equal(state.id, 'id-1')
  t.equal(state.handle, 'handle of id-1')
  t.equal(state.knownHandle, 'handle of id-1')
  t.same(ids.calls, ['next in place of undefined'])
})

t.test('a loaded session is what its record says', async (t) => {
  const { state } = load()
  t.match(state, { isNew: false, createdAt: 1000, lastSeenAt: 2000, permanent: false, ownerId: 'ana', id: 'loaded-id' })
  t.match(state, { touched: false, needsRekey: false, accessed: false, hasNewId: false, persisted: RECORD })
})

t.test('activity that is due is noted, and never takes back a later one', async (t) => {
  t.match(load(RECORD, { isDue: true }).state, { touched: true, lastSeenAt: NOW })
  const later = { ...RECORD, lastSeenAt: NOW + 30 }
  t.match(load(later, { isDue: true }).state, { touched: true, lastSeenAt: NOW + 30 })
})

t.test('extensions are those of the record, and a new session has none', async (t) => {
  const record = { ...RECORD, referenceExtensions: ':w1' }
  const { state } = load(record)
  t.match(state, { extensions: ':v3', referenceExtensions: ':w1' })
  state.renew()
  t.match(state, { extensions: ':v3', referenceExtensions: ':w1' })
  state.regenerate(6000, true)
  t.match(state, { extensions: undefined, referenceExtensions: undefined })
  state.reloaded(record)
  t.match(state, { extensions: ':v3', referenceExtensions: ':w1' })
  state.transacted(record, { ...record, extensions: ':v4' })
  t.equal(state.extensions, ':v4', 'as another request has set them')
  state.transacted(record, { ...record, extensions: ':v5' })
  t.equal(state.extensions, ':v4', 'this one had changed them itself')
})

t.test('renew changes the id and nothing else', async (t) => {
  const { state, ids } = load()
  state.renew()
  t.match(state, { id: 'id-1', hasNewId: true, isNew: false, createdAt: 1000, lastSeenAt: 2000, ownerId: 'ana' })
  t.equal(state.regenerated, false)
  t.same(ids.calls, ['next in place of loaded-id'])
})

t.test('data that go on in a new session keep their version, which nobody has judged then', async (t) => {
  const { state } = load()
  state.regenerate(6000, false, true)
  t.equal(state.extensions, ':v3-')
  state.regenerate(7000, false)
  t.equal(state.extensions, undefined)
})

t.test('regenerate begins a new session in the place of the old one', async (t) => {
  const { state } = load()
  state.regenerate(6000, false)
  t.match(state, { id: 'id-1', isNew: true, regenerated: true, createdAt: 6000, lastSeenAt: 6000 })
  t.match(state, { permanent: true, ownerId: undefined, persisted: RECORD })
})

t.test('another owner, or none, gets another id, and the same owner keeps it', async (t) => {
  const { state } = load()
  state.setOwner('ana')
  t.match(state, { id: 'loaded-id', ownerId: 'ana' })
  state.setOwner('ben')
  t.match(state, { id: 'id-1', ownerId: 'ben' })
  state.setOwner(undefined)
  t.match(state, { id: 'id-2', ownerId: undefined })
  state.setOwner(undefined)
  t.equal(state.id, 'id-2')
})

t.test('reloaded: the record takes the place of what the request changed, but for its activity', async (t) => {
  const { state } = load()
  state.regenerate(6000, true)
  state.reloaded({ ...RECORD, permanent: true, extensions: undefined })
  t.match(state, {
    id: 'loaded-id',
    createdAt: 1000,
    lastSeenAt: 6000,
    ownerId: 'ana',
    permanent: true,
    extensions: undefined
  })
  t.match(state, { regenerated: false, isNew: false, hasNewId: false })
})

t.test('transacted: what the request left alone is as another one has set it', async (t) => {
  const written = { ...RECORD, json: '{"visits":2}', permanent: true, lastSeenAt: 3000 }
  const { state } = load()
  state.transacted(RECORD, written)
  t.match(state, { persisted: written, permanent: true, lastSeenAt: 3000 })
  const mine = load().state
  mine.setPermanent(true)
  mine.transacted(RECORD, RECORD)
  t.equal(mine.permanent, true)
})

t.test('saved: the record is what the transport has, and nothing is due any more', async (t) => {
  const { state, ids } = load(RECORD, { isDue: true, needsRekey: true })
  state.renew()
  const record = toRecord(state, detectChanges(state))
  state.saved(record, RECORD)
  t.match(state, { persisted: record, touched: false, needsRekey: false, regenerated: false, hasNewId: false })
  t.same(ids.calls, ['next in place of loaded-id', 'saved id-1'])
})

t.test('saved: what an update() has written in the meantime stays', async (t) => {
  const { state } = load()
  const mine = { ...RECORD, json: '{"visits":2}' }
  state.transacted(RECORD, { ...RECORD, json: '{"visits":1,"name":"Ana"}' })
  state.saved(mine, RECORD)
  t.equal(state.persisted?.json, '{"visits":2,"name":"Ana"}')
})

t.test('ended and emptied: the transport has nothing any more, and what follows is another session', async (t) => {
  const { state } = load()
  state.destroy()
  state.ended('copied')
  t.match(state, { isDestroyed: true, persisted: undefined, ending: { copyStillOpens: true } })
  const other = load()
  other.state.ended('ended')
  other.state.renew()
  t.match(other.state, { id: 'id-1', persisted: undefined, isDestroyed: false })
  t.same(other.ids.calls, ['next in place of undefined'])
})

t.test('a warning comes once', async (t) => {
  const { reply } = load().state
  let count = 0
  for (let round = 0; round < 3; round++) reply.warnOnce(() => void count++)
  t.equal(count, 1)
})

t.test('the data are compared with those that were loaded, until others are saved', async (t) => {
  const state = access(load().state)
  t.match(detectChanges(state), { hasChanged: false, isEmpty: false, keys: [] })
  state.session.visits = 2
  const changes = detectChanges(state)
  t.match(changes, { hasChanged: true, isEmpty: false, keys: ['visits'] })
  const record = toRecord(state, changes)
  t.type(record, PatchedRecord)
  t.equal(record.json, '{"visits":2}')
  state.session.more = 1
  t.match(detectChanges(state), { hasChanged: true, keys: undefined, json: '{"visits":2,"more":1}' })
  state.saved(toRecord(state, detectChanges(state)), RECORD)
  t.match(detectChanges(state), { hasChanged: false, keys: undefined })
  state.session.visits = 3
  t.match(detectChanges(state), { hasChanged: true, keys: undefined, json: '{"visits":3,"more":1}' })
})

t.test('a session that was never accessed has not changed', async (t) => {
  t.match(detectChanges(load().state), { hasChanged: false, isEmpty: false, keys: [] })
  t.match(detectChanges(begin()), { isEmpty: true, json: '{}' })
  const { state } = load()
  t.same(toRecord(state, detectChanges(state)).json, RECORD.json)
})

t.test('a session that was destroyed, or whose route has none, is not compared', async (t) => {
  const state = access(load().state)
  state.session.self = state.session
  t.throws(() => detectChanges(state), { code: 'ERR_SESSION_VALUE' })
  state.destroy()
  t.match(detectChanges(state), { hasChanged: false })
})

t.test('a session is empty if it has no data, however that is found out', async (t) => {
  const isEmpty = (state: SessionState): boolean => detectChanges(state).isEmpty
  const loaded = access(load().state)
  t.equal(isEmpty(loaded), false)
  delete loaded.session.visits
  t.equal(isEmpty(loaded), true)
  t.equal(isEmpty(access(load({ ...RECORD, json: '{}', data: {} }).state)), true)
  const fresh = access(begin())
  t.equal(isEmpty(fresh), true)
  fresh.session.visits = 1
  t.equal(isEmpty(fresh), false)
})

t.test('a loaded member that a session cannot hold leaves the comparison to JSON', async (t) => {
  const json = '{"__proto__":1,"visits":1}'
  const { state } = load({ ...RECORD, json, data: JSON.parse(json) })
  state.access()
  const session: Record<string, unknown> = { visits: 1 }
  state.expose(session, state.loaded?.data)
  session.visits = 2
  t.match(detectChanges(state), { hasChanged: true, keys: undefined, json: '{"visits":2}' })
})

t.test(
  'data that JSON cannot hold are refused, wherever they may have come in since the session was loaded',
  async (t) => {
    const refused = { code: 'ERR_SESSION_VALUE' }
    const nested = { user: { name: 'Ann', more: null as unknown }, list: [1], on: true }
    const check = (isToBeSaved: boolean, change: (data: typeof nested & { more?: unknown }) => unknown) => () => {
      const data = structuredClone(nested)
      const state = access(load({ ...RECORD, json: JSON.stringify(data), data }).state)
      change(state.session as typeof nested)
      assertChangesStorable(state, detectChanges(state), isToBeSaved)
    }
    const { state } = load()
    t.doesNotThrow(() => assertChangesStorable(state, detectChanges(state), true), 'a session that was never accessed')
    t.doesNotThrow(check(true, (data) => Object.assign(data.user, { name: 'Ben' })))
    const behindChange = check(true, (data) => Object.assign(data.user, { name: 'Ben', more: () => 1 }))
    t.throws(behindChange, { ...refused, cause: { message: /^session\.user\.more holds a function/ } })
    t.throws(
      check(true, (data) => Object.assign(data, { more: { deep: () => 1 } })),
      refused
    )
    t.throws(
      check(false, (data) => Object.assign(data, { more: () => 1 })),
      refused
    )
    t.doesNotThrow(check(false, (data) => Object.assign(data, { more: undefined })))
    class User {}
    const hidden: readonly ((data: typeof nested) => unknown)[] = [
      (data) => Object.assign(data.list, { total: 1 }),
      (data) => Object.setPrototypeOf(data.user, User.prototype)
    ]
    for (const hide of hidden) {
      t.throws(check(false, hide), refused, 'what is not in the JSON')
      t.throws(
        check(true, (data) => [hide(data), Object.assign(data, { on: false })]),
        refused,
        'nor if another member has changed'
      )
    }
  }
)
