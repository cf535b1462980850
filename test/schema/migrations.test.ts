import t from 'tap'
import { Migrations } from '../../lib/schema/migrations.ts'

const append = (letter: string) => (data: object) => ({ text: `${(data as { text: string }).text}${letter}` })

t.test('data pass through the functions from their version to the present one', async (t) => {
  const migrations = new Migrations({ 2: append('b'), 3: append('c'), 4: append('d') }, 4)
  t.same(migrations.run({ text: 'a' }, 1), { text: 'abcd' })
  t.same(migrations.run({ text: 'c' }, 3), { text: 'cd' })
  t.same(migrations.run({ text: 'd' }, 4), { text: 'd' })
})

t.test('data that are older than the oldest function can read have no way', async (t) => {
  const migrations = new Migrations({ 3: append('c'), 4: append('d') }, 4)
  t.equal(migrations.canBegin(1), false)
  t.equal(migrations.canBegin(2), true)
  t.equal(migrations.canBegin(3), true)
})

t.test('without functions data stay as they are', async (t) => {
  for (const given of [undefined, {}]) {
    const migrations = new Migrations(given, 4)
    t.equal(migrations.canBegin(1), true)
    const data = { text: 'a' }
    t.equal(migrations.run(data, 1), data)
  }
})

t.test(
  'a function that returns no object, or a promise of one, stops before the next would go on without data',
  async (t) => {
    for (const wrong of [() => undefined, () => null, () => 'text', () => ['text'], async () => ({ text: 'b' })]) {
      const migrations = new Migrations({ 2: wrong as never, 3: (data) => ({ ...data }) }, 3)
      t.throws(() => migrations.run({ text: 'a' }, 1), { code: 'ERR_SESSION_VALUE' })
    }
  }
)

t.test('a promise that a function returns does not end the process when it is broken', async (t) => {
  const migrations = new Migrations({ 2: () => Promise.reject(new Error('nobody waits')) }, 2)
  t.throws(() => migrations.run({}, 1), { code: 'ERR_SESSION_VALUE', message: /promise/ })
})

t.test('wrong ones are refused at start', async (t) => {
  const identity = (data: object): object => data
  for (const [given, message] of [
    [null, /must be an object/],
    [[identity], /must be an object/],
    [{ 1: identity }, /a function for "1"/],
    [{ 5: identity }, /a function for "5".*schemaVersion, which is 4/],
    [{ '2.5': identity }, /a function for "2.5"/],
    [{ '02': identity }, /a function for "02"/],
    [{ two: identity }, /a function for "two"/],
    [{ 4: 'x' }, /migrations\[4\] must be a function/],
    [{ 2: identity, 4: identity }, /no function for version 3.*Write 3: \(data\) => data/],
    [{ 2: identity, 3: identity }, /no function for version 4/]
  ] as const) {
    t.throws(() => new Migrations(given as never, 4), { code: 'ERR_SESSION_OPTION_INVALID', message })
  }
})
