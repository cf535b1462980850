import t from 'tap'
import type { Fields } from '../../../lib/stores/redis/commands.ts'
import { toEntry, toField, toFields, toFlag, toKey, toOwner, toRecord } from '../../../lib/stores/redis/record.ts'
import type { SessionRecord } from '../../../types/store.ts'

const NOW = 1_763_640_000
const KEY = 'k'.repeat(43)
const FULL: SessionRecord = {
  json: '{"a":1,"\\ud800":"x","__proto__":{"b":[2]}}',
  createdAt: NOW - 5,
  lastSeenAt: NOW - 1,
  permanent: true,
  ownerId: 'ada\ud800',
  description: '{"browser":"Firefox"}',
  extensions: ':v3'
}
const BARE: SessionRecord = {
  json: '{}',
  createdAt: NOW,
  lastSeenAt: NOW,
  permanent: false,
  ownerId: undefined,
  description: undefined,
  extensions: undefined
}

/** The hash that Redis would answer with. */
function toHash(list: readonly string[], more: Fields = {}): Fields {
  const hash: Record<string, unknown> = Object.create(null)
  for (let index = 0; index < list.length; index += 2) hash[list[index] as string] = list[index + 1]
  return Object.assign(hash, more)
}

t.test('a record is these fields', async (t) => {
  t.same(toFields(FULL, NOW + 9), [
    ...['c', String(NOW - 5), 's', String(NOW - 1), 'e', String(NOW + 9), 'v', '0', 'p', '1'],
    ...['o', '"ada\\ud800"', 'd', '{"browser":"Firefox"}', 'x', ':v3'],
    ...['.a', '1', '.\\ud800', '"x"', '.__proto__', '{"b":[2]}']
  ])
  t.same(toFields(BARE, NOW), ['c', String(NOW), 's', String(NOW), 'e', String(NOW), 'v', '0', 'p', '0'])
})

t.test('a record comes back as it was', async (t) => {
  for (const record of [FULL, BARE]) {
    t.same(toRecord(KEY, toHash(toFields(record, NOW + 9)), NOW), {
      ...record,
      key: KEY,
      expiresAt: NOW + 9,
      version: 0
    })
  }
})

t.test('buffers are read as texts', async (t) => {
  const hash = toHash(toFields(FULL, NOW).map((text, index) => (index % 2 === 0 ? text : (Buffer.from(text) as never))))
  t.same(toRecord(KEY, hash, NOW), { ...FULL, key: KEY, expiresAt: NOW, version: 0 })
})

t.test('what is not live is no record', async (t) => {
  const fields = toFields(FULL, NOW)
  t.not(toRecord(KEY, toHash(fields), NOW), undefined, 'the last second')
  t.equal(toRecord(KEY, toHash(fields), NOW + 1), undefined, 'expired')
  t.equal(toRecord(KEY, toHash(fields, { n: '1' }), NOW), undefined, 'pending')
  t.equal(toRecord(KEY, {}, NOW), undefined, 'missing')
})

t.test('names, owners and flags as text', async (t) => {
  t.equal(toField('a"b'), '.a\\"b')
  t.equal(toOwner('a"b'), '"a\\"b"')
  t.same([toFlag(true), toFlag(false)], ['1', '0'])
})

t.test('an entry of an index holds the key after the time of creation', async (t) => {
  t.equal(toEntry('7', KEY), `7:${KEY}`)
  t.equal(toKey(toEntry('1763640000', KEY)), KEY)
})

t.test('an owner that was damaged in Redis is an error with a code, which does not quote it', async (t) => {
  const hash = toHash(toFields(FULL, NOW), { o: 'hunter2' })
  const error = t.throws(() => toRecord(KEY, hash, NOW), { code: 'ERR_SESSION_UNREADABLE' }) as Error
  t.notMatch(error.message + String(error.cause), 'hunter2')
})

t.test('a fact that was damaged in Redis is an error with a code', async (t) => {
  for (const damage of [{ c: 'hunter2' }, { s: 'hunter2' }, { v: undefined }, { e: '1e999' }, { o: '5' }]) {
    const hash = toHash(toFields(FULL, NOW), damage as unknown as Fields)
    t.throws(() => toRecord(KEY, hash, NOW), { code: 'ERR_SESSION_UNREADABLE' }, JSON.stringify(damage))
  }
})
