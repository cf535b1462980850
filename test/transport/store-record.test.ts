import { createHash } from 'node:crypto'
import t from 'tap'
import { handleOf, keyOf, StoreRecord } from '../../lib/transport/store-record.ts'

const RECORD = {
  key: 'key of the store',
  json: '{"visits":1}',
  createdAt: 1,
  lastSeenAt: 2,
  permanent: true,
  ownerId: 'ada',
  description: undefined,
  expiresAt: 3,
  version: 4
}

t.test('a handle is the SHA-256 of an id', async (t) => {
  t.equal(handleOf('id'), createHash('sha256').update('id').digest('base64url'))
})

t.test('a record from the store has its id and its key, and parses its data when they are read', async (t) => {
  const record = new StoreRecord('id', RECORD)
  const { id, key, json, createdAt, lastSeenAt, permanent, ownerId } = record
  t.same(
    { id, key, json, createdAt, lastSeenAt, permanent, ownerId },
    {
      id: 'id',
      key: 'key of the store',
      json: '{"visits":1}',
      createdAt: 1,
      lastSeenAt: 2,
      permanent: true,
      ownerId: 'ada'
    }
  )
  t.same(record.data, { visits: 1 })
  t.throws(() => new StoreRecord('id', { ...RECORD, json: '{' }).data, SyntaxError)
})

t.test('a record from the store knows its key; the key of any other is the hash of its id', async (t) => {
  const record = new StoreRecord('id', RECORD)
  t.equal(keyOf(record), 'key of the store')
  t.equal(keyOf({ ...record, id: 'id' }), handleOf('id'))
})
