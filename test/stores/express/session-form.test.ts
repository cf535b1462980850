import t from 'tap'
import { readAll, readSession, toSession, toSid } from '../../../lib/stores/express/session-form.ts'

const RECORD = {
  key: 'k'.repeat(43),
  json: '{"a":1}',
  createdAt: 1,
  lastSeenAt: 2,
  permanent: false,
  ownerId: undefined,
  description: undefined,
  extensions: ':v3',
  expiresAt: 3,
  version: 4
}

t.test('a session comes back, as an object, as JSON, and as a row', async (t) => {
  const session = toSession(RECORD, 5000)
  t.match(session, { cookie: { originalMaxAge: 5000, maxAge: 5000, httpOnly: true, path: '/' } })
  const json = JSON.stringify(session)
  for (const form of [session, JSON.parse(json), { sid: 'k', sess: json }, { sid: 'k', sess: JSON.parse(json) }]) {
    t.same(readSession(form), RECORD)
  }
  const nulls = { ...RECORD, ownerId: null, description: null, more: 'of the database' }
  t.same(readSession({ record: nulls }), RECORD)
  t.match(readSession({ record: { ...RECORD, extensions: null } }), { extensions: undefined })
})

t.test('what is not ours is told from what is damaged and from what nobody knows', async (t) => {
  t.equal(readSession({ cookie: {}, userId: 1 }), 'foreign')
  t.equal(readSession({ cookie: {}, record: { artist: 'Nina Simone' } }), 'foreign')
  t.equal(readSession({ sess: '{"cookie":{}}' }), 'foreign')
  t.equal(readSession({ sess: 'hunter2' }), 'damaged')
  t.equal(readSession({ cookie: {}, record: { ...RECORD, createdAt: '2025' } }), 'damaged')
  for (const form of ['{}', 5, null, [], {}, { record: null }, { sid: 'k', data: '{}' }, { sess: 5 }, { sess: '[]' }]) {
    t.equal(readSession(form), 'unrecognised', JSON.stringify(form))
  }
})

t.test('all sessions are an array, an object, or nothing', async (t) => {
  const session = toSession(RECORD, 5000)
  t.same(readAll([session, null, undefined, { cookie: {} }]), [RECORD, 'foreign'])
  t.same(readAll({ k: session, other: {} }), [RECORD, 'unrecognised'])
  t.same(readAll(Object.assign(Object.create(null), { k: session })), [RECORD])
  for (const nothing of [undefined, null, [], {}]) t.same(readAll(nothing), [])
  for (const unknown of [5, '', 'text', true, new Map(), new Set(), () => {}]) t.equal(readAll(unknown), undefined)
})

t.test('the id of a session has 192 bits of its key', async (t) => {
  t.equal(toSid('0123456789abcdefghijklmnopqrstuvwxyzABCDEFG'), '0123456789abcdefghijklmnopqrstuv')
})
