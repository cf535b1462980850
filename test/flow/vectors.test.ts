import { execFileSync, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import fastify from 'fastify'
import t from 'tap'
import session from '../../lib/index.ts'
import type { SessionOptions } from '../../types/options.ts'
import { readVectors } from '../format/samples.ts'
import type { ValidVector, Vectors } from '../vectors/generate.ts'
import { secretBytes } from '../vectors/generate.ts'

const MODES = ['signed', 'encrypted'] as const
const pathOf = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url))

/** What the plugin makes of a cookie: the reason that it gives, and the session that a handler sees. */
async function openInPlugin(
  vectors: Vectors,
  { cookieName, secrets, cookie }: Pick<ValidVector, 'cookieName' | 'secrets' | 'cookie'>,
  encrypt: boolean
): Promise<{ reason: string | undefined; seen: Record<string, unknown> }> {
  const app = fastify({ trustProxy: true })
  const { now, idleTimeout, absoluteTimeout } = vectors
  const options = {
    secret: secrets.map((secret) => ('text' in secret ? secret.text : secretBytes(secret))),
    cookieName,
    encrypt,
    idleTimeout,
    absoluteTimeout,
    clock: () => now * 1000,
    debug: true
  }
  await app.register(session, options as SessionOptions)
  app.get('/', async ({ session }) => ({
    data: session,
    createdAt: session.createdAt.getTime() / 1000,
    permanent: session.permanent,
    ownerId: session.ownerId ?? null,
    isNew: session.isNew
  }))
  const headers = { cookie: `first=1; ${cookieName}=${cookie}; last=1`, 'x-forwarded-proto': 'https' }
  const response = await app.inject({ url: '/', headers })
  const trace = String(response.headers['session-trace'])
  return { reason: trace.match(/; open=([a-z-]+);/)?.[1], seen: response.json() }
}

for (const mode of MODES) {
  t.test(`${mode}: the plugin opens every valid vector`, async (t) => {
    const vectors = readVectors(mode)
    for (const vector of vectors.valid) {
      const { reason, seen } = await openInPlugin(vectors, vector, mode === 'encrypted')
      const { data, createdAt, permanent, ownerId } = vector.record
      t.equal(reason, 'opened', vector.name)
      // A key that is the name of a method, or that would replace the prototype, stays behind.
      const { id: _id, ...reachable } = data as Record<string, unknown>
      const kept = Object.fromEntries(Object.entries(reachable).filter(([key]) => key !== '__proto__'))
      t.strictSame(seen, { data: kept, createdAt, permanent, ownerId, isNew: false }, vector.name)
    }
  })

  t.test(`${mode}: the plugin refuses every invalid vector with its reason, and the session is empty`, async (t) => {
    const vectors = readVectors(mode)
    for (const vector of vectors.invalid) {
      const { reason, seen } = await openInPlugin(vectors, vector, mode === 'encrypted')
      t.equal(reason, vector.reason, vector.name)
      t.match(seen, { data: {}, ownerId: null, isNew: true })
    }
  })
}

const hasPython = spawnSync('python3', ['--version']).status === 0
const skip =
  hasPython || process.env.CI === 'true' ? false : 'python3 is not on this machine: the reader in Python was not run'

t.test('a reader in Python, made from the description alone, agrees on every signed vector', { skip }, (t) => {
  if (!hasPython) {
    t.fail('python3 is not on this machine, and with CI=true it must be')
    t.end()
    return
  }
  const vectors = readVectors('signed')
  const output = execFileSync('python3', [pathOf('read-cookie.py'), pathOf('vectors/signed.json')], {
    encoding: 'utf8'
  })
  const results: unknown[] = JSON.parse(output)
  t.equal(results.length, vectors.valid.length + vectors.invalid.length)
  for (const [index, { name, record }] of vectors.valid.entries()) t.strictSame(results[index], record, name)
  for (const [index, { name, reason }] of vectors.invalid.entries()) {
    t.equal(results[vectors.valid.length + index], reason, name)
  }
  t.end()
})
