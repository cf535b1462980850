import t from 'tap'
import { RandomPool } from '../../lib/crypto/random.ts'
import { flaskCookie } from '../../lib/flask/flask-cookie.ts'
import { resolveOptions } from '../../lib/options.ts'
import { NO_MARKS } from '../../lib/owners/adoption-marks.ts'
import { isWithin, limitOf } from '../../lib/revocations/dated-id.ts'
import { MemoryRevocations } from '../../lib/revocations/memory.ts'
import { Revocations } from '../../lib/revocations/revocations.ts'
import { GuardedStore } from '../../lib/stores/guarded.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { createMarks, createStore, createTransport } from '../../lib/transport/modes.ts'
import { CIPHER } from '../format/samples.ts'
import { SECRET } from '../helpers/app.ts'

const RECORD = {
  id: 'AAAAAAAAAAAAAAAAAAAAAA',
  createdAt: 1_763_640_000,
  lastSeenAt: 1_763_640_000,
  permanent: false,
  ownerId: undefined,
  extensions: undefined,
  json: '{"password":"hunter2"}'
}

function readable(text: string): boolean {
  return text.split('.').some((part) => Buffer.from(part, 'base64url').includes('hunter2'))
}

t.test('the settings choose what travels: look at the bytes', async (t) => {
  const seal = (encrypt: boolean): string =>
    createTransport(
      resolveOptions({ secret: SECRET, encrypt }),
      undefined,
      new RandomPool(),
      encrypt ? CIPHER : undefined
    ).seal(RECORD)
  const [signed, encrypted] = [seal(false), seal(true)]
  t.match(signed, /^s2[\w-]{6}1763640000\.[\w-]+\.[\w-]{43}$/)
  t.equal(readable(signed), true)
  t.match(encrypted, /^e2[\w-]{6}1763640000\.[\w-]+$/)
  t.equal(readable(encrypted), false)
})

t.test('a format of another framework makes the cookie', async (t) => {
  const format = flaskCookie({ secretKey: 'tests only: 9f0c1d5be7a24386' })
  const record = { ...RECORD, id: 'AQIDBAUGBwgJCgsMDQ4PEA' }
  const text = createTransport(resolveOptions({ format }), undefined, new RandomPool()).seal(record)
  t.match(text, /^[\w-]+\.aR8CwA\.[\w-]{27}$/)
  t.equal(readable(text), true)
})

t.test('with a store the id travels, and neither data nor owner', async (t) => {
  const store = new MemoryStore()
  const transport = createTransport(
    resolveOptions({ secret: SECRET, store }),
    new GuardedStore(store, 60),
    new RandomPool()
  )
  const id = transport.newId()
  const text = transport.seal({ ...RECORD, id, ownerId: 'ana' })
  t.match(text, /^r2[\w-]{6}1763640000\.[\w-]{43}\.[\w-]{43}$/)
  t.equal(text.split('.')[1], id)
  t.equal(Buffer.from(id, 'base64url').length, 32)
})

t.test('with a store and a cipher, the store gets no plain value, and what counts is what it gets', async (t) => {
  const inner = new MemoryStore({ clock: () => RECORD.createdAt * 1000, pruneInterval: 0 })
  const settings = resolveOptions({ secret: SECRET, store: inner, encrypt: true, maxBytes: 100 })
  const store = createStore(settings, new RandomPool(), CIPHER)
  const transport = createTransport(settings, store, new RandomPool(), CIPHER)
  const record = { ...RECORD, id: transport.newId() }
  await transport.create(record, undefined)
  const key = transport.handleOf(record.id)
  const kept = inner.load(key)?.json ?? ''
  t.match(kept, /^\{"password":"m1[\w-]{6}\.[\w-]+"\}$/)
  t.equal((await store?.load(key))?.json, RECORD.json)
  t.equal(transport.measure(record), kept.length)
  const larger = { ...record, id: transport.newId(), json: '{"password":"hunter2hunter2hunter2"}' }
  t.throws(() => transport.create(larger, undefined), { code: 'ERR_SESSION_TOO_LARGE' })
  const plain = resolveOptions({ secret: SECRET, store: inner })
  t.equal((await createStore(plain, new RandomPool())?.load(key))?.json, kept)
  t.equal(createStore(resolveOptions({ secret: SECRET, encrypt: true }), new RandomPool(), CIPHER), undefined)
})

t.test('a cookie of one mode never opens in another', async (t) => {
  const store = new MemoryStore()
  const transports = [
    createTransport(resolveOptions({ secret: SECRET }), undefined, new RandomPool()),
    createTransport(resolveOptions({ secret: SECRET, encrypt: true }), undefined, new RandomPool(), CIPHER),
    createTransport(resolveOptions({ secret: SECRET, store }), new GuardedStore(store, 60), new RandomPool())
  ]
  for (const sealing of transports) {
    const text = sealing.seal({ ...RECORD, id: sealing.newId() })
    for (const opening of transports) {
      if (opening !== sealing) t.equal(opening.load(text), 'malformed')
      // With the format of the other in front of it, the key is still another one.
      const renamed = opening.currentPrefix + text.slice(opening.currentPrefix.length)
      if (opening !== sealing) t.type(opening.load(renamed), 'string')
    }
  }
})

t.test('with a list of what has ended early, ids tell when they were issued', async (t) => {
  const settings = resolveOptions({ secret: SECRET, revocations: new MemoryRevocations() })
  const revocations = new Revocations(new MemoryRevocations(), settings, { info: () => {}, warn: () => {} } as never)
  const transport = createTransport(settings, undefined, new RandomPool(), undefined, revocations)
  t.equal(isWithin(limitOf(0), transport.newId()), false)
  t.equal(isWithin(limitOf(0), createTransport(settings, undefined, new RandomPool()).newId()), true)
  await transport.close()
})

t.test('an id can follow from 32 bytes', async (t) => {
  const store = new MemoryStore()
  const guarded = new GuardedStore(store, 60)
  const digest = Buffer.alloc(32, 255)
  const inCookie = createTransport(resolveOptions({ secret: SECRET }), undefined, new RandomPool())
  const stored = createTransport(resolveOptions({ secret: SECRET, store }), guarded, new RandomPool())
  t.equal(inCookie.idFrom(digest), '_____________________w')
  t.equal(stored.idFrom(digest), digest.toString('base64url'))
})

t.test('each mode remembers in its own place what was adopted', async (t) => {
  const store = new MemoryStore()
  const settings = resolveOptions({ secret: SECRET, store })
  const list = new MemoryRevocations()
  const revocations = new Revocations(list, resolveOptions({ secret: SECRET, revocations: list }), {} as never)
  const nameOf = (...given: Parameters<typeof createMarks>): string => createMarks(...given).constructor.name
  t.equal(nameOf(settings, new GuardedStore(store, 60), undefined), 'StoredMarks')
  t.equal(nameOf(settings, undefined, revocations), 'RevokedMarks')
  t.equal(createMarks(settings, undefined, undefined), NO_MARKS)
})
