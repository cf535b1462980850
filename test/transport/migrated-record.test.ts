import t from 'tap'
import { MigratedRecord } from '../../lib/transport/migrated-record.ts'

t.test('a migrated record has the facts of another, and what the request has changed', async (t) => {
  const facts = {
    id: 'A',
    createdAt: 1,
    lastSeenAt: 2,
    permanent: true,
    ownerId: 'ada',
    extensions: ':v2',
    referenceExtensions: undefined,
    json: '{"visits":1}'
  }
  const mine = { set: { visits: '1' }, unset: [] }
  t.strictSame({ ...new MigratedRecord(facts, mine) }, { ...facts, mine })
})
