import { join } from 'node:path'
import t from 'tap'
import { readFileOptions, readFileRevocationsOptions } from '../../../lib/stores/file/options.ts'

t.test('the directory is all that is needed', async (t) => {
  const { clock, ...others } = readFileOptions({ directory: 'sessions' })
  t.same(others, { directory: join(process.cwd(), 'sessions'), fsync: false, pruneInterval: 3600, lockTimeout: 5 })
  t.ok(Math.abs(clock() - Date.now()) < 10_000)
  const all = { directory: '/sessions', fsync: true, pruneInterval: 0, lockTimeout: 1, clock: () => 7 }
  t.same(readFileOptions(all), all)
})

t.test('options that cannot be are refused', async (t) => {
  const directory = 'sessions'
  for (const options of [
    undefined,
    {},
    { directory: '' },
    { directory: 1 },
    { directory, fsync: 1 },
    { directory, pruneInterval: -1 },
    { directory, lockTimeout: 0 },
    { directory, lockTimeout: 0.009 },
    { directory, lockTimeout: 601 },
    { directory, lockTimeout: Number.NaN },
    { directory, lockTimeout: '5' },
    { directory, clock: 1 }
  ]) {
    // @ts-expect-error what people without types write
    t.throws(() => readFileOptions(options), { code: 'ERR_SESSION_OPTION_INVALID' }, JSON.stringify(options))
  }
  // @ts-expect-error the same
  t.throws(() => readFileOptions({ directory, path: 'x' }), { code: 'ERR_SESSION_OPTION_UNKNOWN' })
})

t.test('the timeout of locks is a number of seconds', async (t) => {
  const directory = 'sessions'
  for (const lockTimeout of [0.01, 2.5, 600]) {
    t.equal(readFileOptions({ directory, lockTimeout }).lockTimeout, lockTimeout)
  }
  t.throws(() => readFileOptions({ directory, lockTimeout: 5000 }), {
    message: 'The option lockTimeout must be a number of seconds from 0.01 to 600; it is 5000.'
  })
})

t.test('a list takes a directory and a clock', async (t) => {
  const clock = (): number => 7
  const read = readFileRevocationsOptions({ directory: 'revocations', clock })
  t.same(read, { directory: join(process.cwd(), 'revocations'), clock })
  t.throws(() => readFileRevocationsOptions({ directory: '' }), { code: 'ERR_SESSION_OPTION_INVALID' })
  // @ts-expect-error it has no such option
  t.throws(() => readFileRevocationsOptions({ directory: 'x', fsync: true }), { code: 'ERR_SESSION_OPTION_UNKNOWN' })
})
