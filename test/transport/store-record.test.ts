import { createHash } from 'node:crypto'
import t from 'tap'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import { unavailableError, unreadableError } from '../../lib/errors.ts'
import { MemberSeal } from '../../lib/format/sealed-member.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { SealedStore } from '../../lib/stores/sealed.ts'
import { handleOf, keyOf, loadRecord, StoreRecord, UnreadableRecord } from '../../lib/transport/store-record.ts'
import type { MaybePromise, SessionStore, StoredRecord } from '../../types/store.ts'
import { CIPHER, fixedRandom, OLD_SECRET, SECRET } from '../format/samples.ts'

const RECORD = {
  key: 'key of the store',
  json: '{"visits":1}',
  createdAt: 1,
  lastSeenAt: 2,
  permanent: true,
  ownerId: 'ada',
  description: undefined,
  extensions: ':v3',
  expiresAt: 3,
  version: 4
}

t.test('a handle is the SHA-256 of an id', async (t) => {
  t.equal(handleOf('id'), createHash('sha256').update('id').digest('base64url'))
})

t.test('a record from the store has its id and its key, and parses its data when they are read', async (t) => {
  const record = new StoreRecord({ id: 'id', referenceExtensions: ':w1' }, RECORD)
  const { id, key, json, createdAt, lastSeenAt, permanent, ownerId, extensions, referenceExtensions } = record
  t.same(
    { id, key, json, createdAt, lastSeenAt, permanent, ownerId, extensions, referenceExtensions },
    {
      id: 'id',
      key: 'key of the store',
      json: '{"visits":1}',
      createdAt: 1,
      lastSeenAt: 2,
      permanent: true,
      ownerId: 'ada',
      extensions: ':v3',
      referenceExtensions: ':w1'
    }
  )
  t.same(record.data, { visits: 1 })
  t.equal(new StoreRecord({ id: 'id' }, { ...RECORD, extensions: '' }).extensions, undefined)
  t.throws(() => new StoreRecord({ id: 'id' }, { ...RECORD, json: '{' }).data, { code: 'ERR_SESSION_UNREADABLE' })
})

t.test('a record whose values are sealed with an older key is to be sealed again', async (t) => {
  const seal = (secrets: Buffer[]): MemberSeal => new MemberSeal(deriveKeys(secrets, 'member'), fixedRandom(), CIPHER)
  const inner = new MemoryStore({ pruneInterval: 0 })
  const load = (secrets: Buffer[]): StoreRecord =>
    new StoreRecord({ id: 'id' }, new SealedStore(inner, seal(secrets)).load(RECORD.key) as StoredRecord)
  new SealedStore(inner, seal([SECRET])).create(RECORD.key, RECORD, 4_000_000_000)
  t.equal(load([SECRET]).needsRekey, undefined)
  t.match(load([OLD_SECRET, SECRET]), { json: '{"visits":1}', version: 0, needsRekey: true })
  t.equal(new StoreRecord({ id: 'id' }, RECORD).needsRekey, undefined)
})

t.test('a record from the store knows its key; the key of any other is the hash of its id', async (t) => {
  const record = new StoreRecord({ id: 'id' }, RECORD)
  t.equal(keyOf(record), 'key of the store')
  t.equal(keyOf({ ...record, id: 'id' }), handleOf('id'))
})

t.test('what the store cannot read is a record without readable data, as old as its cookie', async (t) => {
  const loadFrom = (load: () => MaybePromise<StoredRecord | undefined>): MaybePromise<unknown> =>
    loadRecord({ load } as unknown as SessionStore, 'key', { id: 'id' }, 'x1abcdef1763640000.rest')
  const damage = unreadableError()
  const outage = unavailableError(undefined)
  const fail = (error: Error) => (): never => {
    throw error
  }
  t.equal(await loadFrom(() => undefined), 'not-found')
  t.match(
    loadFrom(() => RECORD),
    { id: 'id', key: RECORD.key }
  )
  t.match(await loadFrom(async () => RECORD), { id: 'id', key: RECORD.key })
  for (const load of [fail(damage), async () => fail(damage)()]) {
    const record = (await loadFrom(load)) as UnreadableRecord
    t.ok(record instanceof UnreadableRecord)
    t.match(record, { id: 'id', createdAt: 1_763_640_000, lastSeenAt: 1_763_640_000, permanent: false, json: '' })
    t.equal(record.ownerId, undefined)
    t.throws(() => record.data, damage)
  }
  const misspelled = loadFrom(() => ({ ...RECORD, extensions: ':v03' })) as UnreadableRecord
  t.ok(misspelled instanceof UnreadableRecord)
  t.throws(() => misspelled.data, { code: 'ERR_SESSION_UNREADABLE' })
  t.equal(await loadFrom(() => ({ ...RECORD, extensions: ':Xcritical' })), 'unsupported')
  t.throws(() => loadFrom(fail(outage)), outage)
  await t.rejects(loadFrom(async () => fail(outage)()) as Promise<unknown>, outage)
})
