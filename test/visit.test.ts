import type { FastifyRequest } from 'fastify'
import t from 'tap'
import type { OpenEnvelope } from '../lib/codec/envelope.ts'
import type { VisitHost } from '../lib/visit.ts'
import { Visit } from '../lib/visit.ts'

const REQUEST = {} as FastifyRequest
const POLICY = { enabled: true, touch: true }

function createHost(): VisitHost & { calls: string[]; ids: number } {
  const host = {
    permanent: true,
    calls: [] as string[],
    ids: 0,
    now: () => 5000,
    newId: () => `id-${++host.ids}`,
    expiresAt: (createdAt: number, stampedAt: number) => createdAt + stampedAt,
    commit: async () => void host.calls.push('commit'),
    size: () => ({ bytes: 1, limit: 2, keys: {} }),
    setCookieAttributes: () => void host.calls.push('attributes')
  }
  return host
}

const ENVELOPE: OpenEnvelope = {
  id: 'held-id',
  createdAt: 1000,
  stampedAt: 2000,
  permanent: false,
  ownerId: 'ana',
  json: '{"visits":1}',
  data: { visits: 1 }
}

t.test('a new session starts now, with the defaults, and gets its id when someone asks', async (t) => {
  const host = createHost()
  const visit = new Visit(host, REQUEST, POLICY, 'no-cookie', undefined)
  t.match(visit, { isNew: true, createdAt: 5000, stampedAt: 5000, permanent: true, ownerId: undefined, hasData: false })
  t.equal(visit.knownId, undefined)
  t.equal(host.ids, 0)
  t.equal(visit.id, 'id-1')
  t.equal(visit.id, 'id-1')
  t.equal(visit.knownId, 'id-1')
  t.same(visit.envelope(), {
    id: 'id-1',
    createdAt: 5000,
    stampedAt: 5000,
    permanent: true,
    ownerId: undefined,
    json: '{}'
  })
})

t.test('an opened session is what its envelope says', async (t) => {
  const visit = new Visit(createHost(), REQUEST, POLICY, 'opened', ENVELOPE)
  t.match(visit, { isNew: false, createdAt: 1000, stampedAt: 2000, permanent: false, ownerId: 'ana', hasData: true })
  t.equal(visit.id, 'held-id')
  t.equal(visit.session.get('visits'), 1)
  t.equal(visit.expiresAt(), 3000)
})

t.test('restart forgets the old session', async (t) => {
  const visit = new Visit(createHost(), REQUEST, POLICY, 'opened', ENVELOPE)
  visit.restart()
  t.match(visit, { id: 'id-1', isNew: true, createdAt: 5000, stampedAt: 5000, permanent: true, ownerId: undefined })
})

t.test('reload gives what is held, and nothing after destroy', async (t) => {
  const visit = new Visit(createHost(), REQUEST, POLICY, 'opened', ENVELOPE)
  visit.id = 'other'
  visit.restart()
  t.same(await visit.reload(), { visits: 1 })
  t.match(visit, { id: 'held-id', createdAt: 1000, stampedAt: 2000, permanent: false, ownerId: 'ana' })
  visit.status = 'destroyed'
  t.same(await visit.reload(), {})
  t.same(await new Visit(createHost(), REQUEST, POLICY, 'no-cookie', undefined).reload(), {})
})

t.test('everything else is handed to the lifecycle', async (t) => {
  const host = createHost()
  const visit = new Visit(host, REQUEST, POLICY, 'no-cookie', undefined)
  await visit.commit()
  visit.setCookieAttributes({})
  t.same(visit.size(), { bytes: 1, limit: 2, keys: {} })
  t.equal(visit.newId(), 'id-1')
  t.same(host.calls, ['commit', 'attributes'])
})
