import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import t from 'tap'
import {
  assertMembersStorable,
  assertSessionStorable,
  assertStorable,
  assertStorableWithin,
  isSameJson,
  measureKeys,
  parseChanged,
  parseStored,
  toJson
} from '../../lib/data/storable.ts'
import { anyCharacter } from '../helpers/any-character.ts'

const REFUSED = { code: 'ERR_SESSION_VALUE', statusCode: 500, name: 'FastifyError' }

class Cart {
  items: string[] = []
}

function messageOf(work: () => void): string {
  try {
    work()
  } catch (error) {
    return ((error as Error).cause as Error).message
  }
  return 'nothing was thrown'
}

/** Objects in each other, as many as it says. */
function nest(levels: number, innermost: unknown = 1): Record<string, unknown> {
  let value = innermost
  for (let level = 0; level < levels; level++) value = { a: value }
  return { a: value }
}

t.test('data become JSON as JSON.stringify writes it', (t) => {
  t.equal(toJson({ a: 1, b: [true, null, 'ü'], c: undefined }), '{"a":1,"b":[true,null,"ü"]}')
  t.equal(toJson({}), '{}')
  t.end()
})

t.test('what makes JSON.stringify throw is refused with its path', (t) => {
  const cycle: Record<string, unknown> = { list: [] }
  cycle.list = [{ self: cycle }]
  t.throws(() => toJson(cycle), REFUSED)
  t.match(
    messageOf(() => toJson(cycle)),
    /^session\.list\[0\]\.self\.list\[0\]\.self\.list\[0\]\.self\.list holds itself,/
  )
  t.throws(() => toJson({ user: { n: 10n } }), REFUSED)
  t.match(
    messageOf(() => toJson({ user: { n: 10n } })),
    'session.user.n holds a bigint'
  )
  t.throws(() => assertStorable(nest(100_000)), REFUSED)
  t.end()
})

t.test('an error that is not about the data is thrown as it is', (t) => {
  let reads = 0
  const moody = {
    get value(): number {
      if (reads++ === 0) throw new RangeError('not today')
      return 1
    }
  }
  t.throws(() => toJson(moody), { name: 'RangeError', message: 'not today' })
  t.equal(reads, 2)
  t.end()
})

t.test('each key is measured with its value, in bytes', (t) => {
  t.same(measureKeys('{}'), {})
  t.same(measureKeys('{"a":1,"ü":"ü","list":[1,2]}'), { a: 5, ü: 9, list: 12 })
  const measured = measureKeys('{"__proto__":{"a":1},"b":2}')
  t.same(Object.entries(measured), [
    ['__proto__', 19],
    ['b', 5]
  ])
  t.equal(Object.getPrototypeOf(measured), Object.prototype)
  t.end()
})

t.test('the measures of all keys add up to the whole', (t) => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: anyCharacter }), fc.jsonValue()), (data) => {
      const json = JSON.stringify(data)
      const sizes = Object.values(measureKeys(json))
      const commas = Math.max(sizes.length - 1, 0)
      return sizes.reduce((sum, size) => sum + size, commas + 2) === Buffer.byteLength(json)
    }),
    { seed: 9, numRuns: 500, endOnFailure: true }
  )
  t.pass('for 500 objects')
  t.end()
})

t.test('everything that JSON can hold is storable', (t) => {
  const inner = { nothing: null, no: false, n: -1.5, big: 1e300, s: '', list: [[], [{}]], undef: undefined }
  t.doesNotThrow(() => assertStorable({}))
  t.doesNotThrow(() => assertStorable({ inner, again: inner, both: [inner, inner] }), 'also twice')
  t.doesNotThrow(() => assertStorable(Object.assign(Object.create(null), { a: Object.create(null) })))
  t.doesNotThrow(() => assertStorable({ a: runInNewContext('({ b: [1, { c: 2 }] })') }), 'of another realm')
  class Session {
    readonly #state = 1
    readonly cart: object = { items: [inner] }
    hasState(): boolean {
      return this.#state === 1
    }
  }
  for (const assert of [assertStorable, assertSessionStorable, assertMembersStorable]) {
    t.doesNotThrow(() => assert(new Cart()), 'the outermost object may be a session')
    t.doesNotThrow(() => assert(new Session()), 'private fields are no members')
  }
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 6 })), (data) => assertStorable(data)),
    { seed: 10, numRuns: 300, endOnFailure: true }
  )
  t.end()
})

t.test('what JSON cannot hold is refused with its path, what it is and what to do', (t) => {
  const cases: readonly (readonly [unknown, string])[] = [
    [() => 1, 'a function, which JSON cannot hold. Leave it out, or store null.'],
    [Symbol('s'), 'a symbol, which JSON cannot hold. Leave it out, or store null.'],
    [5n, 'a bigint, which JSON cannot hold. Store it as a string.'],
    [Number.NaN, 'the number NaN, which JSON cannot hold. Leave it out, or store null.'],
    [Number.POSITIVE_INFINITY, 'the number Infinity, which JSON cannot hold. Leave it out, or store null.'],
    [Number.NEGATIVE_INFINITY, 'the number -Infinity, which JSON cannot hold. Leave it out, or store null.'],
    [new Date(0), 'an instance of Date, which JSON cannot hold. Store date.toISOString() or date.getTime().'],
    [new Map(), 'an instance of Map, which JSON cannot hold. Store Object.fromEntries(map).'],
    [new Set(), 'an instance of Set, which JSON cannot hold. Store [...set].'],
    [new Cart(), 'an instance of Cart, which JSON cannot hold. Store a plain object, or the id of the thing.'],
    [new Error('e'), 'an instance of Error, which JSON cannot hold. Store a plain object, or the id of the thing.'],
    [/x/, 'an instance of RegExp, which JSON cannot hold. Store a plain object, or the id of the thing.'],
    [Buffer.of(1), 'an instance of Buffer, which JSON cannot hold. Store a plain object, or the id of the thing.'],
    [new (class {})(), 'an instance of a class, which JSON cannot hold. Store a plain object, or the id of the thing.'],
    [
      Object.create({ a: 1 }),
      'an instance of Object, which JSON cannot hold. Store a plain object, or the id of the thing.'
    ]
  ]
  for (const [value, text] of cases) {
    t.throws(() => assertStorable({ a: value }), { ...REFUSED, cause: { message: `session.a holds ${text}` } })
  }
  t.throws(() => assertStorable({ a: Object.create(Object.create(Object.create(null))) }), {
    ...REFUSED,
    cause: { message: /an instance of a class/ }
  })
  t.end()
})

t.test('an array with a class of its own, or with members besides its items, is refused', (t) => {
  class List extends Array<number> {
    toJSON(): string {
      return 'something else'
    }
  }
  t.throws(() => assertStorable({ list: List.of(1, 2) }), { ...REFUSED, cause: { message: /an instance of List/ } })
  t.throws(() => assertStorable({ match: 'ab'.match(/(?<letter>a)/) }), REFUSED, 'JSON drops index, input and groups')
  t.end()
})

t.test('a member that JSON leaves out, because of its key, is refused at every depth', (t) => {
  const hidden = Object.defineProperty({ shown: 1 }, 'kept', { value: 1 })
  const cases: readonly (readonly [object, string])[] = [
    [{ [Symbol('s')]: 1 }, 'session[Symbol(s)]'],
    [hidden, 'session.kept'],
    [{ a: { b: [{ [Symbol('s')]: undefined }] } }, 'session.a.b[0][Symbol(s)]'],
    [{ a: hidden }, 'session.a.kept']
  ]
  const text =
    'a value whose key is a symbol or not enumerable, which JSON cannot hold. Assign it to a key that is a string.'
  for (const [data, path] of cases) {
    for (const refuse of [() => assertStorable(data), () => assertSessionStorable(data)]) {
      t.throws(refuse, { ...REFUSED, cause: { message: `${path} holds ${text}` } }, path)
    }
  }
  for (const data of [{ [Symbol('s')]: 1 }, hidden]) t.throws(() => assertMembersStorable(data), REFUSED)
  const beside = [[Object.assign([1], { [Symbol('s')]: 1 })], [Object.defineProperty([1], 'kept', { value: 1 })]]
  for (const [list] of beside) {
    t.throws(() => assertStorable({ list }), { ...REFUSED, cause: { message: /members beside its items/ } })
  }
  t.end()
})

t.test('what an object inherits is no member of it', (t) => {
  const data = Object.assign(Object.create({ inherited: () => 1 }), { a: 1 })
  t.doesNotThrow(() => assertStorable(data))
  t.doesNotThrow(() => assertMembersStorable(data))
  t.end()
})

t.test('-0 becomes the 0 that it equals, and is no change', (t) => {
  t.doesNotThrow(() => assertStorable({ a: -0, b: [-0] }))
  t.equal(toJson({ a: -0 }), '{"a":0}')
  t.end()
})

t.test('undefined is a member that is not there, but no item of an array', (t) => {
  t.doesNotThrow(() => assertStorable({ a: undefined, b: { c: undefined } }))
  const text = 'session.a[1] holds undefined inside an array, which JSON cannot hold. Leave it out, or store null.'
  t.throws(() => assertStorable({ a: [1, undefined] }), { ...REFUSED, cause: { message: text } })
  const holes: unknown[] = [1]
  holes[2] = 3
  t.throws(() => assertStorable({ a: holes }), { ...REFUSED, cause: { message: text } }, 'a hole')
  t.end()
})

t.test('paths are written as in a program', (t) => {
  const bad = Number.NaN
  const cases: readonly (readonly [object, string])[] = [
    [{ cart: { items: [{ price: bad }] } }, 'session.cart.items[0].price'],
    [{ 'a-b': bad }, 'session["a-b"]'],
    [{ '': bad }, 'session[""]'],
    [{ '0': bad }, 'session["0"]'],
    [{ 'say "hi"': [[bad]] }, 'session["say \\"hi\\""][0][0]'],
    [{ größe: { $: { _: bad } } }, 'session.größe.$._'],
    [JSON.parse('{"__proto__":{"a":null}}'), '']
  ]
  for (const [data, path] of cases) {
    if (path === '') t.doesNotThrow(() => assertStorable(data))
    else
      t.match(
        messageOf(() => assertStorable(data)),
        `${path} holds the number NaN`
      )
  }
  t.match(
    messageOf(() => assertStorable({ a: bad }, 'value')),
    'value.a holds the number NaN'
  )
  t.end()
})

t.test('the first culprit is named, however many there are', (t) => {
  t.match(
    messageOf(() => assertStorable({ a: 1, b: [0, { c: () => 1 }], d: 1n })),
    'session.b[1].c holds a function'
  )
  t.end()
})

t.test('two hundred levels are storable, and one more is not', (t) => {
  t.doesNotThrow(() => assertStorable(nest(199, {})))
  t.throws(() => assertStorable(nest(200, {})), REFUSED)
  t.doesNotThrow(() => assertStorable(nest(200, 1)), 'a number is no level')
  const path = `session${'.a'.repeat(10)}`
  t.equal(
    messageOf(() => assertStorable(nest(5000))),
    `${path} holds itself, or more than 200 levels of nesting, which JSON cannot hold. Store a plain object, or the id of the thing.`
  )
  t.end()
})

t.test('cycles of objects and of arrays are refused', (t) => {
  const object: Record<string, unknown> = {}
  object.self = object
  const array: unknown[] = []
  array.push(array)
  for (const data of [object, { array }]) {
    t.throws(() => assertStorable(data), {
      ...REFUSED,
      cause: { message: /holds itself, or more than 200 levels of nesting/ }
    })
  }
  t.end()
})

t.test('whatever is storable comes back from its JSON as it was', (t) => {
  const anything = fc.dictionary(fc.string(), fc.anything({ withDate: true, withMap: true, withBigInt: true }))
  let stored = 0
  fc.assert(
    fc.property(anything, (data) => {
      if (messageOf(() => assertStorable(data)) !== 'nothing was thrown') return true
      stored++
      const json = toJson(data)
      return toJson(JSON.parse(json)) === json
    }),
    { seed: 11, numRuns: 1000, endOnFailure: true }
  )
  t.ok(stored > 100, `${stored} were storable`)
  t.end()
})

t.test('two texts are the same data whatever the order of keys, at every depth', (t) => {
  t.equal(isSameJson('{"a":1}', '{"a":1}'), true)
  t.equal(isSameJson('{"a":1,"b":2}', '{"b":2,"a":1}'), true)
  t.equal(isSameJson('{"x":{"a":1,"b":[{"c":1,"d":2}]}}', '{"x":{"b":[{"d":2,"c":1}],"a":1}}'), true)
  t.equal(isSameJson('{"__proto__":{"a":1},"b":2}', '{"b":2,"__proto__":{"a":1}}'), true)
  t.end()
})

t.test('other values, keys, types, lengths and orders of items are other data', (t) => {
  const pairs = [
    ['{"a":1}', '{"a":2}'],
    ['{"a":1}', '{"b":1}'],
    ['{"a":1}', '{}'],
    ['{"a":1}', '{"a":10}'],
    ['{"a":[1,2]}', '{"a":[2,1]}'],
    ['{"a":"1"}', '{"a":123}'],
    ['{"a":null}', '{"a":true}'],
    ['{"a":{}}', '{"a":[]}'],
    ['{"a":1,"b":2}', '{"a":2,"b":1}'],
    ['{"__proto__":{"a":1}}', '{"__proto__":{"a":2}}'],
    ['{"__proto__":{"a":1}}', '{"constructr":{"a":1}}']
  ] as const
  for (const [a, b] of pairs) t.equal(isSameJson(a, b), false, `${a} ${b}`)
  t.end()
})

t.test('shuffled keys are no change, for any data', (t) => {
  const data = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 6 })
  fc.assert(
    fc.property(data, (data) => {
      const backwards = Object.fromEntries(Object.entries(data).reverse())
      return (
        isSameJson(JSON.stringify(data), JSON.stringify(backwards)) &&
        !isSameJson(JSON.stringify(data), JSON.stringify({ ...data, more: 1, less: 2, [`${Object.keys(data)}!`]: 0 }))
      )
    }),
    { seed: 8, numRuns: 500, endOnFailure: true }
  )
  t.pass('for 500 objects')
  t.end()
})

t.test('the members of a session are checked one by one, what is inside them is not', async (t) => {
  t.doesNotThrow(() =>
    assertMembersStorable({ a: 1, b: 'x', c: null, d: [1], e: { f: () => 1 }, g: undefined, h: true })
  )
  for (const value of [() => 1, Symbol('s'), Number.NaN, new Map(), new Date(0), 1n]) {
    t.throws(() => assertMembersStorable({ a: 1, bad: value }), { ...REFUSED, cause: { message: /session\.bad/ } })
  }
})

t.test('data that tell JSON about themselves are refused', async (t) => {
  for (const toJSON of [() => undefined, () => 'text', () => [1]]) {
    t.throws(() => toJson(Object.defineProperty({ a: 1 }, 'toJSON', { value: toJSON })), REFUSED)
  }
})

t.test('of some members all is looked at, of the others nothing', async (t) => {
  const data = { good: { list: [1] }, bad: { deep: [Number.NaN] }, worse: () => 1 }
  t.doesNotThrow(() => assertStorableWithin(data, []))
  t.doesNotThrow(() => assertStorableWithin(data, ['good']))
  t.match(
    messageOf(() => assertStorableWithin(data, ['good', 'bad'])),
    /^session\.bad\.deep\[0\] holds the number NaN/
  )
  const named = Object.defineProperty({}, '__proto__', { value: () => 1, enumerable: true })
  t.throws(() => assertStorableWithin(named, ['__proto__']), REFUSED)
})

t.test('stored JSON is the data of a session if it is an object; what is wrong with it is not quoted', async (t) => {
  t.same(parseStored('{"name":"hunter2"}'), { name: 'hunter2' })
  t.same(parseStored(' {} '), {})
  for (const json of [
    '',
    '{"name":"hunter2"',
    '{"name":hunter2}',
    'hunter2',
    '"hunter2"',
    '["hunter2"]',
    'null',
    '5'
  ]) {
    const error = t.throws(() => parseStored(json), { code: 'ERR_SESSION_UNREADABLE' }) as Error
    t.equal(error.cause, undefined)
    t.notMatch(error.message, 'hunter2')
  }
})

t.test('changes apply to stored data that can be read, and to no others', async (t) => {
  t.same(parseChanged('{"a":1,"b":2}', { set: { c: '[3]' }, unset: ['a'] }), { b: 2, c: [3] })
  for (const json of ['{"a":', '[1]', 'null']) {
    t.throws(() => parseChanged(json, { set: { c: '3' }, unset: [] }), { code: 'ERR_SESSION_UNREADABLE' })
  }
})
