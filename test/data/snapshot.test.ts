import fc from 'fast-check'
import t from 'tap'
import type { Comparison } from '../../lib/data/snapshot.ts'
import { compareWithSnapshot, takeSnapshot, updateSnapshot } from '../../lib/data/snapshot.ts'

const JSON_TEXT = '{"user":{"name":"Ann","tags":["a",{"b":[1]}],"none":null},"visits":1,"on":true}'

type Data = {
  user: { name: string; tags: unknown[]; none: unknown }
  visits: unknown
  on?: unknown
}

/** What is said of data after somebody did something to them. */
function afterwards(change: (data: Data) => unknown): Comparison {
  const data: Data = JSON.parse(JSON_TEXT)
  const snapshot = takeSnapshot(data)
  const live = { ...data }
  change(live)
  return compareWithSnapshot(live, snapshot)
}

t.test('data that nobody changed are the same', (t) => {
  t.same(
    afterwards(() => {}),
    []
  )
  t.same(
    afterwards((data) => {
      data.visits = 2
      data.visits = 1
    }),
    []
  )
  t.same(compareWithSnapshot({}, takeSnapshot({})), [])
  t.end()
})

t.test('another string, number, truth value or null is a change of its member, however deep it is', (t) => {
  for (const value of ['x', 2, false, null]) {
    const changes: [key: string, change: (data: Data) => unknown][] = [
      ['visits', (data) => Object.assign(data, { visits: value })],
      ['user', (data) => Object.assign(data, { user: value })],
      ['user', (data) => Object.assign(data.user, { name: value })],
      ['user', (data) => data.user.tags.splice(0, 1, value)],
      ['user', (data) => Object.assign(data.user.tags[1] as object, { b: value })]
    ]
    for (const [key, change] of changes) t.same(afterwards(change), [key])
  }
  t.end()
})

t.test('all members that changed are told, in their order', (t) => {
  const comparison = afterwards((data) => {
    data.on = false
    data.user.name = 'Ben'
    data.user.tags[0] = 'b'
  })
  t.same(comparison, ['user', 'on'])
  t.end()
})

t.test('one member that is not certain makes all of them uncertain', (t) => {
  for (const change of [
    (data: Data) => Object.assign(data, { visits: 2, on: [] }),
    (data: Data) => Object.assign(data, { user: { ...data.user }, visits: 2 })
  ]) {
    t.equal(afterwards(change), 'unknown')
  }
  t.end()
})

t.test('what is not certain is left to JSON', (t) => {
  const changes: Readonly<Record<string, (data: Data) => unknown>> = {
    'another object': (data) => Object.assign(data, { user: { ...data.user } }),
    'another array': (data) => Object.assign(data.user, { tags: [...data.user.tags] }),
    'an object for a number': (data) => Object.assign(data, { visits: {} }),
    'a boxed string': (data) => Object.assign(data.user, { name: Object('Ann') }),
    'one more key': (data) => Object.assign(data, { more: 1 }),
    'one more key inside': (data) => Object.assign(data.user, { more: 1 }),
    'one key less': (data) => delete data.on,
    'a key less before others': (data) => delete (data.user as Partial<Data['user']>).name,
    'the last key inside less': (data) => delete (data.user as Partial<Data['user']>).none,
    'another order': (data) => Object.assign(data, { visits: delete data.visits && 1 }),
    'one more item': (data) => data.user.tags.push(1),
    'one item less': (data) => data.user.tags.pop(),
    'a hidden member': (data) => Object.defineProperty(data.user, 'name', { enumerable: false }),
    'a toJSON': (data) => Object.defineProperty(data, 'toJSON', { value: () => 1 }),
    'a toJSON inside': (data) => Object.setPrototypeOf(data.user, { toJSON: () => 1 }),
    'a toJSON of an array': (data) => Object.defineProperty(data.user.tags, 'toJSON', { value: () => 1 }),
    'a cycle': (data) => Object.assign(data.user, { tags: data.user })
  }
  for (const [name, change] of Object.entries(changes)) t.equal(afterwards(change), 'unknown', name)
  for (const value of [undefined, Number.NaN, Number.POSITIVE_INFINITY, 1n, Symbol('s'), () => 1]) {
    t.equal(
      afterwards((data) => Object.assign(data.user, { none: value })),
      'unknown'
    )
  }
  t.end()
})

t.test('it never disagrees with JSON', (t) => {
  const values = fc.dictionary(fc.string(), fc.jsonValue())
  fc.assert(
    fc.property(values, values, fc.boolean(), (first, second, isNested) => {
      const json = JSON.stringify({ inner: first })
      const data = JSON.parse(json)
      const snapshot = takeSnapshot(data)
      const untouched = compareWithSnapshot(data, snapshot)
      Object.assign(isNested ? data.inner : data, second)
      const comparison = compareWithSnapshot(data, snapshot)
      const before: Record<string, unknown> = JSON.parse(json)
      const different = Object.keys(data).filter((key) => JSON.stringify(data[key]) !== JSON.stringify(before[key]))
      const isRight = comparison === 'unknown' || JSON.stringify(comparison) === JSON.stringify(different)
      if (comparison !== 'unknown') t.strictSame(updateSnapshot(snapshot, data, comparison), takeSnapshot(data))
      return JSON.stringify(untouched) === '[]' && isRight
    })
  )
  t.end()
})

t.test('a snapshot is brought up to date, and stays as it was itself', (t) => {
  const data = { visits: 1, nested: { b: 2 }, name: 'Ana', last: null as number | null }
  const snapshot = takeSnapshot(data)
  const before = [...snapshot]
  t.equal(updateSnapshot(snapshot, data, []), snapshot)
  const changes: [change: () => object, keys: readonly string[]][] = [
    [() => Object.assign(data, { visits: 2, last: 3 }), ['visits', 'last']],
    [() => Object.assign(data.nested, { b: 3 }), ['nested']],
    [() => Object.assign(data, { nested: 4, name: 'Ben' }), ['nested', 'name']]
  ]
  for (const [change, keys] of changes) {
    change()
    t.strictSame(updateSnapshot(snapshot, data, keys), takeSnapshot(data))
  }
  t.same(snapshot, before)
  t.end()
})

t.test('an enumerable member of Object.prototype, as an old library adds it, is no data', async (t) => {
  const { prototype } = Object
  Object.defineProperty(prototype, 'oldLibrary', { value: 1, writable: true, enumerable: true, configurable: true })
  t.teardown(() => Reflect.deleteProperty(prototype, 'oldLibrary'))
  const data = { a: 1, nested: { b: 2 } }
  const snapshot = takeSnapshot(data)
  Reflect.deleteProperty(prototype, 'oldLibrary')
  t.same(snapshot, takeSnapshot(data))
  Object.defineProperty(prototype, 'oldLibrary', { value: 1, writable: true, enumerable: true, configurable: true })
  t.same(compareWithSnapshot(data, snapshot), [])
  data.nested.b = 3
  t.same(compareWithSnapshot(data, snapshot), ['nested'])
})
