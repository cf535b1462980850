import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { goneError } from '../../lib/errors.ts'
import type { IdentifiedRecord, LoadedRecord } from '../../lib/format/record.ts'
import type { SessionHost } from '../../lib/request/state.ts'
import { SessionState } from '../../lib/request/state.ts'
import type { PatchedRecord } from '../../lib/transport/patched-record.ts'

interface FakeHost extends SessionHost {
  calls: string[]
  ids: number
  /** What the store has. */
  kept: IdentifiedRecord | undefined
}

const REQUEST = {} as FastifyRequest
const POLICY = { enabled: true, touch: true, anonymousOnStoreError: false }

function createHost(): FakeHost {
  const host: FakeHost = {
    permanent: true,
    calls: [],
    ids: 0,
    kept: ENVELOPE,
    now: () => 5000,
    newId: () => `id-${++host.ids}`,
    noteRename: () => {},
    end: async () => void host.calls.push('end'),
    handleOf: (id) => `handle of ${id}`,
    isShared: (visit) => visit.held !== undefined,
    amend: async (_visit, change) => {
      const data = { visits: 5 }
      await change(data)
      return data
    },
    latest: async () => {
      if (host.kept === undefined) throw goneError()
      return host.kept
    },
    expiresAt: (createdAt: number, lastSeenAt: number) => createdAt + lastSeenAt,
    commit: async () => void host.calls.push('commit'),
    size: () => ({ bytes: 1, limit: 2, keys: {} }),
    setCookieAttributes: () => void host.calls.push('attributes')
  }
  return host
}

const ENVELOPE: LoadedRecord = {
  id: 'held-id',
  createdAt: 1000,
  lastSeenAt: 2000,
  permanent: false,
  ownerId: 'ana',
  json: '{"visits":1}',
  data: { visits: 1 }
}

/** What is kept of a session that was opened, with these data. */
function facts(json: string): IdentifiedRecord {
  const { id, createdAt, lastSeenAt, permanent, ownerId } = ENVELOPE
  return { id, createdAt, lastSeenAt, permanent, ownerId, json }
}

t.test('a new session starts now, with the defaults, and gets its id when someone asks', async (t) => {
  const host = createHost()
  const visit = new SessionState(host, REQUEST, POLICY, 'no-cookie', undefined)
  t.match(visit, {
    isNew: true,
    createdAt: 5000,
    lastSeenAt: 5000,
    permanent: true,
    ownerId: undefined,
    hasData: false
  })
  t.equal(visit.knownHandle, undefined)
  t.equal(host.ids, 0)
  t.equal(visit.id, 'id-1')
  t.equal(visit.id, 'id-1')
  t.equal(visit.handle, 'handle of id-1')
  t.equal(visit.knownHandle, 'handle of id-1')
  t.equal(visit.isShared, false)
  t.same(visit.envelope(), {
    id: 'id-1',
    createdAt: 5000,
    lastSeenAt: 5000,
    permanent: true,
    ownerId: undefined,
    json: '{}'
  })
})

t.test('the data are compared with those that came, until others were sent', async (t) => {
  const visit = new SessionState(createHost(), REQUEST, POLICY, 'opened', ENVELOPE)
  t.equal(visit.compare(), false)
  t.equal(visit.hasSession, false, 'nobody looked, so nobody has to')
  t.equal(visit.session.get('visits'), 1)
  t.equal(visit.compare(), false)
  t.same(visit.envelope(), facts('{"visits":1}'))
  visit.session.set('visits', 2)
  t.equal(visit.compare(), true)
  const { id, createdAt, lastSeenAt, permanent, ownerId, json, ...more } = visit.envelope() as PatchedRecord
  t.same({ id, createdAt, lastSeenAt, permanent, ownerId, json }, facts('{"visits":2}'))
  t.same(more, { changes: { set: { visits: '2' }, unset: [] } })
  visit.session.set('more', 1)
  t.equal(visit.compare(), true)
  t.same(visit.envelope(), facts('{"visits":2,"more":1}'))
  visit.held = visit.envelope()
  t.equal(visit.compare(), false)
  t.same(visit.envelope(), facts('{"visits":2,"more":1}'))
  visit.session.set('visits', 3)
  t.equal(visit.compare(), true)
  t.same(visit.envelope(), facts('{"visits":3,"more":1}'), 'compared with what was sent by its JSON')
  t.equal(new SessionState(createHost(), REQUEST, POLICY, 'no-cookie', undefined).compare(), true)
})

t.test('a session is empty when it has no data, however that is found out', async (t) => {
  const isEmpty = (visit: SessionState): boolean => {
    visit.compare()
    return visit.isEmpty
  }
  const opened = new SessionState(createHost(), REQUEST, POLICY, 'opened', ENVELOPE)
  t.equal(isEmpty(opened), false)
  opened.session.delete('visits')
  t.equal(isEmpty(opened), true)
  const hollow = { ...ENVELOPE, json: '{}', data: {} }
  t.equal(isEmpty(new SessionState(createHost(), REQUEST, POLICY, 'opened', hollow)), true)
  const fresh = new SessionState(createHost(), REQUEST, POLICY, 'no-cookie', undefined)
  t.equal(isEmpty(fresh), true)
  fresh.session.set('visits', 1)
  t.equal(isEmpty(fresh), false)
})

t.test('what JSON cannot hold is refused, where it may have come in since the session was opened', async (t) => {
  const refused = { code: 'ERR_SESSION_VALUE' }
  const nested = { user: { name: 'Ann', more: null as unknown }, list: [1], on: true }
  const open = (): SessionState => {
    const data = structuredClone(nested)
    return new SessionState(createHost(), REQUEST, POLICY, 'opened', { ...ENVELOPE, json: JSON.stringify(data), data })
  }
  const check = (hasChanged: boolean, change: (data: typeof nested & { more?: unknown }) => unknown): (() => void) => {
    const visit = open()
    change(visit.session as unknown as typeof nested)
    visit.compare()
    return () => visit.assertStorable(hasChanged)
  }
  const nobodyLooked = open()
  nobodyLooked.compare()
  t.doesNotThrow(() => nobodyLooked.assertStorable(true))
  t.equal(nobodyLooked.hasSession, false)
  t.doesNotThrow(check(true, (data) => Object.assign(data.user, { name: 'Ben' })))
  const behindChange = check(true, (data) => Object.assign(data.user, { name: 'Ben', more: () => 1 }))
  t.throws(behindChange, { ...refused, message: /^session\.user\.more holds a function/ })
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
      'nor when another member has changed'
    )
  }
})

t.test('an opened session is what its envelope says', async (t) => {
  const visit = new SessionState(createHost(), REQUEST, POLICY, 'opened', ENVELOPE)
  t.match(visit, { isNew: false, createdAt: 1000, lastSeenAt: 2000, permanent: false, ownerId: 'ana' })
  t.match(visit, { hasSession: false, hasData: false }, 'the object waits until somebody looks')
  t.equal(visit.id, 'held-id')
  t.equal(visit.isShared, true)
  t.equal(visit.session.get('visits'), 1)
  t.match(visit, { hasSession: true, hasData: true })
  t.equal(visit.session, visit.session)
  t.equal(visit.expiresAt(), 3000)
})

t.test('the data are read when somebody looks, and once', async (t) => {
  let read = 0
  const envelope: LoadedRecord = {
    ...ENVELOPE,
    get data() {
      read++
      return { visits: 1 }
    }
  }
  const visit = new SessionState(createHost(), REQUEST, POLICY, 'opened', envelope)
  const before = read
  t.same([visit.session.data(), visit.session.data()], [{ visits: 1 }, { visits: 1 }])
  t.equal(read - before, 1)
})

t.test('restart forgets the old session', async (t) => {
  const visit = new SessionState(createHost(), REQUEST, POLICY, 'opened', ENVELOPE)
  visit.restart()
  t.match(visit, { id: 'id-1', isNew: true, createdAt: 5000, lastSeenAt: 5000, permanent: true, ownerId: undefined })
  t.equal(visit.restarted, true)
  t.equal(visit.replaced, ENVELOPE)
})

t.test('only a session that began anew takes the place of another', async (t) => {
  const visit = new SessionState(createHost(), REQUEST, POLICY, 'opened', ENVELOPE)
  t.equal(visit.replaced, undefined)
  visit.renew()
  t.equal(visit.replaced, undefined)
  const fresh = new SessionState(createHost(), REQUEST, POLICY, 'no-cookie', undefined)
  fresh.restart()
  t.equal(fresh.replaced, undefined)
})

t.test('a member that the session cannot hold leaves the comparison to JSON', async (t) => {
  const json = '{"__proto__":1,"visits":1}'
  const envelope: LoadedRecord = { ...ENVELOPE, json, data: JSON.parse(json) }
  const visit = new SessionState(createHost(), REQUEST, POLICY, 'opened', envelope)
  t.equal(visit.session.get('visits'), 1)
  visit.session.set('visits', 2)
  t.equal(visit.compare(), true)
  t.same(visit.envelope(), facts('{"visits":2}'))
})

t.test('renew changes the id and nothing else', async (t) => {
  const visit = new SessionState(createHost(), REQUEST, POLICY, 'opened', ENVELOPE)
  visit.renew()
  t.match(visit, { id: 'id-1', isNew: false, createdAt: 1000, lastSeenAt: 2000, ownerId: 'ana', restarted: false })
})

t.test('another owner, or none, gets another id, and the same owner keeps it', async (t) => {
  const visit = new SessionState(createHost(), REQUEST, POLICY, 'opened', ENVELOPE)
  visit.setOwner('ana')
  t.match(visit, { id: 'held-id', ownerId: 'ana' })
  visit.setOwner('ben')
  t.match(visit, { id: 'id-1', ownerId: 'ben' })
  visit.setOwner(undefined)
  t.match(visit, { id: 'id-2', ownerId: undefined })
  visit.setOwner(undefined)
  t.equal(visit.id, 'id-2')
})

t.test('reload gives what is kept now, and nothing after destroy', async (t) => {
  const host = createHost()
  const visit = new SessionState(host, REQUEST, POLICY, 'opened', ENVELOPE)
  visit.restart()
  t.same(await visit.reload(), { visits: 1 })
  t.match(visit, { id: 'held-id', createdAt: 1000, ownerId: 'ana', permanent: false, restarted: false })
  t.match(visit, { isNew: false, replaced: undefined }, 'what began anew was given up')
  host.kept = { ...ENVELOPE, lastSeenAt: 7000, permanent: true, json: '{"visits":3}' }
  t.same(await visit.reload(), { visits: 3 })
  t.match(visit, { held: host.kept, lastSeenAt: 7000, permanent: true })
  visit.status = 'destroyed'
  t.same(await visit.reload(), {})
  const fresh = new SessionState(createHost(), REQUEST, POLICY, 'no-cookie', undefined)
  fresh.setOwner('ana')
  fresh.permanent = false
  t.same(await fresh.reload(), {})
  t.match(fresh, { ownerId: undefined, permanent: true }, 'a new session had neither')
})

t.test('reload does not take back what this request has noted as activity', async (t) => {
  const visit = new SessionState(createHost(), REQUEST, POLICY, 'opened', ENVELOPE)
  visit.lastSeenAt = 5000
  await visit.reload()
  t.equal(visit.lastSeenAt, 5000)
})

t.test('reload of a session that was ended fails', async (t) => {
  const host = createHost()
  const visit = new SessionState(host, REQUEST, POLICY, 'opened', ENVELOPE)
  host.kept = undefined
  await t.rejects(visit.reload(), { code: 'ERR_SESSION_GONE', statusCode: 409 })
})

t.test('a loss is told once', async (t) => {
  const visit = new SessionState(createHost(), REQUEST, POLICY, 'opened', ENVELOPE)
  let told = 0
  for (let count = 0; count < 3; count++) visit.warnOnce(() => void told++)
  t.equal(told, 1)
})

t.test('everything else is handed to the lifecycle', async (t) => {
  const host = createHost()
  const visit = new SessionState(host, REQUEST, POLICY, 'no-cookie', undefined)
  await visit.commit()
  visit.setCookieAttributes({})
  t.same(visit.size(), { bytes: 1, limit: 2, keys: {} })
  const amended = await visit.amend(async (data) => {
    data.name = 'Ana'
  })
  t.same(amended, { visits: 5, name: 'Ana' })
  t.same(host.calls, ['commit', 'attributes'])
})

t.test('to end a session is the business of whoever keeps it', async (t) => {
  const host = createHost()
  await new SessionState(host, REQUEST, POLICY, 'opened', ENVELOPE).end()
  t.same(host.calls, ['end'])
})
