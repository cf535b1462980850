import t from 'tap'
import { runCli } from '../../lib/cli/cli.ts'
import { VERSION } from '../../lib/util/version.ts'
import { run } from '../helpers/run-cli.ts'
import { freePort } from '../helpers/service.ts'

t.test('a wrong command line is explained in a line, with exit code 2', async (t) => {
  t.match(await run([]), { code: 2, err: /^A command is missing\.\nSee fastify-typed-session --help\.$/ })
  t.match(await run(['doctor', 'x']), { code: 2, err: /^There is no command doctor\. Known are secret, inspect, / })
  t.match(await run(['toString']), { code: 2, err: /^There is no command toString/ })
  t.match(await run(['secret', '--bogus']), { code: 2, err: /--bogus/ })
  t.match(await run(['inspect', 'x'], { env: { SESSION_SECRET: 'short' } }), {
    code: 2,
    err: /^SESSION_SECRET must have at least 32 characters; it has 5\./
  })
})

t.test('--help prints the usage, and nothing else does', async (t) => {
  for (const args of [['--help'], ['-h'], ['inspect', '--help']]) {
    t.match(await run(args), { code: 0, out: /^Usage: fastify-typed-session/ })
  }
  for (const name of ['--help', '-h']) {
    t.match(
      await run(['secret', '--', name]),
      { code: 2, err: 'secret takes no argument.' },
      'an owner may be called so'
    )
  }
  for (const args of [[], ['inspect'], ['sessions']]) t.notMatch((await run(args)).err, 'Usage')
})

t.test('--version prints the version', async (t) => {
  t.same(await run(['--version']), { code: 0, out: VERSION, err: '' })
})

t.test('what controls a terminal is escaped in errors', async (t) => {
  const { err } = await run(['inspect\u001b[2J\u202e'])
  t.match(err, 'no command inspect\\u001b[2J\\u202e')
})

t.test('a bug is not reported as a usage error', async (t) => {
  const broken = {
    env: {},
    log: () => {
      throw new RangeError('bug')
    },
    error: () => {},
    clock: () => 0,
    readInput: async () => '',
    ask: undefined
  }
  await t.rejects(runCli(['secret'], broken), { message: 'bug' })
})

t.test('a store that fails is told without a way to the usage, with exit code 1', async (t) => {
  const port = await freePort()
  const { code, err } = await run(['sessions', 'ana', '--store', `redis://127.0.0.1:${port}`])
  t.equal(code, 1)
  t.match(err, /^The store failed: /)
  t.notMatch(err, '--help')
})
