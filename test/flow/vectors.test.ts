import { execFileSync, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import fastify from 'fastify'
import type { Test } from 'tap'
import t from 'tap'
import { RandomPool } from '../../lib/crypto/random.ts'
import type { LoadedRecord } from '../../lib/format/record.ts'
import session from '../../lib/index.ts'
import { resolveOptions } from '../../lib/options.ts'
import { SessionFactory } from '../../lib/request/factory.ts'
import { createTransport } from '../../lib/transport/modes.ts'
import type { SessionOptions } from '../../types/options.ts'
import { absent, CIPHER, readMemberVectors, readVectors } from '../format/samples.ts'
import { SECRET } from '../helpers/app.ts'
import type { ValidVector, Vectors } from '../vectors/generate.ts'
import { secretBytes } from '../vectors/generate.ts'

const MODES = ['signed', 'encrypted'] as const
const pathOf = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url))

/** Opens a cookie as a request would. Not through the plugin, which refuses the secrets of the vectors: everybody knows them. */
function open(
  vectors: Vectors,
  { cookieName, secrets, cookie }: Pick<ValidVector, 'cookieName' | 'secrets' | 'cookie'>,
  encrypt: boolean
): Promise<LoadedRecord | string> {
  const { now, idleTimeout, absoluteTimeout, maxIdleTimeout, maxAbsoluteTimeout } = vectors
  const options = resolveOptions({
    secret: SECRET,
    cookieName,
    encrypt,
    idleTimeout,
    absoluteTimeout,
    maxIdleTimeout,
    maxAbsoluteTimeout
  } as SessionOptions)
  const settings = { ...options, secrets: secrets.map(secretBytes) }
  const transport = createTransport(settings, undefined, new RandomPool(), encrypt ? CIPHER : undefined)
  return new SessionFactory(settings, transport, () => now).read(`first=1; ${cookieName}=${cookie}; last=1`)
}

for (const mode of MODES) {
  t.test(`${mode}: every valid vector opens`, async (t) => {
    const vectors = readVectors(mode)
    for (const vector of vectors.valid) {
      const { json, ...record } = (await open(vectors, vector, mode === 'encrypted')) as LoadedRecord
      t.strictSame(record, { ...vector.record, ...absent(vector.record) }, vector.name)
      t.strictSame(JSON.parse(json), vector.record.data, vector.name)
    }
  })

  t.test(`${mode}: every invalid vector is refused with its reason`, async (t) => {
    const vectors = readVectors(mode)
    for (const vector of vectors.invalid) {
      const reason = vector.cookie === '' ? 'cleared' : vector.reason
      t.equal(await open(vectors, vector, mode === 'encrypted'), reason, vector.name)
    }
  })

  t.test(`${mode}: the plugin refuses the secrets of the vectors`, async (t) => {
    const { valid } = readVectors(mode)
    for (const secret of valid.flatMap((vector) => vector.secrets)) {
      const given = 'text' in secret ? secret.text : secretBytes(secret)
      const register = Promise.resolve(fastify().register(session, { secret: given }))
      await t.rejects(register, { code: 'ERR_SESSION_SECRET_WEAK' })
    }
  })
}

const hasPython = spawnSync('python3', ['--version']).status === 0
const skip =
  hasPython || process.env.CI === 'true' ? false : 'python3 is not on this machine: the reader in Python was not run'

/** Tells what the reader in Python says of the vectors in a file; undefined if it cannot run. */
function readByPython(t: Test, name: string): unknown[] | undefined {
  if (hasPython) {
    const output = execFileSync('python3', [pathOf('read-cookie.py'), pathOf(`vectors/${name}.json`)], {
      encoding: 'utf8'
    })
    return JSON.parse(output)
  }
  t.fail('python3 is not on this machine, and with CI=true it must be')
  return undefined
}

for (const mode of MODES) {
  t.test(`a reader in Python, made from the description alone, agrees on every ${mode} vector`, { skip }, async (t) => {
    const vectors = readVectors(mode)
    const results = readByPython(t, mode)
    t.equal(results?.length, vectors.valid.length + vectors.invalid.length)
    for (const [index, { name, record }] of vectors.valid.entries()) t.strictSame(results?.[index], record, name)
    for (const [index, { name, reason }] of vectors.invalid.entries()) {
      t.equal(results?.[vectors.valid.length + index], reason, name)
    }
  })
}

t.test('it agrees on every value of a member in a store, too', { skip }, async (t) => {
  const { valid, invalid } = readMemberVectors()
  const results = readByPython(t, 'members')
  t.same(results, [...valid.map(({ text }) => text), ...invalid.map(() => null)])
})
