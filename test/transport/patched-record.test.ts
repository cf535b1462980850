import t from 'tap'
import { MigratedRecord } from '../../lib/transport/migrated-record.ts'
import { changesBetween, PatchedRecord } from '../../lib/transport/patched-record.ts'

const FACTS = {
  id: 'an-id',
  createdAt: 1000,
  lastSeenAt: 2000,
  permanent: true,
  ownerId: 'ana',
  extensions: ':v3',
  referenceExtensions: ':w1',
  json: '{"visits":1,"note":"kept to the letter:  1e3"}'
}

t.test('an envelope with changes is what it was, but for them', async (t) => {
  const changes = { set: { visits: '2', more: '[]' }, unset: [] }
  const envelope = new PatchedRecord(FACTS, changes)
  const { id, createdAt, lastSeenAt, permanent, ownerId, extensions, referenceExtensions } = envelope
  const facts = { id, createdAt, lastSeenAt, permanent, ownerId, extensions, referenceExtensions }
  t.same({ ...facts, json: FACTS.json }, FACTS)
  t.equal(envelope.changes, changes)
  t.equal(envelope.json, '{"visits":2,"note":"kept to the letter:  1e3","more":[]}')
})

t.test('the JSON is made when somebody asks for it, and once', async (t) => {
  let asked = 0
  const set = {
    get visits() {
      asked++
      return '2'
    }
  }
  const envelope = new PatchedRecord(FACTS, { set, unset: [] })
  t.equal(asked, 0, 'nobody has asked')
  const { json } = envelope
  t.match(json, '"visits":2')
  const after = asked
  t.equal(envelope.json, json)
  t.equal(asked, after)
})

t.test('the changes to a record are known, none, or found by comparison', async (t) => {
  const record = { ...FACTS, json: '{"a":1,"b":2}' }
  const changes = { set: { a: '2' }, unset: ['b'] }
  t.equal(changesBetween(record, new PatchedRecord(record, changes)), changes)
  t.same(changesBetween(record, { ...record }), { set: {}, unset: [] })
  t.same(changesBetween(record, { ...record, json: '{"a":2}' }), changes)
})

t.test('of a migrated record only what the request has changed counts', async (t) => {
  const mine = { set: { visits: '2' }, unset: [] }
  t.equal(changesBetween(FACTS, new MigratedRecord({ ...FACTS, json: '{"visits":2,"title":1}' }, mine)), mine)
})
