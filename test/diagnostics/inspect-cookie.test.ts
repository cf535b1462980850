import t from 'tap'
import { RandomPool } from '../../lib/crypto/random.ts'
import { findCookies, inspectCookie } from '../../lib/diagnostics/inspect-cookie.ts'
import { resolveOptions } from '../../lib/options.ts'
import { GuardedStore } from '../../lib/stores/guarded.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { createTransport } from '../../lib/transport/modes.ts'
import { CIPHER } from '../format/samples.ts'
import { OTHER_SECRET, SECRET } from '../helpers/app.ts'

const NOW = 1_763_640_000
const TIMEOUTS = { idleTimeout: 100, absoluteTimeout: 1000, maxIdleTimeout: 500, maxAbsoluteTimeout: 1000 }
const KEYS = [Buffer.from(SECRET)]

function seal(encrypt: boolean): string {
  const transport = createTransport(
    resolveOptions({ secret: SECRET, encrypt }),
    undefined,
    new RandomPool(),
    encrypt ? CIPHER : undefined
  )
  const record = {
    id: 'A'.repeat(22),
    createdAt: NOW,
    lastSeenAt: NOW,
    permanent: true,
    ownerId: 'ana',
    extensions: undefined,
    json: '{"a":1}'
  }
  return transport.seal(record)
}

t.test('a pasted cookie is taken in any form that a browser or curl shows', async (t) => {
  for (const text of [
    'v',
    ' v ',
    'session=v',
    'session=v; Path=/',
    'Set-Cookie: session=v; Path=/',
    'cookie: session=v'
  ]) {
    t.same(findCookies(text, 'session'), [{ name: 'session', value: 'v' }], text)
  }
  t.same(findCookies('admin=v; HttpOnly; Path=/', 'session'), [{ name: 'admin', value: 'v' }])
  t.same(findCookies('', 'session'), [{ name: 'session', value: '' }])
})

t.test('the session is found among several cookies, by its name or else by its form', async (t) => {
  const value = seal(false)
  for (const header of ['Cookie: a=b; session=v; c=d', 'a=b; session=v; c=d']) {
    t.same(findCookies(header, 'session'), [{ name: 'session', value: 'v' }])
    t.same(
      findCookies(`${header}; session=w`, 'session').map(({ value }) => value),
      ['v', 'w']
    )
    t.same(findCookies(`${header}; __Host-shop=${value}`, 'sid'), [{ name: '__Host-shop', value }])
  }
  t.same(findCookies('Cookie: a=b', 'session'), [], 'there is none of ours')
})

t.test('a signed cookie is readable without the secret, and nobody vouches for it', async (t) => {
  const value = seal(false)
  const report = inspectCookie('session', value, [], TIMEOUTS, NOW)
  t.match(report, { mode: 'signed', verdict: 'unchecked', lastSeenAt: NOW, bytes: value.length + 7 })
  t.match(report.record, { ownerId: 'ana', permanent: true, data: { a: 1 } })
  t.equal(report.keyId?.length, 6)
})

t.test('with the secret it is judged as the server would', async (t) => {
  for (const value of [seal(false), seal(true)]) {
    t.match(inspectCookie('session', value, KEYS, TIMEOUTS, NOW, CIPHER), {
      verdict: 'valid',
      record: { data: { a: 1 } }
    })
    t.equal(inspectCookie('session', value, KEYS, TIMEOUTS, NOW + 101, CIPHER).verdict, 'expired-idle')
    t.equal(inspectCookie('other', value, KEYS, TIMEOUTS, NOW, CIPHER).verdict, 'bad-signature')
    t.equal(inspectCookie('session', value, [Buffer.from(OTHER_SECRET)], TIMEOUTS, NOW, CIPHER).verdict, 'unknown-key')
  }
})

t.test('a cookie of a session in a store shows the key of the store in place of the id', async (t) => {
  const store = new MemoryStore({ pruneInterval: 0 })
  const transport = createTransport(
    resolveOptions({ secret: SECRET, store }),
    new GuardedStore(store, 60),
    new RandomPool()
  )
  const id = transport.newId()
  const times = { createdAt: NOW, lastSeenAt: NOW, extensions: undefined }
  const value = transport.seal({ id, ...times, permanent: true, ownerId: 'ana', json: '{"a":1}' })
  for (const [keys, verdict] of [
    [[], 'unchecked'],
    [KEYS, 'valid'],
    [[Buffer.from(OTHER_SECRET)], 'unknown-key']
  ] as const) {
    const report = inspectCookie('session', value, keys, TIMEOUTS, NOW)
    t.match(report, { mode: 'stored', verdict, lastSeenAt: NOW, storeKey: transport.handleOf(id), record: undefined })
    t.notOk(JSON.stringify(report).includes(id))
  }
  t.equal(inspectCookie('other', value, KEYS, TIMEOUTS, NOW).verdict, 'bad-signature')
  t.match(inspectCookie('session', `r2aaaaaa${NOW}.x.y`, [], TIMEOUTS, NOW), { mode: 'stored', record: undefined })
})

t.test('an encrypted cookie shows its head only', async (t) => {
  const report = inspectCookie('session', seal(true), [], TIMEOUTS, NOW)
  t.match(report, { mode: 'encrypted', verdict: 'unchecked', lastSeenAt: NOW, record: undefined })
})

t.test('what is no cookie of ours is malformed, with and without a secret', async (t) => {
  for (const value of [
    '',
    'x',
    's2',
    'e2',
    's2aaaaaa',
    `s2aaaaaa${NOW}`,
    'x1aaaaaa1763640000.a.b',
    's2aaaaaa17636400zz.a.b'
  ]) {
    for (const keys of [[], KEYS]) {
      t.match(inspectCookie('session', value, keys, TIMEOUTS, NOW), { verdict: 'malformed', keyId: undefined }, value)
    }
  }
  t.match(inspectCookie('session', `s2aaaaaa${NOW}.`, [], TIMEOUTS, NOW), { verdict: 'unchecked', record: undefined })
})
