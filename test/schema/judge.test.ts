import { type } from 'arktype'
import t from 'tap'
import * as v from 'valibot'
import { z } from 'zod'
import { assertSchema, isSchema, judge, judgeToSave } from '../../lib/schema/judge.ts'
import type { StandardSchema } from '../../types/schema.ts'

const SCHEMAS: readonly [string, StandardSchema][] = [
  ['Zod', z.object({ visits: z.number(), cart: z.record(z.string(), z.number()).optional() })],
  ['Valibot', v.object({ visits: v.number(), cart: v.optional(v.record(v.string(), v.number())) })],
  ['ArkType', type({ visits: 'number', 'cart?': 'Record<string, number>' })]
]

for (const [library, schema] of SCHEMAS) {
  t.test(`a schema of ${library} judges data`, async (t) => {
    t.equal(isSchema(schema), true)
    t.equal(judge(schema, { visits: 1, cart: { tea: 2 } }), undefined)
    const issues = judge(schema, { visits: 'ada@example.org', cart: { tea: 'earl grey' } })
    t.strictSame(
      issues?.map(({ path }) => path),
      [['visits'], ['cart', 'tea']]
    )
    for (const { message } of issues ?? []) {
      t.match(message, /number/)
      t.notMatch(message, /ada@example|earl grey/, 'no values')
    }
  })
}

t.test('a path has keys, numbers for the items of an array', async (t) => {
  const issues = judge(z.object({ names: z.array(z.string()) }), { names: ['a', 1] })
  t.strictSame(issues?.[0]?.path, ['names', 1])
  const symbol: StandardSchema = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: () => ({ issues: [{ message: 'no', path: [Symbol('a'), { key: 0 }] }, { message: 'not "secret"' }] })
    }
  }
  t.strictSame(judge(symbol, { a: 'secret' }), [
    { path: ['Symbol(a)', 0], message: 'no' },
    { path: [], message: 'not a string' }
  ])
})

t.test('a schema that answers with a promise is refused', async (t) => {
  const late = z.object({
    name: z
      .string()
      .refine(async () => true)
      .optional()
  })
  t.doesNotThrow(() => assertSchema(late, 'schema'), 'an empty session does not show it')
  t.throws(() => judge(late, { name: 'ada' }), { code: 'ERR_SESSION_SCHEMA_ASYNC', statusCode: 500 })
  t.throws(() => assertSchema(v.objectAsync({}), 'schema'), { code: 'ERR_SESSION_SCHEMA_ASYNC' })
  const failing: StandardSchema = {
    '~standard': { version: 1, vendor: 'test', validate: async () => Promise.reject(new Error('nobody waits')) }
  }
  t.throws(() => judge(failing, {}), { code: 'ERR_SESSION_SCHEMA_ASYNC' })
})

t.test('what is to be saved is refused by a validator that throws, which quotes nothing', async (t) => {
  const throwing = (error: unknown): StandardSchema => ({
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: () => {
        throw error
      }
    }
  })
  t.strictSame(judgeToSave(throwing(new TypeError('cannot read "ada" or 7')), { name: 'ada', visits: 7 }), [
    { path: [], message: 'The validator has thrown TypeError: cannot read a string or a number' }
  ])
  t.strictSame(judgeToSave(z.object({}), {}), undefined)
  t.throws(() => judgeToSave(v.objectAsync({}), {}), { code: 'ERR_SESSION_SCHEMA_ASYNC' })
})

t.test('anything else is no schema', async (t) => {
  for (const value of [
    undefined,
    null,
    {},
    'schema',
    () => true,
    { '~standard': null },
    { '~standard': { version: 2, validate: () => ({ value: 1 }) } },
    { '~standard': { version: 1 } }
  ]) {
    t.throws(() => assertSchema(value, 'The option schema'), {
      code: 'ERR_SESSION_OPTION_INVALID',
      message: /^The option schema/
    })
  }
})
