import t from 'tap'
import { z } from 'zod'
import type { AcceptedData, InvalidData, OnInvalid } from '../../lib/schema/data-schema.ts'
import { DataSchema } from '../../lib/schema/data-schema.ts'
import { Migrations } from '../../lib/schema/migrations.ts'
import type { InvalidDataInfo, SchemaOptions } from '../../types/schema.ts'

const REFUSED = { code: 'ERR_SESSION_SCHEMA' }
const schema = z.object({ name: z.string(), visits: z.number().optional() })

function create(version = 1, migrations: SchemaOptions['migrations'] = undefined, onInvalid: OnInvalid = undefined) {
  return new DataSchema(schema, version, new Migrations(migrations, version), onInvalid)
}

function accepted(json: string, extensions: string, needsSave: boolean, isNewer = false): AcceptedData {
  return { kind: 'accepted', json, extensions, isNewer, needsSave }
}

function invalid(info: Partial<InvalidDataInfo>): { kind: InvalidData['kind']; info: Partial<InvalidDataInfo> } {
  return { kind: 'invalid', info }
}

t.test('data to be written are judged as a whole', async (t) => {
  const judge = create()
  judge.assert({ name: 'ada' })
  judge.assert({ name: 'ada', visits: undefined, other: 1 })
  t.throws(() => judge.assert({ visits: 1 }), { ...REFUSED, issues: [{ path: ['name'] }] })
})

t.test('an empty session is none, and what this package puts into one is not judged', async (t) => {
  const strict = new DataSchema(z.strictObject({ name: z.string().optional() }), 1, new Migrations({}, 1), undefined)
  for (const data of [{}, { next: '/' }, { _login: { id: '7' }, name: 'ada' }, { _sent: {}, visits: undefined }]) {
    strict.assert(data)
  }
  t.throws(() => strict.assert({ _csrf: 'x' }), REFUSED)
})

t.test('a member is judged without the others', async (t) => {
  const judge = create()
  judge.assertMember('visits', 1, {})
  judge.assertMember('next', 1, {})
  judge.assertMember('unknown', 1, {})
  for (const others of [{}, { name: 'ada' }, { name: 'ada', visits: 1 }]) {
    t.throws(() => judge.assertMember('visits', '1', others), { ...REFUSED, issues: [{ path: ['visits'] }] })
  }
})

t.test('a rule between members that the others keep does not refuse one of them', async (t) => {
  const between = z
    .object({ from: z.number().optional(), until: z.number().optional() })
    .refine(({ from, until }) => until === undefined || (from !== undefined && from < until), { path: ['until'] })
  const judge = new DataSchema(between, 1, new Migrations({}, 1), undefined)
  judge.assertMember('until', 2, { from: 1, _login: {} })
  t.throws(() => judge.assertMember('until', 2, { from: 3 }), { ...REFUSED, issues: [{ path: ['until'] }] })
})

t.test('a validator that throws refuses what is to be written, without quoting it', async (t) => {
  const schema = {
    '~standard': {
      version: 1 as const,
      vendor: 'test',
      validate: (data: unknown) => {
        throw (data as { name: string }).name === 'ada' ? new RangeError('not "ada"') : 'no ada'
      }
    }
  }
  const judge = new DataSchema(schema, 1, new Migrations({}, 1), undefined)
  t.throws(() => judge.assert({ name: 'ada' }), {
    ...REFUSED,
    issues: [{ path: [], message: 'The validator has thrown RangeError: not a string' }]
  })
  t.throws(() => judge.assert({ name: 'grace' }), { ...REFUSED, issues: [{ path: [] }] })
  judge.assertMember('name', 'ada', {})
})

t.test('a schema that answers with a promise is no refusal', async (t) => {
  const judge = new DataSchema(
    z.object({}).refine(async () => true),
    1,
    new Migrations({}, 1),
    undefined
  )
  t.throws(() => judge.assert({ name: 'ada' }), { code: 'ERR_SESSION_SCHEMA_ASYNC' })
  t.throws(() => judge.assertMember('name', 'ada', {}), { code: 'ERR_SESSION_SCHEMA_ASYNC' })
})

t.test('older data are migrated, and to be saved', async (t) => {
  const migrated = create(3, { 2: ({ title }) => ({ name: title }), 3: (data) => ({ ...data, visits: 1 }) })
  t.strictSame(
    migrated.open({ json: '{"title":"ada"}', extensions: undefined }),
    accepted('{"name":"ada","visits":1}', ':v3', true)
  )
  t.strictSame(
    migrated.open({ json: '{"title":"ada"}', extensions: ':v1' }),
    accepted('{"name":"ada","visits":1}', ':v3', true)
  )
  t.strictSame(
    migrated.open({ json: '{"name":"ada"}', extensions: ':v2' }),
    accepted('{"name":"ada","visits":1}', ':v3', true)
  )
})

t.test('a login and the page to come back to pass a migration by', async (t) => {
  const migrated = create(2, { 2: (data) => ({ name: Object.keys(data).join() }) })
  const json = '{"next":"/me","_login":{"id":"7"},"title":"ada"}'
  t.strictSame(
    migrated.open({ json: json, extensions: ':v1' }),
    accepted('{"name":"title","next":"/me","_login":{"id":"7"}}', ':v2', true)
  )
})

t.test('data of this version that another server has changed are judged, and to be saved', async (t) => {
  t.strictSame(
    create(2).open({ json: '{ "name": "ada" }', extensions: ':a:v2-:z' }),
    accepted('{ "name": "ada" }', ':a:v2:z', true)
  )
  t.match(
    create(2).open({ json: '{"name":1}', extensions: ':v2' }),
    invalid({ version: 2, schemaVersion: 2, issues: [{ path: ['name'] }] as never })
  )
})

t.test('newer data are taken as they are, if the schema accepts them', async (t) => {
  t.strictSame(
    create(2).open({ json: '{"fullName":"x", "name":"ada"}', extensions: ':v3' }),
    accepted('{"fullName":"x", "name":"ada"}', ':v3', false, true)
  )
  t.match(
    create(2).open({ json: '{"fullName":"ada"}', extensions: ':v3' }),
    invalid({ version: 3, issues: [{ path: ['name'] }] as never })
  )
})

t.test('data that a migration cannot read, or makes wrong, are invalid', async (t) => {
  const error = new Error('no name')
  for (const [migration, expected] of [
    [
      () => {
        throw error
      },
      { error, issues: [] }
    ],
    [() => ({ name: 1 }), { issues: [{ path: ['name'] }] }],
    [() => ({ name: 'ada', since: new Date() }), { error: { code: 'ERR_SESSION_VALUE' } }],
    [async () => ({ name: 'ada' }), { error: { code: 'ERR_SESSION_VALUE' } }],
    [() => null as never, { error: { code: 'ERR_SESSION_VALUE' } }]
  ] as const) {
    t.match(
      create(2, { 2: migration as never }).open({ json: '{"title":"ada"}', extensions: ':v1' }),
      invalid(expected as never)
    )
  }
  const late = create(3, { 3: (data) => data })
  t.match(
    late.open({ json: '{"name":"ada"}', extensions: ':v1' }),
    invalid({ version: 1, issues: [], error: undefined }),
    'too old'
  )
})

t.test('a validator that throws refuses what was read', async (t) => {
  const error = new Error('broken')
  const broken = {
    '~standard': {
      version: 1 as const,
      vendor: 'test',
      validate: () => {
        throw error
      }
    }
  }
  const judge = new DataSchema(broken, 2, new Migrations({}, 2), undefined)
  t.match(judge.open({ json: '{"name":"ada"}', extensions: ':v1' }), invalid({ error }))
})

t.test('a function may mend invalid data', async (t) => {
  const calls: unknown[] = []
  const mending = create(2, {}, (data, info) => {
    calls.push({ data, info })
    return { name: 'nobody' }
  })
  const json = '{"name":1,"_login":{"id":"7"}}'
  t.strictSame(
    mending.open({ json: json, extensions: ':v1' }),
    accepted('{"name":"nobody","_login":{"id":"7"}}', ':v2', true)
  )
  t.match(calls, [{ data: { name: 1 }, info: { version: 1, schemaVersion: 2, issues: [{ path: ['name'] }] } }])
  t.strictSame(
    mending.open({ json: json, extensions: ':v3' }),
    accepted('{"name":"nobody","_login":{"id":"7"}}', ':v2', false),
    'newer ones stay'
  )
})

t.test('data that the function cannot mend are invalid', async (t) => {
  const throwing: OnInvalid = () => {
    throw new Error('cannot')
  }
  const broken = async (): Promise<object> => Promise.reject(new Error('nobody waits'))
  for (const mend of [() => null, () => undefined as never, () => ({ name: 2 }), async () => ({}), broken, throwing]) {
    t.match(create(2, {}, mend as never).open({ json: '{"name":1}', extensions: ':v1' }), invalid({ version: 1 }))
  }
})

t.test('damaged data are no matter of the schema', async (t) => {
  t.throws(() => create(2).open({ json: '{', extensions: ':v1' }), { code: 'ERR_SESSION_UNREADABLE' })
})

t.test('data that were judged under this version are current', async (t) => {
  const current = create(2)
  t.equal(current.extensions, ':v2')
  for (const extensions of [':v2', ':a1:v2', ':v2:z']) t.equal(current.isCurrent(extensions), true, extensions)
  for (const extensions of [undefined, ':v1', ':v3', ':v2-', ':a2']) t.equal(current.isCurrent(extensions), false)
})

t.test('what this server writes after a change says whether it can judge it', async (t) => {
  const { present } = { present: (json: string, extensions?: string) => create(2).present({ json, extensions }) }
  t.strictSame(present('{"name":"ada"}', ':v2'), { json: '{"name":"ada"}', extensions: ':v2' })
  t.strictSame(present('{"name":"ada"}', ':v2-'), { json: '{"name":"ada"}', extensions: ':v2' })
  t.strictSame(present('{"name":"ada"}', ':v3'), { json: '{"name":"ada"}', extensions: ':v3-' })
  t.strictSame(present('{"name":"ada"}'), { json: '{"name":"ada"}', extensions: ':v2' })
  t.equal(present('{"name":1}'), undefined)
})
