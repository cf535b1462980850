import t from 'tap'
import type { Row } from '../../../lib/stores/mysql/record.ts'
import { toRecord } from '../../../lib/stores/mysql/record.ts'

const ROW: Row = {
  key: 'k'.repeat(43),
  data: '{"z":1, "a":"\\u0000"}',
  createdAt: '1763640000',
  lastSeenAt: 1_763_640_001,
  permanent: 1,
  ownerId: 'ada',
  description: '{}',
  extensions: ':v3',
  expiresAt: '1763640002',
  version: '3'
}

t.test('a row is a record, with its data as they were written and numbers as numbers', async (t) => {
  t.same(toRecord(ROW), {
    key: 'k'.repeat(43),
    json: '{"z":1, "a":"\\u0000"}',
    createdAt: 1_763_640_000,
    lastSeenAt: 1_763_640_001,
    permanent: true,
    ownerId: 'ada',
    description: '{}',
    extensions: ':v3',
    expiresAt: 1_763_640_002,
    version: 3
  })
})

t.test('null stands for what a record does not have', async (t) => {
  const nothing = { permanent: 0, ownerId: null, description: null, extensions: null }
  const { permanent, ownerId, description, extensions } = toRecord({ ...ROW, ...nothing })
  t.same([permanent, ownerId, description, extensions], [false, undefined, undefined, undefined])
})
