import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import t from 'tap'
import {
  applyChanges,
  changesTo,
  diffMembers,
  fromMembers,
  NO_CHANGES,
  toMembers,
  withAllMembers
} from '../../lib/data/json-members.ts'
import { anyCharacter } from '../helpers/any-character.ts'

/** Characters of every kind, those among them often that mean something in JSON. */
const unit = fc.oneof(
  fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', ' ', 'a'),
  fc.string({ unit: anyCharacter, maxLength: 1 })
)
/** JSON objects with names and values of every kind. */
const json = fc
  .dictionary(fc.string({ unit }), fc.jsonValue({ stringUnit: unit }), { noNullPrototype: true })
  .map((value) => JSON.stringify(value))
const SETTINGS = { seed: 13, numRuns: 500, endOnFailure: true }

t.test('changes of all members have the text of those that stay the same', (t) => {
  const json = '{"a": 1,"b":[ 2 ],"__proto__":{"c":3}}'
  t.strictSame(withAllMembers(json, { set: { a: '4', d: '5' }, unset: ['b'] }), {
    set: JSON.parse('{"a":"4","__proto__":"{\\"c\\":3}","d":"5"}'),
    unset: ['b']
  })
  t.strictSame(withAllMembers('{}', NO_CHANGES), NO_CHANGES)
  t.end()
})

t.test('what was set is set and what was unset is gone, and the rest stays as it was, to the letter', async (t) => {
  const before = '{"kept":{"z":[1,{"b":2}],"a":1e3},"changed":"old","removed":true}'
  const changes = { set: { changed: '"new"', added: '{"z":1,"a":"}{,:\\""}' }, unset: ['removed', 'never there'] }
  t.equal(
    applyChanges(before, changes),
    '{"kept":{"z":[1,{"b":2}],"a":1e3},"changed":"new","added":{"z":1,"a":"}{,:\\""}}'
  )
  t.equal(applyChanges('{}', changes), '{"changed":"new","added":{"z":1,"a":"}{,:\\""}}')
  t.equal(applyChanges(before, NO_CHANGES), before)
})

t.test('members that differ, and no others, lead from one to the other', async (t) => {
  const before = '{"same":{"a":[1,"x"]},"changed":1,"removed":null,"nested":{"a":{"b":1}}}'
  const after = '{"nested":{"a":{"b":2}},"same":{"a":[1,"x"]},"changed":"1","added":[]}'
  t.same(diffMembers(before, after), {
    set: { changed: '"1"', added: '[]', nested: '{"a":{"b":2}}' },
    unset: ['removed']
  })
  t.same(diffMembers(after, after), { set: {}, unset: [] })
  t.same(diffMembers('{}', '{}'), { set: {}, unset: [] })
})

t.test('another order inside a member is a change, another order of members is none', async (t) => {
  t.same(diffMembers('{"a":{"x":1,"y":2}}', '{"a":{"y":2,"x":1}}').set, { a: '{"y":2,"x":1}' })
  t.same(diffMembers('{"a":1,"b":2}', '{"b":2,"a":1}'), { set: {}, unset: [] })
})

t.test('values that are equal in JavaScript but not in JSON are told apart', async (t) => {
  for (const [one, other] of [
    ['null', '{}'],
    ['[]', '{}'],
    ['1', '"1"'],
    ['0', 'false'],
    ['""', 'null'],
    ['[1]', '["1"]']
  ]) {
    t.same(diffMembers(`{"a":${one}}`, `{"a":${other}}`).set, { a: other })
  }
})

t.test('quotes, backslashes and brackets inside strings end nothing', async (t) => {
  const data = {
    '"': '"',
    '\\': '\\',
    '\\"': '\\"}',
    'a\\\\': ['\\\\', ']', { '}': '{"', ',': '\\\\"' }],
    end: '\\'
  }
  const text = JSON.stringify(data)
  t.same(
    [...toMembers(text)],
    Object.entries(data).map(([key, value]) => [key, JSON.stringify(value)])
  )
})

t.test('members may have the names of what every object has', async (t) => {
  const text = '{"__proto__":{"polluted":1},"constructor":2,"toString":3,"hasOwnProperty":4,"":5}'
  t.equal(fromMembers(toMembers(text)), text)
  const { set, unset } = diffMembers('{"valueOf":1}', text)
  t.same(Object.keys(set).sort(), ['', '__proto__', 'constructor', 'hasOwnProperty', 'toString'])
  t.same(unset, ['valueOf'])
  t.equal(Object.getPrototypeOf(set), Object.prototype)
  t.equal(applyChanges('{"valueOf":1}', { set, unset }), text)
  t.equal(
    applyChanges(text, { set: {}, unset: ['__proto__', ''] }),
    '{"constructor":2,"toString":3,"hasOwnProperty":4}'
  )
  t.equal(({} as { polluted?: number }).polluted, undefined)
})

t.test('any JSON object falls into its members and back', async (t) => {
  fc.assert(
    fc.property(json, (text) => {
      const members = toMembers(text)
      const expected = Object.entries(JSON.parse(text)).map(([key, value]) => [key, JSON.stringify(value)])
      return (
        JSON.stringify([...members].sort()) === JSON.stringify(expected.sort()) &&
        fromMembers(members) === `{${[...members].map(([key, value]) => `${JSON.stringify(key)}:${value}`).join()}}`
      )
    }),
    SETTINGS
  )
  t.pass('for 500 objects')
})

t.test('one member is replaced wherever it stands, and nothing else that looks like it', async (t) => {
  for (const [before, after] of [
    ['{"a":1}', '{"a":0}'],
    ['{"a":"x,}","b":{}}', '{"a":0,"b":{}}'],
    ['{"b":{"c":1},"a":{"a b":[{}]}}', '{"b":{"c":1},"a":0}'],
    ['{"b":{"c":1},"a":[1,[2]]}', '{"b":{"c":1},"a":0}'],
    ['{"b":{"c":1},"a":2,"d":{}}', '{"b":{"c":1},"a":0,"d":{}}'],
    ['{"b":{"a":1}}', '{"b":{"a":1},"a":0}'],
    ['{"b":{"a":1},"a":2}', '{"b":{"a":1},"a":0}'],
    ['{"a":2,"b":{"a":1}}', '{"a":0,"b":{"a":1}}'],
    ['{"b":"a","a":2}', '{"b":"a","a":0}'],
    ['{"b":"\\"a\\":3","a":2}', '{"b":"\\"a\\":3","a":0}'],
    ['{"\\u0061":1,"a":2}', '{"\\u0061":0}'],
    ['{"a":1,"a":2}', '{"a":0}'],
    ['{"a": 1}', '{"a": 0}']
  ] as const) {
    t.equal(applyChanges(before, { set: { a: '0' }, unset: [] }), after, before)
  }
  t.equal(applyChanges('{",":":x"}', { set: { ':': '0' }, unset: [] }), '{",":":x",":":0}')
})

t.test('the changes between any two objects make the one from the other', async (t) => {
  fc.assert(
    fc.property(json, json, (before, after) => {
      const result = applyChanges(before, diffMembers(before, after))
      const [made, wanted] = [result, after].map((text) => JSON.stringify([...toMembers(text)].sort()))
      return made === wanted
    }),
    SETTINGS
  )
  t.pass('for 500 pairs')
})

t.test('changes of different members give the same in any order', async (t) => {
  const before = '{"a":1,"b":2,"c":3}'
  const [one, other] = [
    { set: { a: '10' }, unset: ['b'] },
    { set: { d: '4' }, unset: ['c'] }
  ]
  const sorted = (text: string): unknown => Object.entries(JSON.parse(text)).sort()
  t.same(sorted(applyChanges(applyChanges(before, one), other)), [
    ['a', 10],
    ['d', 4]
  ])
  t.same(sorted(applyChanges(applyChanges(before, other), one)), [
    ['a', 10],
    ['d', 4]
  ])
})

const TIGHT = '{"a":1,"b":[1,"x"],"c":{"d":"e, f: {g}"}}'

t.test('JSON that somebody else has written, with space around its members, means the same', async (t) => {
  for (const spaced of [
    ` ${TIGHT}`,
    `${TIGHT}\n`,
    '{ "a":1,"b":[1,"x"],"c":{"d":"e, f: {g}"}}',
    '{"a" :1,"b" :[1,"x"],"c" :{"d":"e, f: {g}"}}',
    '{"a": 1,"b": [1,"x"],"c": {"d":"e, f: {g}"}}',
    '{\r\n\t"a" :\t1 ,\n\t"b" : [1,"x"] ,\n\t"c" : {"d":"e, f: {g}"}\n}\n'
  ]) {
    t.same(diffMembers(spaced, TIGHT), { set: {}, unset: [] }, spaced)
    t.same(diffMembers(TIGHT, spaced), { set: {}, unset: [] }, spaced)
    t.equal(fromMembers(toMembers(spaced)), TIGHT, spaced)
    t.same(JSON.parse(applyChanges(spaced, { set: { a: '2' }, unset: ['b'] })), { a: 2, c: { d: 'e, f: {g}' } })
  }
  for (const empty of ['{ }', '\n{}', '{\n}']) {
    t.same([...toMembers(empty)], [], empty)
    t.equal(applyChanges(empty, { set: { a: '1' }, unset: [] }), '{"a":1}')
  }
})

t.test('space inside a member is no change either', async (t) => {
  for (const spaced of [
    JSON.stringify(JSON.parse(TIGHT), null, 2),
    '{"a": 1, "b": [1, "x"], "c": {"d": "e, f: {g}"}}',
    '{"a":1,"b":[1, "x"],"c":{"d":"e, f: {g}" }}'
  ]) {
    t.same(diffMembers(spaced, TIGHT), { set: {}, unset: [] }, spaced)
  }
})

t.test('a text that does not end is not waited for', async (t) => {
  for (const broken of ['{"a":"x', '{"a', '{"', '{"a":{"b":"', '{"a\\":1}', '{"a":[1', '{', '', 'x', '{"a":1,}']) {
    for (const run of [
      () => toMembers(broken),
      () => diffMembers(broken, TIGHT),
      () => diffMembers(TIGHT, broken),
      () => applyChanges(broken, { set: { a: '2' }, unset: ['b'] })
    ]) {
      let code: unknown
      try {
        // Only this ends a loop without an end.
        runInNewContext('run()', { run }, { timeout: 2000 })
      } catch (error) {
        code = (error as { code?: unknown }).code
      }
      t.not(code, 'ERR_SCRIPT_EXECUTION_TIMEOUT', broken)
    }
  }
})

t.test('the values that some members have now are changes to any others', async (t) => {
  const data = JSON.parse('{"a":{"z":[1,"x"]},"b":null,"__proto__":{"polluted":true}}')
  t.same(changesTo(data, []), { set: {}, unset: [] })
  t.same(changesTo(data, ['b', 'a']), { set: { a: '{"z":[1,"x"]}', b: 'null' }, unset: [] })
  const changes = changesTo(data, ['__proto__'])
  t.same(Object.entries(changes.set), [['__proto__', '{"polluted":true}']])
  t.equal(applyChanges('{"__proto__":1,"b":2}', changes), '{"__proto__":{"polluted":true},"b":2}')
})

t.test('a key that is there twice is set, or removed, as one', async (t) => {
  const twice = '{"a":1,"b":0,"a":2}'
  t.equal(applyChanges(twice, { set: { a: '3' }, unset: [] }), '{"a":3,"b":0}')
  t.equal(applyChanges(twice, { set: {}, unset: ['a'] }), '{"b":0}')
  t.equal(applyChanges(twice, { set: { b: '1' }, unset: [] }), '{"a":1,"b":1,"a":2}')
})

t.test('neighbours that stay are copied with all that is between them', async (t) => {
  const spaced = ' { "a" : 1 ,  "b":2 , "c" :3,"d":{} } '
  t.equal(applyChanges(spaced, NO_CHANGES), '{"a" : 1 ,  "b":2 , "c" :3,"d":{}}')
  t.equal(applyChanges(spaced, { set: { c: '4' }, unset: [] }), '{"a" : 1 ,  "b":2,"c":4,"d":{}}')
  t.equal(applyChanges(spaced, { set: {}, unset: ['a', 'd'] }), '{"b":2 , "c" :3}')
  t.equal(applyChanges(spaced, { set: { e: '5', a: '0' }, unset: ['b'] }), '{"a":0,"c" :3,"d":{},"e":5}')
  t.equal(applyChanges(spaced, { set: {}, unset: ['a', 'b', 'c', 'd'] }), '{}')
})

t.test('the time grows with the members and not with their square, whichever way many of them change', async (t) => {
  const names = Array.from({ length: 40_000 }, (_, index) => `the-product-with-the-number-${100_000 + index}`)
  const text = fromMembers(names.map((name) => [name, '1']))
  const start = performance.now()
  t.equal(applyChanges(text, { set: {}, unset: names.toReversed() }), '{}')
  const changed = applyChanges(text, changesTo(Object.fromEntries(names.map((name) => [name, 2])), names))
  t.same(diffMembers(text, changed), changesTo(JSON.parse(changed), names))
  t.ok(performance.now() - start < 5000, 'linear: about a second; quadratic: most of a minute')
})

t.test('few and many names to remove mean the same', async (t) => {
  for (const count of [1, 8, 9, 100]) {
    const names = Array.from({ length: count }, (_, index) => `member-${index}`)
    const text = fromMembers([...names, 'kept', '__proto__'].map((name) => [name, '1']))
    t.equal(applyChanges(text, { set: {}, unset: [...names, 'never there'] }), '{"kept":1,"__proto__":1}')
  }
})
