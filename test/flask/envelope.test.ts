import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { fromFlask, toFlask } from '../../lib/flask/envelope.ts'
import { tag } from '../../lib/flask/tags.ts'
import type { IdentifiedRecord, LoadedRecord } from '../../lib/format/record.ts'
import { isReserved } from '../../lib/request/session.ts'
import { anyCharacter } from '../helpers/any-character.ts'

const NOW = 1_795_176_000
const COOKIE = 'a cookie of Flask'
const RESERVED = { code: 'ERR_SESSION_RESERVED_KEY' }

const RECORD: IdentifiedRecord = {
  id: 'AQIDBAUGBwgJCgsMDQ4PEA',
  createdAt: NOW - 3600,
  lastSeenAt: NOW - 30,
  permanent: false,
  ownerId: undefined,
  extensions: undefined,
  json: '{"n":1}'
}

function open(text: string): LoadedRecord {
  const record = fromFlask(text, NOW, COOKIE)
  if (typeof record === 'string') throw new Error(record)
  return record
}

/** What Flask gets after a change of ours. */
function write(record: LoadedRecord, data: object): Record<string, unknown> {
  const { _fts, ...others } = JSON.parse(toFlask({ ...record, json: JSON.stringify(data) }))
  return others
}

t.test('what Flask does not know stands under one key', (t) => {
  t.equal(toFlask(RECORD), '{"n":1,"_fts":"17951724000AQIDBAUGBwgJCgsMDQ4PEA"}')
  t.equal(
    toFlask({ ...RECORD, extensions: ':v3', permanent: true, ownerId: 'ana"' }),
    '{"n":1,"_fts":"17951724000AQIDBAUGBwgJCgsMDQ4PEA:v3","_permanent":true,"_user_id":"ana\\""}'
  )
  t.end()
})

t.test('a record comes back', (t) => {
  const name = fc.string({ unit: anyCharacter }).filter((name) => !isReserved(name))
  const data = fc.dictionary(name, fc.jsonValue({ stringUnit: anyCharacter }))
  const ownerId = fc.option(fc.string({ minLength: 1, maxLength: 20 }), { nil: undefined })
  fc.assert(
    fc.property(data, ownerId, fc.boolean(), (data, ownerId, permanent) => {
      const json = JSON.stringify(data)
      const { data: found, extensions, ...facts } = open(toFlask({ ...RECORD, ownerId, permanent, json }))
      const expected = { ...RECORD, lastSeenAt: NOW, ownerId, permanent, json, extensions }
      return isDeepStrictEqual({ found, ...facts, extensions }, { found: JSON.parse(json), ...expected })
    }),
    { seed: 3, numRuns: 300 }
  )
  t.pass('for 300 records')
  t.end()
})

t.test('a session that Flask has begun has an id of its cookie, and begins when that was signed', (t) => {
  const record = open('{"n":1}')
  t.match(record, { createdAt: NOW, lastSeenAt: NOW, permanent: false, ownerId: undefined, json: '{"n":1}' })
  t.match(record.id, /^[\w-]{22}$/)
  t.equal(open('{"n":2}').id, record.id)
  t.not((fromFlask('{"n":1}', NOW, 'another') as LoadedRecord).id, record.id)
  for (const facts of ['1', 'null', '{}', '[]']) t.equal(open(`{"_fts":${facts}}`).id, record.id)
  t.end()
})

t.test('facts that are damaged, or of a newer version, open nothing', (t) => {
  t.equal(fromFlask('{"_fts":"x"}', NOW, COOKIE), 'malformed')
  t.equal(fromFlask('{"_fts":"17951724000AQIDBAUGBwgJCgsMDQ4PEA:Xnew"}', NOW, COOKIE), 'unsupported')
  for (const text of ['', '[]', '1', 'null', '"{}"', '{', '{"n":NaN}', '{} {}']) {
    t.equal(fromFlask(text, NOW, COOKIE), 'malformed', text)
  }
  t.end()
})

t.test('permanent is what is true in Python', (t) => {
  for (const value of ['true', '1', '"no"', '[0]']) t.equal(open(`{"_permanent":${value}}`).permanent, true, value)
  for (const value of ['false', '0', 'null', '""', '[]', '{}'])
    t.equal(open(`{"_permanent":${value}}`).permanent, false)
  t.same(open('{"_permanent":true,"n":1}').data, { n: 1 })
  t.same(write({ ...open('{"_permanent":true,"n":1}'), permanent: false }, { n: 1 }), { n: 1 })
  t.end()
})

t.test('the owner is who is logged in with Flask-Login', (t) => {
  const record = open('{"_user_id":"7","n":1}')
  t.match(record, { ownerId: '7', data: { n: 1 } })
  t.same(write(record, { n: 1 }), { n: 1, _user_id: '7' })
  t.same(write({ ...record, ownerId: undefined }, { n: 1 }), { n: 1 })
  // What is no id of an owner stays where it is, until there is an owner.
  for (const value of [7, '', null]) {
    const other = open(JSON.stringify({ _user_id: value }))
    t.match(other, { ownerId: undefined, data: { _user_id: value } })
    t.same(write(other, other.data), { _user_id: value })
    t.same(write({ ...other, ownerId: '8' }, other.data), { _user_id: '8' })
  }
  t.end()
})

t.test('facts cannot be written as data', (t) => {
  for (const data of [{ _fts: 1 }, { _permanent: true }, { _user_id: '7' }]) {
    t.throws(() => toFlask({ ...RECORD, json: JSON.stringify(data) }), RESERVED)
  }
  t.throws(() => toFlask({ ...RECORD, json: '{"_permanent":1}' }), { cause: /_permanent.*session\.permanent/ })
  t.throws(() => toFlask({ ...RECORD, json: '{"a":{" u":1}}' }), { code: 'ERR_SESSION_VALUE' })
  t.end()
})

t.test('what is not touched is written as Flask has written it', (t) => {
  const text = '{"a":{" x":[1.0,"\\u00e9"]},"b":12345678901234567890,"c":{" t":[1e+16]},"id":5,"n":1}'
  const record = open(text)
  t.equal(record.json, text.replace('"id"', '"id_"'))
  const written = toFlask({ ...record, json: JSON.stringify({ ...record.data, n: 2, more: true }) })
  t.equal(written, `${text.slice(0, -2)}2,"more":true,"_fts":"1795176000${'0'}${record.id}"}`)
  // Twice, as by `commit()` and the reply.
  const again = toFlask({ ...record, json: JSON.stringify({ ...record.data, b: undefined, n: 3 }) })
  t.equal(again, written.replace('"b":12345678901234567890,', '').replace('2,"more":true', '3'))
  t.end()
})

t.test('a session that Flask has escaped is read', (t) => {
  t.same(open('{" di":{" t__":[1]}}').data, { ' t': [1] })
  t.same(write(open('{" di":{" t__":[1]}}'), { ' t': [1], n: tag.tuple([2]) }), { ' t': [1], n: { ' t': [2] } })
  for (const text of ['{" di":1}', '{" di":{"a":1},"n":1}']) t.same(open(text).data, JSON.parse(text))
  t.end()
})
