import t from 'tap'
import type { Script } from '../../../lib/stores/redis/commands.ts'
import { hasMethods, toCached, toFields } from '../../../lib/stores/redis/commands.ts'

const SCRIPT: Script = { source: 'return ARGV', sha: 'd1e5' }

t.test('a script that the server has forgotten is sent as a whole', async (t) => {
  for (const message of [
    'NOSCRIPT No matching script. Please use EVAL.',
    'An error was signalled by the server: - NoScriptError: No matching script. Please use EVAL.'
  ]) {
    const run = toCached(
      () => Promise.reject(new Error(message)),
      async (script, name, values) => [script.source, name, ...values, Buffer.from('text'), 1]
    )
    t.same(await run(SCRIPT, 'name', ['a', 'b']), ['return ARGV', 'name', 'a', 'b', 'text', '1'])
  }
  const known = toCached(
    async ({ sha }) => [Buffer.from(sha)],
    async () => t.fail('sent again')
  )
  t.same(await known(SCRIPT, 'name', []), ['d1e5'])
})

t.test('what is no forgotten script is not sent again', async (t) => {
  for (const thrown of [new Error('READONLY You cannot write against a read only replica.'), 'no error']) {
    const run = toCached(
      () => Promise.reject(thrown),
      async () => t.fail('sent again')
    )
    t.equal(await run(SCRIPT, 'name', []).catch((error) => error), thrown)
  }
})

t.test('the fields of a hash come in every shape that a client can be set to give', async (t) => {
  const fields = { v: '0', '.a': '1' }
  const pairs = Object.entries(fields)
  t.equal(toFields(fields), fields)
  for (const reply of [new Map(pairs), pairs, pairs.flat()]) t.same({ ...toFields(reply) }, fields)
  const buffers = pairs.flat().map((text) => Buffer.from(text))
  t.same({ ...toFields(buffers) }, { v: Buffer.from('0'), '.a': Buffer.from('1') })
  t.equal(Reflect.getPrototypeOf(toFields([])), null, 'no field is there that was not given')
  for (const [reply, what] of [
    [null, 'null'],
    [undefined, 'undefined'],
    ['QUEUED', 'string'],
    [0, 'number']
  ]) {
    const message = `The client must answer HGETALL with the fields of a hash; it returned ${what}.`
    t.throws(() => toFields(reply), { name: 'TypeError', message }, 'it must not pass for a session that has ended')
  }
})

t.test('methods are looked for', async (t) => {
  const value = { a() {}, b: 1 }
  t.ok(hasMethods<{ a(): void }>(value, 'a'))
  t.notOk(hasMethods<typeof value>(value, 'a', 'b'))
  t.notOk(hasMethods<{ a(): void }>(null, 'a'))
})
