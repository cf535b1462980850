import t from 'tap'
import { z } from 'zod'
import { RandomPool } from '../../lib/crypto/random.ts'
import { inspectCookie } from '../../lib/diagnostics/inspect-cookie.ts'
import { splitCookie } from '../../lib/inspector/cookie-parts.ts'
import { resolveOptions } from '../../lib/options.ts'
import { GuardedStore } from '../../lib/stores/guarded.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { createTransport } from '../../lib/transport/modes.ts'
import type { SessionOptions } from '../../types/options.ts'
import { CIPHER } from '../format/samples.ts'
import { OTHER_SECRET, SECRET } from '../helpers/app.ts'

const NOW = 1_763_640_000
const TIMEOUTS = { idleTimeout: 100, absoluteTimeout: 1000, maxIdleTimeout: 500, maxAbsoluteTimeout: 1000 }

function seal(
  options: object,
  ownerId: string | undefined = undefined,
  permanent = false,
  extensions?: string
): string {
  const settings = resolveOptions({ secret: SECRET, ...options } as SessionOptions)
  const store = settings.store && new GuardedStore(settings.store, 60)
  const transport = createTransport(settings, store, new RandomPool(), settings.encrypt ? CIPHER : undefined)
  const id = transport.newId()
  const times = { createdAt: NOW - 60, lastSeenAt: NOW }
  return transport.seal({ id, ...times, permanent, ownerId, extensions, json: '{"visits":7}' })
}

/** A session with extensions, in a signed cookie. */
function sealExtended(extensions: string): string {
  const transport = createTransport(resolveOptions({ secret: SECRET }), undefined, new RandomPool())
  const times = { createdAt: NOW, lastSeenAt: NOW }
  return transport.seal({ id: 'A'.repeat(22), ...times, permanent: false, ownerId: '7', extensions, json: '{}' })
}

function split(value: string, secret = SECRET) {
  return splitCookie(value, inspectCookie('session', value, [Buffer.from(secret)], TIMEOUTS, NOW, CIPHER))
}

t.test('a signed cookie has five parts, and all but the signature can be read', async (t) => {
  const value = seal({}, 'ana', true)
  const parts = split(value)
  const [format, keyId, stamp, body, signature] = parts
  t.equal(`${format?.text}${keyId?.text}${stamp?.text}.${body?.text}.${signature?.text}`, value)
  t.same(
    parts.map(({ name, access }) => [name, access]),
    [
      ['format', 'readable'],
      ['key id', 'readable'],
      ['last activity', 'readable'],
      ['session', 'readable'],
      ['signature', 'opaque']
    ]
  )
  t.match(format?.meaning, /^a signed cookie/)
  t.equal(stamp?.meaning, 'the last recorded activity: 2025-11-20T12:00:00.000Z')
  t.match(
    body?.meaning,
    /^created at 2025-11-20T11:59:00\.000Z, outlives the browser, id [\w-]{22}, owner ana, data \{"visits":7\}$/
  )
})

t.test('the version of the schema is told', async (t) => {
  const value = seal({ schema: z.object({}), schemaVersion: 3 }, undefined, false, ':v3')
  t.match(split(value)[3]?.meaning, /no owner, extensions :v3, schema version 3, data/)
})

t.test('the session in an encrypted cookie is sealed', async (t) => {
  const value = seal({ encrypt: true })
  const parts = split(value)
  t.equal(`${value.slice(0, 18)}.${parts[3]?.text}`, value)
  t.same(
    parts.map(({ name, access }) => [name, access]),
    [
      ['format', 'readable'],
      ['key id', 'readable'],
      ['last activity', 'readable'],
      ['session', 'sealed']
    ]
  )
  t.match(
    parts[3]?.meaning,
    /^sealed with .*: created at .*, ends with the browser, id .*, no owner, data \{"visits":7\}$/
  )
  t.match(split(value, OTHER_SECRET)[3]?.meaning, /this server cannot read it/)
})

t.test('a reference holds an opaque id', async (t) => {
  const value = seal({ store: new MemoryStore({ pruneInterval: 0 }) })
  const [, , , id, signature] = split(value)
  t.match(id, { name: 'session id', access: 'opaque', meaning: /under their hash, [\w-]{43}$/ })
  t.equal(id?.text.length, 43)
  t.equal(signature?.name, 'signature')
})

t.test('a cookie of another format is one part', async (t) => {
  t.same(split('<b>'), [{ name: 'unknown', text: '<b>', meaning: 'not a cookie of this library', access: 'opaque' }])
  t.same(
    split(`s2aaaaaa${NOW}.`).map(({ text }) => text),
    ['s2', 'aaaaaa', `${NOW}`, '']
  )
})

t.test('extensions are shown as they are', async (t) => {
  const [, , , body] = split(sealExtended(':v3:wA'))
  t.match(body?.meaning, /, owner 7, extensions :v3:wA, schema version 3, data \{\}$/)
})
