import t from 'tap'
import { z } from 'zod'
import { readSchema, SCHEMA_OPTIONS } from '../../lib/schema/read-schema.ts'

const schema = z.object({ name: z.string() })
const INVALID = { code: 'ERR_SESSION_OPTION_INVALID' }

t.test('without a schema there is nothing', async (t) => {
  t.equal(readSchema({}), undefined)
  for (const others of [{ schemaVersion: 2 }, { migrations: {} }, { onInvalidData: 'anonymous' }] as const) {
    const [name] = Object.keys(others)
    t.throws(() => readSchema(others), { ...INVALID, message: `The option ${name} needs the option schema.` })
  }
  t.strictSame(SCHEMA_OPTIONS, ['schema', 'schemaVersion', 'migrations', 'onInvalidData'])
})

t.test('the version is 1, and invalid data are an empty session', async (t) => {
  const read = readSchema({ schema })
  t.equal(read?.version, 1)
  t.match(read?.open({ json: '{"name":1}', extensions: ':v2' }), { kind: 'invalid' })
  t.match(readSchema({ schema, onInvalidData: 'anonymous' })?.open({ json: '{"name":1}', extensions: ':v2' }), {
    kind: 'invalid'
  })
})

t.test('every option is taken', async (t) => {
  const read = readSchema({
    schema,
    schemaVersion: 2,
    migrations: { 2: ({ title }) => ({ name: title }) },
    onInvalidData: () => ({ name: 'nobody' })
  })
  t.equal(read?.version, 2)
  t.match(read?.open({ json: '{"title":"ada"}', extensions: ':v1' }), { json: '{"name":"ada"}' })
  t.match(read?.open({ json: '{"title":1}', extensions: ':v1' }), { json: '{"name":"nobody"}' })
})

t.test('wrong ones are refused', async (t) => {
  t.throws(() => readSchema({ schema: {} as never }), INVALID)
  for (const schemaVersion of [0, -1, 1.5, '2', null, Number.POSITIVE_INFINITY, 1e12]) {
    t.throws(() => readSchema({ schema, schemaVersion: schemaVersion as never }), INVALID)
  }
  t.throws(() => readSchema({ schema, migrations: { 2: (data) => data } }), INVALID)
  t.throws(() => readSchema({ schema, onInvalidData: 'ignore' as never }), INVALID)
})
