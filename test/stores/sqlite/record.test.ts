import t from 'tap'
import { encodeOwner, toReadable, toRecord } from '../../../lib/stores/sqlite/record.ts'

const ROW = {
  key: 'k'.repeat(43),
  data: '{"a":1}',
  created_at: 1n,
  last_seen_at: 2,
  permanent: 1n,
  owner: encodeOwner('a\0b\ud800'),
  description: '{}',
  extensions: ':v3',
  expires_at: 3n,
  version: 4
}

t.test('a row is a record, with numbers as numbers', async (t) => {
  t.same(toRecord(ROW), {
    key: 'k'.repeat(43),
    json: '{"a":1}',
    createdAt: 1,
    lastSeenAt: 2,
    permanent: true,
    ownerId: 'a\0b\ud800',
    description: '{}',
    extensions: ':v3',
    expiresAt: 3,
    version: 4
  })
})

t.test('null stands for what a record does not have', async (t) => {
  const nothing = { owner: null, description: null, extensions: null, permanent: 0 }
  const { ownerId, description, extensions, permanent } = toRecord({ ...ROW, ...nothing })
  t.same([ownerId, description, extensions, permanent], [undefined, undefined, undefined, false])
})

t.test('what cannot be read is left out, and a mistake is none of that', async (t) => {
  t.same(toReadable([{ ...ROW, owner: '"' }, ROW]), [toRecord(ROW)])
  t.throws(() => toReadable([null as never]), TypeError)
})
