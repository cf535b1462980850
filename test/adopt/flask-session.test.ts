import { readFileSync } from 'node:fs'
import { encode } from '@msgpack/msgpack'
import fc from 'fast-check'
import t from 'tap'
import type { FlaskSessionOptions } from '../../lib/adopt/flask-session.ts'
import { flaskSession, flaskSessionReader } from '../../lib/adopt/flask-session.ts'
import { FlaskSigner } from '../../lib/flask/signer.ts'
import type { SessionReader } from '../../types/adopt.ts'

interface Vectors {
  readonly valid: readonly {
    readonly name: string
    readonly format: 'msgpack' | 'json'
    readonly session: Record<string, unknown>
    readonly record: string
  }[]
  readonly pickles: readonly string[]
}

const VECTORS: Vectors = JSON.parse(readFileSync(new URL('../vectors/flask/records.json', import.meta.url), 'utf8'))
const ID = 'QxWmWhSzb8XvSJjRb7qk2n5yTb0gk4sX2qmGqY0n3iE'
const SECRET_KEY = 'tests only: 9f0c1d5be7a24386'
const CONTEXT = { now: 1_795_176_000, cookiesNamed: () => [] }

async function create(options: Partial<FlaskSessionOptions> = {}) {
  const records = new Map<string, Uint8Array>()
  const store = {
    get: async (key: string) => records.get(key),
    delete: async (key: string) => records.delete(key)
  }
  const reader = flaskSession({ store, ...options })
  await reader.start?.()
  return { records, reader }
}

async function read(reader: SessionReader, value: string): Promise<unknown> {
  return reader.read(value, CONTEXT)
}

t.test('every record of Flask-Session is read, with its types as JSON has them', async (t) => {
  const { records, reader } = await create()
  for (const { name, format, session, record } of VECTORS.valid) {
    records.set(`session:${ID}`, Buffer.from(record, 'base64'))
    const { _permanent: permanent = false, ...data } = session
    t.match(await read(reader, ID), { key: ID, isUnique: true, permanent, ownerId: undefined }, name)
    t.same(((await read(reader, ID)) as { data: unknown }).data, data, `${name}, ${format}`)
  }
})

t.test('JSON needs no package, and MessagePack is refused then', async (t) => {
  const { records, reader } = await create({ format: 'json' })
  for (const { name, format, session, record } of VECTORS.valid) {
    records.set(`session:${ID}`, Buffer.from(record, 'base64'))
    const { _permanent, ...data } = session
    const found = await read(reader, ID)
    if (format === 'json') t.same((found as { data: unknown }).data, data, name)
    else t.equal(found, 'refused', name)
  }
})

t.test('a record that is not there is gone, and one that is found can be ended', async (t) => {
  const { records, reader } = await create({ prefix: 'shop:' })
  t.same(await read(reader, ID), { key: ID, data: undefined })
  records.set(`shop:${ID}`, Buffer.from('{"n":1}'))
  const found = (await read(reader, ID)) as { end(): Promise<void>; data: object }
  t.same(found.data, { n: 1 })
  await found.end()
  t.equal(records.size, 0)
  t.same(await read(reader, ID), { key: ID, data: undefined })
  for (const id of ['', 'x'.repeat(257)]) t.equal(await read(reader, id), 'refused')
})

t.test('with a key, the id is signed', async (t) => {
  const { records, reader } = await create({ secretKey: SECRET_KEY })
  records.set(`session:${ID}`, Buffer.from('{"n":1}'))
  const keys = [new TextEncoder().encode(SECRET_KEY)]
  const sign = (id: string, salt = 'flask-session'): string => new FlaskSigner({ keys, salt, digest: 'sha1' }).sign(id)
  t.match(await read(reader, sign(ID)), { key: ID, data: { n: 1 } })
  for (const value of [ID, `${sign(ID)}x`, sign(ID, 'cookie-session'), sign(''), '.', '']) {
    t.equal(await read(reader, value), 'refused')
  }
})

t.test('without a signature anybody writes the cookie, so that only the form of an id reaches the store', async (t) => {
  const asked: string[] = []
  const get = async (key: string): Promise<undefined> => void asked.push(key)
  const reader = flaskSession({ store: { get, delete: async () => 0 }, format: 'json' })
  for (const value of ['../ada', 'a/b', 'a.b', 'a*', 'a%2Fb', 'a b', 'é', 'a\r\nDEL x', 'x'.repeat(257), '']) {
    t.equal(await read(reader, value), 'refused')
  }
  t.same(asked, [])
  for (const id of [ID, '0b1c2d3e-0000-4000-8000-000000000000']) t.match(await read(reader, id), { key: id })
  t.equal(asked.length, 2)
})

t.test('pickle is refused, with one warning', async (t) => {
  const { records, reader } = await create()
  const warnings = t.capture(process, 'emitWarning')
  for (const pickle of VECTORS.pickles) {
    records.set(`session:${ID}`, Buffer.from(pickle, 'base64'))
    t.equal(await read(reader, ID), 'refused')
  }
  t.match(warnings(), [{ args: [/is in pickle, which flaskSession\(\) does not read/, 'FastifyTypedSessionWarning'] }])
  t.throws(() => flaskSession({ store: { get: async () => null, delete: async () => 0 }, format: 'pickle' as never }), {
    code: 'ERR_SESSION_OPTION_INVALID',
    message: /cannot be 'pickle': whoever reads it runs what is in it/
  })
})

t.test('whatever a record is, nothing throws, and what is no object does not open', async (t) => {
  const { records, reader } = await create()
  t.intercept(process, 'emitWarning', { value: () => {} })
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async (bytes) => {
      records.set(`session:${ID}`, bytes)
      await read(reader, ID)
    }),
    { numRuns: 3000 }
  )
  const array = encode([1])
  const deep = Buffer.concat([Buffer.alloc(500_000, 0x91), Buffer.from([0x01])])
  const large = Buffer.from(JSON.stringify({ text: 'x'.repeat(1_048_576) }))
  // A map with the key `__proto__`.
  const proto = Buffer.from([0x81, 0xa9, ...Buffer.from('__proto__'), 0x80])
  for (const bytes of [array, deep, large, proto, Buffer.from('[1]'), Buffer.from('{"n":'), Buffer.from([0x80, 9])]) {
    records.set(`session:${ID}`, bytes)
    t.equal(await read(reader, ID), 'refused')
  }
})

t.test('a store that fails is not a visitor without a session', async (t) => {
  const store = { get: async () => Promise.reject(new Error('down')), delete: async () => 0 }
  const reader = flaskSession({ store, format: 'json' })
  await reader.start?.()
  await t.rejects(read(reader, ID), { message: 'down' })
})

t.test('the application says what becomes of the data, and whose they are', async (t) => {
  const { records, reader } = await create({
    cookieName: 'shop',
    remove: true,
    map: (old) => ({ userId: Number(old.user_id) }) as object,
    ownerOf: (old) => String(old.user_id)
  })
  t.match(reader, { cookieName: 'shop', remove: true })
  records.set(`session:${ID}`, Buffer.from('{"user_id":7}'))
  t.match(await read(reader, ID), { data: { userId: 7 }, ownerId: '7' })
  t.equal((await create()).reader.cookieName, 'session')
})

t.test('without the package for MessagePack, the application does not start', async (t) => {
  const store = { get: async () => null, delete: async () => 0 }
  const missing = async (): Promise<never> => Promise.reject(new Error('Cannot find package'))
  await t.rejects(async () => flaskSessionReader({ store }, missing).start?.(), {
    code: 'ERR_SESSION_PEER_MISSING',
    message: /^flaskSession\(\) needs the package @msgpack\/msgpack, version 3/
  })
  await flaskSessionReader({ store, format: 'json' }, missing).start?.()
  t.equal(
    await read(flaskSessionReader({ store: { ...store, get: async () => Uint8Array.of(0x80) } }, missing), ID),
    'refused'
  )
})

t.test('a wrong option is refused', (t) => {
  const store = { get: async () => null, delete: async () => 0 }
  for (const [options, code] of [
    [{ key: 1 }, 'OPTION_UNKNOWN'],
    [{ store: {} }, 'OPTION_INVALID'],
    [{ prefix: 1 }, 'OPTION_INVALID'],
    [{ format: 'yaml' }, 'OPTION_INVALID'],
    [{ cookieName: 1 }, 'OPTION_INVALID'],
    [{ secretKey: 'dev' }, 'SECRET_WEAK']
  ] as const) {
    t.throws(() => flaskSession({ store, ...options } as never), { code: `ERR_SESSION_${code}` })
  }
  t.end()
})
