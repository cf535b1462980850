import { type } from 'arktype'
import t from 'tap'
import * as v from 'valibot'
import { z } from 'zod'
import { fitsSchema, isSchemaLike } from '../../lib/guard/fits-schema.ts'

t.test('what has the property of the standard means to be a schema', async (t) => {
  for (const schema of [z.object({}), v.object({}), type({}), { '~standard': 1 }]) t.equal(isSchemaLike(schema), true)
  for (const other of ['userId', () => true, {}, undefined, null]) t.equal(isSchemaLike(other), false)
})

t.test('a session fits if the schema accepts its data', async (t) => {
  for (const schema of [
    z.strictObject({ role: z.literal('admin') }),
    v.strictObject({ role: v.literal('admin') }),
    type({ role: '"admin"', '+': 'reject' })
  ]) {
    const fits = fitsSchema(schema)
    t.equal(fits({ role: 'admin' }), true)
    t.equal(fits({ role: 'admin', next: '/', _login: {}, _sent: {} }), true, 'without what this package puts into it')
    t.equal(fits({ role: 'reader' }), false)
    t.equal(fits({}), false)
  }
})

t.test('a schema that cannot answer at once is refused', async (t) => {
  t.throws(() => fitsSchema(v.objectAsync({})), { code: 'ERR_SESSION_SCHEMA_ASYNC' })
  t.throws(() => fitsSchema({ '~standard': 1 } as never), { code: 'ERR_SESSION_OPTION_INVALID' })
  const late = fitsSchema(z.object({ name: z.string().refine(async () => true) }))
  t.throws(() => late({ name: 'ada' }), { code: 'ERR_SESSION_SCHEMA_ASYNC' })
})
