import t from 'tap'
import { parseStored } from '../../../lib/data/storable.ts'
import type { Row } from '../../../lib/stores/postgres/record.ts'
import { toArray, toData, toName, toRecord } from '../../../lib/stores/postgres/record.ts'

const ROW: Row = {
  key: 'k'.repeat(43),
  data: '{"a": "1", "\\\\ud800": "{\\"z\\":1,\\"a\\":\\"\\\\u0000\\"}"}',
  createdAt: '1763640000',
  lastSeenAt: 1_763_640_001,
  permanent: true,
  ownerId: 'ada',
  description: '{}',
  extensions: ':v3',
  expiresAt: '1763640002',
  version: 3
}

t.test('members are written with their JSON as text', async (t) => {
  t.equal(toData([]), '{}')
  t.equal(
    toData([
      ['a', '1'],
      ['\ud800', '{"z":1,"a":"\\u0000"}'],
      ['a"b\0', '"x"']
    ]),
    '{"a":"1","\\\\ud800":"{\\"z\\":1,\\"a\\":\\"\\\\u0000\\"}","a\\\\\\"b\\\\u0000":"\\"x\\""}'
  )
  t.equal(toName('a"b\0'), 'a\\"b\\u0000')
})

t.test('an array is written as PostgreSQL writes it', async (t) => {
  t.equal(toArray([]), '{}')
  t.equal(toArray(['a', 'b,c', 'd"e', 'f\\g', 'NULL', '']), '{"a","b,c","d\\"e","f\\\\g","NULL",""}')
})

t.test('a row is a record, with members as they were written and numbers as numbers', async (t) => {
  t.same(toRecord(ROW), {
    key: 'k'.repeat(43),
    json: '{"a":1,"\\ud800":{"z":1,"a":"\\u0000"}}',
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
  const nothing = { ownerId: null, description: null, extensions: null }
  const { ownerId, description, extensions } = toRecord({ ...ROW, ...nothing })
  t.same([ownerId, description, extensions], [undefined, undefined, undefined])
})

t.test('a column with other JSON than an object of texts is a record that the plugin cannot read', async (t) => {
  for (const data of ['null', '5', '["admin"]', '"admin"', '{"role":"admin"}', '{"role":{"a":1}}']) {
    const { json } = toRecord({ ...ROW, data })
    t.throws(() => parseStored(json), { code: 'ERR_SESSION_UNREADABLE' }, data)
  }
})
