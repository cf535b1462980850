import t from 'tap'
import { chain, isUnwaited, rescue, settled } from '../../lib/util/maybe-async.ts'

t.test('a value that is there goes on at once', (t) => {
  t.equal(
    chain(1, (value) => value + 1),
    2
  )
  t.equal(
    chain(undefined, (value) => value),
    undefined
  )
  t.throws(
    () =>
      chain(1, () => {
        throw new Error('no')
      }),
    { message: 'no' }
  )
  t.end()
})

t.test('one that is promised goes on later', async (t) => {
  const seen: unknown[] = []
  const done = chain(Promise.resolve(1), (value) => {
    seen.push(value)
    return 'result'
  })
  t.same(seen, [])
  t.equal(await done, 'result')
  t.same(seen, [1])
})

t.test('what comes of it may be promised, too', async (t) => {
  t.equal(await chain(1, async (value) => value + 1), 2)
  t.equal(await chain(Promise.resolve(1), async (value) => value + 1), 2)
})

t.test('a promise that is broken goes nowhere', async (t) => {
  const done = chain(Promise.reject(new Error('broken')), () => t.fail('it went on'))
  await t.rejects(done as Promise<unknown>, { message: 'broken' })
})

t.test('every thenable becomes a promise of this realm, and any other value stays', async (t) => {
  // biome-ignore lint/suspicious/noThenProperty: a promise of another library
  const foreign: PromiseLike<number> = { then: (done) => Promise.resolve(7).then(done) }
  const promise = settled(foreign)
  t.type(promise, Promise)
  t.equal(await promise, 7)
  for (const value of [undefined, null, 0, 'text', {}]) t.equal(settled(value), value)
})

t.test('what fails, at once or later, can be made good', async (t) => {
  const broken = new Error('broken')
  const fail = (): never => {
    throw broken
  }
  const recover = (error: unknown): unknown => ['recovered', error]
  const next = (value: number): unknown => value + 1
  t.equal(
    rescue(() => 1, next, recover),
    2
  )
  t.equal(await rescue(async () => 1, next, recover), 2)
  t.same(rescue(fail, next, recover), ['recovered', broken])
  t.same(await rescue(async () => fail(), next, recover), ['recovered', broken])
  t.throws(() => rescue(() => 1, fail, recover), broken, 'what comes of it is another matter')
  t.throws(() => rescue(fail, next, fail), broken)
})

t.test('a promise that nobody waits for may be broken', async (t) => {
  for (const value of [undefined, null, 1, {}]) t.equal(isUnwaited(value), false)
  t.equal(isUnwaited(Promise.resolve(1)), true)
  t.equal(isUnwaited(Promise.reject(new Error('broken'))), true)
  await new Promise((resolve) => setImmediate(resolve))
})
