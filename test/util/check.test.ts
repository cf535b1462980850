import t from 'tap'
import {
  assertKnown,
  assertNoCallback,
  isBoolean,
  isFunction,
  isObject,
  isPropertyName,
  isString,
  readClock,
  readOption,
  readPruneInterval,
  readWholeOption
} from '../../lib/util/check.ts'

const INVALID = 'ERR_SESSION_OPTION_INVALID'

t.test('an option is taken as it is given, and its default where it was left out', async (t) => {
  t.equal(readOption('given', 'default', 'name', 'a string', isString), 'given')
  t.equal(readOption('', 'default', 'name', 'a string', isString), '')
  t.equal(readOption(undefined, 'default', 'name', 'a string', isString), 'default')
})

t.test('a default need not be what would be accepted', async (t) => {
  t.equal(readOption<unknown>(undefined, undefined, 'describe', 'a function', isFunction), undefined)
})

t.test('what is refused is told with what was expected and what came, one level deep', async (t) => {
  t.throws(() => readOption<unknown>({ a: { secret: 1 } }, '', 'table', 'a string', isString), {
    code: INVALID,
    message: 'The option table must be a string; it is { a: [Object] }.'
  })
  t.throws(() => readOption<unknown>(null, '', 'table', 'a string', isString), {
    code: INVALID,
    message: 'The option table must be a string; it is null.'
  })
})

t.test('a whole number is within its bounds', async (t) => {
  const takeCount = (given: unknown): number => readWholeOption(given as number, 7, 'count', 'things', 1, 10)
  t.same([undefined, 1, 10].map(takeCount), [7, 1, 10])
  for (const wrong of [0, 11, 1.5, -1, Number.NaN, Number.POSITIVE_INFINITY, '5', 5n, null, true]) {
    t.throws(
      () => takeCount(wrong),
      { code: INVALID, message: /^The option count must be a whole number of things from 1 to 10; it is / },
      String(wrong)
    )
  }
})

t.test('options are an object with no name that nobody reads', async (t) => {
  t.doesNotThrow(() => assertKnown({}, ['a'], 'Store'))
  t.doesNotThrow(() => assertKnown({ a: 1, b: undefined }, ['a', 'b'], 'Store'))
  t.throws(() => assertKnown({ a: 1, 'b"': 2 }, ['a', 'c'], 'Store'), {
    code: 'ERR_SESSION_OPTION_UNKNOWN',
    message: 'There is no option named "b\\"" of Store. Known are a, c.'
  })
  for (const wrong of [undefined, null, 'a', 1, ['a'], () => ({})]) {
    t.throws(() => assertKnown(wrong, ['a'], 'Store'), {
      code: INVALID,
      message: /^Store takes an object with options; it got /
    })
  }
})

t.test('what a thing is', async (t) => {
  const values = ['', 'a', true, false, {}, Object.create(null), [], null, undefined, 0, () => {}, class {}]
  const accepted = (is: (value: unknown) => boolean): number[] =>
    values.flatMap((value, index) => (is(value) ? [index] : []))
  t.same(accepted(isString), [0, 1])
  t.same(accepted(isBoolean), [2, 3])
  t.same(accepted(isObject), [4, 5])
  t.same(accepted(isFunction), [10, 11])
  const names = ['user', '$_9', 'größe', '9a', 'a b', 'a-b', 'constructor()', '__proto__', '', 7, null]
  t.same(names.filter(isPropertyName), ['user', '$_9', 'größe'])
})

t.test('the default clock follows Date.now, also when it is replaced later', async (t) => {
  const clock = readClock(undefined)
  const before = Date.now()
  t.ok(clock() >= before && clock() <= Date.now())
  t.intercept(Date, 'now', { value: () => 42_000 })
  t.equal(clock(), 42_000)
})

t.test('the options that stores have in common', async (t) => {
  const clock = (): number => 1
  t.equal(readClock(clock), clock)
  t.throws(() => readClock(5 as never), { code: INVALID, message: /^The option clock must be a function/ })
  t.same([undefined, 0, 86_400].map(readPruneInterval), [3600, 0, 86_400])
  for (const wrong of [-1, 86_401, 0.5]) t.throws(() => readPruneInterval(wrong), { code: INVALID })
})

t.test('a callback is refused wherever it stands, with what to do instead', async (t) => {
  const callback = (): void => {}
  for (const values of [[callback], [['cart'], callback], [undefined, {}, callback]]) {
    t.throws(() => assertNoCallback('session.destroy()', values), {
      code: 'ERR_SESSION_VALUE',
      message: /^session\.destroy\(\) returns a promise; it takes no callback\./
    })
    t.throws(() => assertNoCallback('session.touch()', values, false), {
      message: 'session.touch() takes no callback: it is done when it returns.'
    })
  }
  t.doesNotThrow(() => assertNoCallback('session.regenerate()', [['cart'], { keepOwner: true }]))
  t.doesNotThrow(() => assertNoCallback('session.touch()', [], false))
})
