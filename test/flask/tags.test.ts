import t from 'tap'
import { assertReadable, tag, untag } from '../../lib/flask/tags.ts'

const VALUE = { code: 'ERR_SESSION_VALUE' }

t.test('each value is as Flask tags it, and comes back', (t) => {
  t.same(tag.tuple([1, 'a']), { ' t': [1, 'a'] })
  t.same(tag.bytes(Uint8Array.of(0, 255, 16)), { ' b': 'AP8Q' })
  t.same(tag.markup('<b>'), { ' m': '<b>' })
  t.same(tag.uuid('1B9D6BCD-bbfd-4b2d-9b5d-ab8dfbbd4bed'), { ' u': '1B9D6BCDbbfd4b2d9b5dab8dfbbd4bed' })
  t.same(tag.dateTime(new Date('2026-11-20T12:00:01.999Z')), { ' d': 'Fri, 20 Nov 2026 12:00:01 GMT' })
  t.same(untag(tag.tuple([1, tag.tuple([])])), [1, []])
  t.same(untag(tag.bytes(Buffer.from('x'))), Buffer.from('x'))
  t.equal(untag(tag.markup('<b>')), '<b>')
  t.equal(untag(tag.uuid('1B9D6BCDbbfd4b2d9b5dab8dfbbd4bed')), '1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed')
  t.same(untag([{ since: tag.dateTime(new Date('2026-11-20T12:00:01Z')) }]), [
    { since: new Date('2026-11-20T12:00:01Z') }
  ])
  t.end()
})

t.test('a dict with a single key that is a tag is escaped', (t) => {
  t.same(tag.dict({ ' t': 5 }), { ' di': { ' t__': 5 } })
  t.same(untag(tag.dict({ ' t': 5 })), { ' t': 5 })
  t.same(untag(tag.dict({ ' di': tag.tuple([1]) })), { ' di': [1] })
  for (const dict of [{}, { a: 1 }, { ' x': 1 }, { ' t': 1, a: 2 }]) {
    t.equal(tag.dict(dict), dict)
    t.same(untag(dict), dict)
  }
  t.end()
})

t.test('what has no tag of Flask, or one that does not go with its value, stays', (t) => {
  const values = [
    ...[null, 1, 'x', true, [], {}],
    ...[{ ' x': [1] }, { ' t': 'ab' }, { ' b': 'a' }, { ' b': 1 }, { ' m': 1 }, { ' u': '12' }, { ' u': 12 }],
    ...[{ ' d': 'yesterday' }, { ' d': 5 }, { ' di': 1 }, { ' di': null }, { ' di': [] }, { ' di': {} }],
    ...[{ ' di': { a: 1 } }, { ' di': { a__: 1, b__: 2 } }]
  ]
  for (const value of values) t.same(untag(value), value)
  t.same(Object.keys(untag(JSON.parse('{"__proto__":{" t":[]}}')) as object), ['__proto__'])
  t.end()
})

t.test('what Flask could not read is refused', (t) => {
  t.throws(() => tag.dateTime(new Date(Number.NaN)), VALUE)
  t.throws(() => tag.uuid('12'), VALUE)
  t.throws(() => tag.tuple('ab' as never), VALUE)
  t.throws(() => tag.markup(1 as never), VALUE)
  for (const data of [
    { a: { ' u': 'x' } },
    [{ ' t': 1 }],
    { a: [{ b: { ' di': { a: 1 } } }] },
    { a: { ' d': 'soon' } }
  ]) {
    t.throws(() => assertReadable(JSON.stringify(data)), VALUE)
  }
  const fine = [
    {},
    { a: { ' u': 1, b: 2 } },
    { a: { ' x': 1 } },
    { a: tag.dict({ ' u': 'x' }), b: tag.tuple([null, 1]) }
  ]
  for (const data of fine) assertReadable(JSON.stringify(data))
  t.throws(() => assertReadable('{"a":{ "\\u0020u" :1}}'), VALUE)
  t.end()
})
