import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import { NO_CHANGES } from '../../lib/data/json-members.ts'
import type { IdentifiedRecord, LoadedRecord } from '../../lib/format/record.ts'
import { SignedFormat } from '../../lib/format/signed.ts'
import { tombstoneOf } from '../../lib/owners/tombstones.ts'
import { GuardedStore } from '../../lib/stores/guarded.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { MigratedRecord } from '../../lib/transport/migrated-record.ts'
import { PatchedRecord } from '../../lib/transport/patched-record.ts'
import { StoreTransport } from '../../lib/transport/store.ts'
import { handleOf } from '../../lib/transport/store-record.ts'
import type { SessionEnding } from '../../types/endings.ts'
import type { MaybePromise } from '../../types/store.ts'
import { fixedRandom, NOW, OLD_SECRET, RECORD as SAMPLE, SECRET } from '../format/samples.ts'
import { FakeTime } from '../helpers/fake-time.ts'
import { once } from '../helpers/recording-store.ts'
import { SCHEMA } from './migrated.ts'
import {
  amend,
  codecOf,
  create,
  createRotated,
  createSaved,
  IDLE,
  LATER,
  later,
  MAX_BYTES,
  OCCASION,
  RECORD,
  REQUEST,
  SETTINGS,
  STORE_TIMEOUT,
  save,
  ZERO_ID
} from './stored.ts'

t.test('an id has 256 bits of randomness, and the store knows a hash of it', async (t) => {
  const { transport } = create()
  t.equal(transport.idFrom(Buffer.alloc(32)), 'A'.repeat(43))
  const ids = [transport.newId(), transport.newId()]
  t.match(ids[0], /^[\w-]{43}$/)
  t.not(ids[0], ids[1])
  t.equal(transport.handleOf(ZERO_ID), createHash('sha256').update(ZERO_ID).digest('base64url'))
  t.match(transport.handleOf(ZERO_ID), /^[\w-]{43}$/)
  t.match(transport, { limit: MAX_BYTES })
  t.equal(transport.activityUntil(7), 7)
  t.equal(transport.notedIn('r2keyIdA0000000007.'), 7)
})

t.test('the cookie holds the id and the stamp, and nothing else', async (t) => {
  const { transport, envelope } = create()
  const text = transport.seal({ ...envelope, ownerId: 'alice', json: '{"password":"hunter2"}', permanent: true })
  t.equal(text.split('.')[1], envelope.id)
  t.ok(text.startsWith(transport.currentPrefix))
  t.match(text, new RegExp(`^r2[\\w-]{6}${RECORD.lastSeenAt}\\.[\\w-]{43}\\.[\\w-]{43}$`))
})

t.test('what was saved and sealed opens as it is in the store', async (t) => {
  const { store, transport, envelope } = create()
  const owned = { ...envelope, ownerId: 'alice', permanent: true }
  t.equal(await save(transport, owned, undefined, OCCASION), 'saved')
  const record = {
    json: envelope.json,
    createdAt: envelope.createdAt,
    lastSeenAt: envelope.lastSeenAt,
    permanent: true,
    ownerId: 'alice',
    description: undefined
  }
  const key = transport.handleOf(envelope.id)
  t.same(store.takeCalls(), [['create', key, record, envelope.lastSeenAt + IDLE, undefined]])
  const opened = await transport.load(transport.seal(envelope))
  t.match(opened, { ...owned, data: { visits: 12, note: 'a plain text' } })
  t.same(store.takeCalls(), [['load', key]])
})

t.test('the store is not asked for what does not verify', async (t) => {
  const { store, transport, envelope } = create()
  const foreign = create({}, codecOf('other')).transport
  const old = create({}, codecOf('session', [OLD_SECRET])).transport
  const signed = new SignedFormat(deriveKeys([SECRET], 'signed'), 'session')
  const text = transport.seal(envelope)
  t.equal(transport.load(foreign.seal(envelope)), 'bad-signature')
  t.equal(transport.load(old.seal(envelope)), 'unknown-key')
  t.equal(transport.load(signed.encode(SAMPLE)), 'malformed')
  t.equal(transport.load(`r2${signed.encode(SAMPLE).slice(2)}`), 'bad-signature', 'each purpose has a key of its own')
  t.equal(transport.load(`${text.slice(0, -1)}${text.endsWith('A') ? 'B' : 'A'}`), 'bad-signature')
  for (const junk of ['', 'x', '../../etc/passwd', '\0', 'r2', 'a\r\nb', 'x'.repeat(10_000), envelope.id]) {
    t.equal(transport.load(junk), 'malformed')
  }
  t.same(store.takeCalls(), [])
})

t.test('a cookie is checked once, and its session looked for each time', async (t) => {
  const codec = codecOf()
  const checks = t.capture(codec, 'verify', codec.verify.bind(codec))
  const { store, transport, envelope } = create({}, codec)
  await save(transport, envelope, undefined, OCCASION)
  const key = transport.handleOf(envelope.id)
  store.takeCalls()
  const text = transport.seal(envelope)
  for (let visit = 1; visit <= 3; visit++) {
    t.match(await transport.load(text), { id: envelope.id, json: envelope.json })
    t.same(store.takeCalls(), [['load', key]], `visit ${visit}`)
  }
  t.equal(checks().length, 1)
  await transport.delete(envelope, 'destroyed')
  t.equal(await transport.load(text), 'not-found')
})

t.test('what is like a cookie that is known is none, however often it comes', async (t) => {
  const { store, transport, envelope } = await createSaved()
  const text = transport.seal(envelope)
  await transport.load(text)
  store.takeCalls()
  const shifted = (character: string): string => String.fromCharCode(character.charCodeAt(0) + 256)
  for (let at = 0; at < text.length; at++) {
    for (const other of [text[at] === 'x' ? 'y' : 'x', shifted(text[at] as string), '']) {
      const forged = `${text.slice(0, at)}${other}${text.slice(at + 1)}`
      for (const visit of [1, 2]) t.type(transport.load(forged), 'string', `changed at ${at}, visit ${visit}`)
    }
  }
  for (const forged of [`${text}x`, ` ${text}`]) t.type(transport.load(forged), 'string')
  t.same(store.takeCalls(), [])
})

t.test('no application knows the cookies of another one', async (t) => {
  const { transport, envelope } = await createSaved()
  for (const codec of [codecOf('other'), codecOf('session', [OLD_SECRET])]) {
    const foreign = create({}, codec).transport
    const text = foreign.seal(envelope)
    t.equal(await foreign.load(text), 'not-found')
    t.type(transport.load(text), 'string')
  }
})

t.test('a session that the store does not know is not found', async (t) => {
  const { transport, envelope } = create()
  t.equal(await transport.load(transport.seal(envelope)), 'not-found')
})

t.test('a store that fails is no refusal', async (t) => {
  const { store, transport, envelope } = create()
  store.before = () => Promise.reject(new Error('down'))
  await t.rejects(transport.load(transport.seal(envelope)) as Promise<unknown>, {
    code: 'ERR_SESSION_STORE_UNAVAILABLE',
    cause: { message: 'down' }
  })
})

t.test('the nearer limit is when a record expires', async (t) => {
  const { store, transport, envelope } = create({ absoluteTimeout: IDLE })
  await save(transport, envelope, undefined, OCCASION)
  t.equal(store.takeCalls()[0]?.[3], envelope.createdAt + IDLE)
})

t.test('a save writes what changed since it was held, and nothing else', async (t) => {
  const { store, transport, envelope, key } = await createSaved()
  const changed = { ...envelope, json: '{"note":"a plain text","visits":13,"cart":{"a":1}}', lastSeenAt: NOW }
  t.equal(await save(transport, changed, envelope, OCCASION), 'saved')
  const changes = { set: { visits: '13', cart: '{"a":1}' }, unset: [], permanent: undefined, lastSeenAt: NOW }
  t.same(store.takeCalls(), [['commit', key, changes, NOW + IDLE, undefined]])
  const permanent = { ...changed, permanent: true }
  t.equal(await save(transport, permanent, changed, OCCASION), 'saved')
  t.same(store.takeCalls(), [
    ['commit', key, { set: {}, unset: [], permanent: true, lastSeenAt: undefined }, NOW + IDLE, undefined]
  ])
})

t.test('changes that are known already are not looked for again', async (t) => {
  const { store, transport, envelope, key } = await createSaved()
  const known = { set: { visits: '13' }, unset: ['note'] }
  // Not what a comparison of the texts would give, so that the difference shows.
  const before = { ...envelope, lastSeenAt: NOW, json: '{"never":"asked for"}' }
  t.equal(await save(transport, new PatchedRecord(before, known), envelope, OCCASION), 'saved')
  const changes = { ...known, permanent: undefined, lastSeenAt: NOW }
  t.same(store.takeCalls(), [['commit', key, changes, NOW + IDLE, undefined]])
})

t.test('data that a store has spelled its own way are no change', async (t) => {
  const { store, transport, envelope, key } = await createSaved()
  const respelled = { ...envelope, json: '{ "visits" : 12, "note": "a pl\\u0061in text" }' }
  t.equal(await save(transport, { ...envelope, lastSeenAt: NOW }, respelled, OCCASION), 'saved')
  t.same(store.takeCalls(), [['touch', key, NOW + IDLE, NOW]])
})

t.test('a store that answers at once is not waited for', async (t) => {
  const store = new MemoryStore({ clock: () => NOW * 1000, pruneInterval: 0 })
  const transport = new StoreTransport(codecOf(), new GuardedStore(store, STORE_TIMEOUT), SETTINGS, fixedRandom())
  const envelope = { ...RECORD, id: transport.newId() }
  const text = transport.seal(envelope)
  t.equal(transport.load(text), 'not-found')
  t.equal(save(transport, envelope, undefined, OCCASION), 'saved')
  t.throws(() => save(transport, envelope, undefined, OCCASION), { code: 'ERR_SESSION_CONFLICT' })
  t.match(transport.load(text), { id: envelope.id, data: { visits: 12 } })
  t.equal(save(transport, { ...envelope, lastSeenAt: NOW }, envelope, OCCASION), 'saved')
  t.equal(save(transport, { ...envelope, json: '{"visits":13}' }, envelope, OCCASION), 'saved')
  t.equal(await transport.delete(envelope, 'destroyed'), 'ended', 'no copy of the cookie opens it')
  t.equal(save(transport, { ...envelope, lastSeenAt: NOW }, envelope, OCCASION), 'gone')
})

t.test('it tells of each session that ends, and why, and finds one by its handle', async (t) => {
  const store = new MemoryStore({ clock: () => NOW * 1000, pruneInterval: 0 })
  const told: string[] = []
  const transport = new StoreTransport(
    codecOf(),
    new GuardedStore(store, STORE_TIMEOUT),
    { ...SETTINGS, ownerLimit: { max: 1, evict: true } },
    fixedRandom(),
    ({ handle, reason, ownerId, successor }) =>
      told.push([names.get(handle), reason, ownerId, names.get(successor)].join(' '))
  )
  const names = new Map<string | undefined, string>()
  const begin = async (name: string, ownerId?: string): Promise<IdentifiedRecord> => {
    const record = recordOf(name, ownerId)
    await transport.create(record, OCCASION.request)
    return record
  }
  const recordOf = (name: string, ownerId?: string): IdentifiedRecord => {
    const id = `${name}${transport.newId()}`
    names.set(transport.handleOf(id), name)
    return { ...RECORD, id, ownerId, lastSeenAt: NOW }
  }
  const handleOf = ({ id }: IdentifiedRecord): string => transport.handleOf(id)
  const first = await begin('a', 'ana')
  t.match(transport.lookUp(handleOf(first)), { lastSeenAt: NOW })
  const second = recordOf('b', 'ana')
  await transport.changeId(second, first, OCCASION.request)
  t.equal(await transport.lookUp(handleOf(first)), 'renamed')
  const third = await begin('c', 'ana')
  await transport.changeId(recordOf('d', 'ben'), third, OCCASION.request)
  const fifth = await begin('e')
  await transport.replace(recordOf('f'), fifth, OCCASION.request)
  await transport.retire(await begin('g'))
  await transport.deleteIfEmpty({ ...(await begin('h')), json: '{}' }, await begin('i'))
  const ninth = await begin('j')
  await transport.deleteIfEmpty({ ...ninth, json: '{}' }, ninth)
  await transport.delete(await begin('k', 'eve'), 'login-ended')
  const refused = await begin('l')
  await transport.deleteRefused(transport.seal(refused))
  t.equal(transport.lookUp(handleOf(refused)), 'not-found')
  t.same(told.splice(0), [
    'a renewed ana b',
    'b over-limit ana ',
    'c replaced ana ',
    'e replaced  ',
    'g replaced  ',
    'i emptied  ',
    'j emptied  ',
    'k login-ended eve ',
    'l destroyed  '
  ])
  await transport.delete(first, 'destroyed')
  t.same(told, ['a destroyed ana ', 'b destroyed  '], 'with what it has become')
})

t.test('activity alone is a touch', async (t) => {
  const { store, transport, envelope, key } = await createSaved()
  t.equal(await save(transport, { ...envelope, lastSeenAt: NOW }, envelope, OCCASION), 'saved')
  const seen = { ...envelope, lastSeenAt: NOW }
  t.equal(await save(transport, seen, seen, OCCASION), 'saved')
  t.same(store.takeCalls(), [
    ['touch', key, NOW + IDLE, NOW],
    ['touch', key, NOW + IDLE, undefined]
  ])
})

t.test('a request that is no activity does not cut short what others have noted', async (t) => {
  const silent: Record<string, (made: Awaited<ReturnType<typeof createSaved>>) => MaybePromise<unknown>> = {
    commit: ({ transport, envelope }) => transport.update({ ...envelope, json: '{"visits":13}' }, envelope),
    touch: ({ transport, envelope }) => transport.update(envelope, envelope),
    'removal of all data': ({ transport, envelope }) => transport.deleteIfEmpty({ ...envelope, json: '{}' }, envelope)
  }
  for (const [name, act] of Object.entries(silent)) {
    const made = await createSaved()
    const { store, envelope, key } = made
    t.equal((await store.inner.load(key))?.expiresAt, envelope.lastSeenAt + IDLE)
    await store.inner.commit(key, { set: { other: '1' }, unset: [], lastSeenAt: NOW }, NOW + IDLE)
    t.equal(await act(made), 'saved', name)
    t.match(await store.inner.load(key), { expiresAt: NOW + IDLE, lastSeenAt: NOW }, name)
    await store.inner.destroy(key)
    t.equal(await act(made), 'gone', name)
  }
})

t.test('activity, and a change, seal again what an older key has sealed', async (t) => {
  for (const visits of [12, 14]) {
    const { inner, after, key, load } = await createRotated()
    const persisted = load()
    t.equal(persisted.needsRekey, true)
    const next = { ...persisted, json: RECORD.json.replace('12', String(visits)), lastSeenAt: NOW }
    t.equal(after.update(next, persisted), 'saved')
    t.match(inner.load(key), { version: 1, lastSeenAt: NOW })
    const again = load()
    t.same([again.json, again.needsRekey], [next.json, undefined])
    t.equal(after.update({ ...again, lastSeenAt: NOW }, again), 'saved')
    t.equal(inner.load(key)?.version, 1)
    inner.commit(key, NO_CHANGES, LATER)
    t.equal(after.update(next, persisted), 'saved', 'another request has written meanwhile')
    inner.destroy(key)
    t.equal(after.update(next, persisted), 'gone')
  }
})

t.test('where a session may have a longer timeout, a request takes back none that another has given', async (t) => {
  const longer = { maxIdleTimeout: 20 * IDLE }
  for (const [name, settings] of Object.entries({ longer, absolute: { maxAbsoluteTimeout: 40 * IDLE }, usual: {} })) {
    const { store, transport, envelope, key } = await createSaved(settings)
    const persisted = (await transport.load(transport.seal(envelope))) as LoadedRecord
    const next = { ...persisted, lastSeenAt: NOW }
    store.takeCalls()
    t.equal(await transport.update(next, persisted), 'saved')
    t.same(store.takeMethods(), [name === 'usual' ? 'touch' : 'commit'], name)
    if (name !== 'longer') continue
    const extensions = `:I${20 * IDLE}`
    for (const json of [next.json, '{"visits":13}']) {
      await store.inner.commit(key, { set: {}, unset: [], lastSeenAt: NOW + 5, extensions }, LATER)
      t.equal(await transport.update({ ...next, json }, persisted), 'saved')
      t.match(await store.inner.load(key), { json, extensions, expiresAt: NOW + 5 + 20 * IDLE })
      t.same(store.takeMethods(), ['commit', 'load', json === next.json ? 'touch' : 'commit'])
    }
    store.before = (method) => (method === 'load' ? store.inner.destroy(key) : undefined)
    t.equal(await transport.update(next, persisted), 'gone')
  }
})

t.test('what was ended is not saved, whether by a touch or by a commit', async (t) => {
  const { store, transport, envelope, jsonOf } = await createSaved()
  await transport.delete(envelope, 'destroyed')
  t.equal(await save(transport, { ...envelope, lastSeenAt: NOW }, envelope, OCCASION), 'gone')
  t.equal(await save(transport, { ...envelope, json: '{"visits":13}' }, envelope, OCCASION), 'gone')
  t.equal(await save(transport, { ...envelope, id: transport.newId() }, envelope, OCCASION), 'gone')
  t.equal(await transport.latest(envelope), 'not-found')
  t.equal(await jsonOf(envelope.id), undefined)
  t.notOk(store.takeMethods().includes('create'))
})

t.test('dropping ends the record', async (t) => {
  const { store, transport, envelope, key } = await createSaved()
  const opened = await transport.load(transport.seal(envelope))
  await transport.delete(opened as never, 'destroyed')
  t.same(store.takeCalls(), [
    ['load', key],
    ['destroy', key],
    ['load', tombstoneOf(key)]
  ])
  t.equal(await transport.load(transport.seal(envelope)), 'not-found')
})

t.test('the latest is what is in the store now', async (t) => {
  const { transport, envelope, write } = await createSaved()
  await write({ visits: '99' })
  t.match(await transport.latest(envelope), { id: envelope.id, json: '{"visits":99,"note":"a plain text"}' })
})

t.test('a session that was emptied ends, unless others have put something into it', async (t) => {
  const empty = { json: '{}', lastSeenAt: NOW }
  const alone = await createSaved()
  t.equal(await alone.transport.deleteIfEmpty({ ...alone.envelope, ...empty }, alone.envelope), 'ended')
  t.equal(await alone.jsonOf(alone.envelope.id), undefined)

  const shared = await createSaved()
  await shared.write({ role: '"guest"' })
  t.equal(await shared.transport.deleteIfEmpty({ ...shared.envelope, ...empty }, shared.envelope), 'saved')
  t.equal(await shared.jsonOf(shared.envelope.id), '{"role":"guest"}')

  const gone = await createSaved()
  await gone.transport.delete(gone.envelope, 'destroyed')
  t.equal(await gone.transport.deleteIfEmpty({ ...gone.envelope, ...empty }, gone.envelope), 'gone')

  const ended = await createSaved()
  ended.store.before = once('load', () => ended.store.inner.destroy(ended.key))
  t.equal(await ended.transport.deleteIfEmpty({ ...ended.envelope, ...empty }, ended.envelope), 'ended')

  const late = await createSaved()
  late.store.before = (method, [, , expiresAt]) =>
    method === 'commit' && expiresAt === 0 ? late.write({ role: '"guest"' }) : undefined
  t.equal(await late.transport.deleteIfEmpty({ ...late.envelope, ...empty }, late.envelope), 'saved')
  t.equal(await late.jsonOf(late.envelope.id), '{"role":"guest"}')

  const renewed = await createSaved()
  const other = { ...renewed.envelope, ...empty, id: renewed.transport.newId() }
  t.equal(await renewed.transport.deleteIfEmpty(other, renewed.envelope), 'ended')
  t.equal(await renewed.jsonOf(renewed.envelope.id), undefined)
})

t.test(
  'a session that ends without data, or makes room, ends under the id that it has got meanwhile, too',
  async (t) => {
    for (const end of ['delete', 'deleteIfEmpty', 'retire'] as const) {
      const { transport, store, envelope } = await createSaved()
      const login = { ...envelope, id: transport.newId(), ownerId: 'alice' }
      await transport.create(login, undefined)
      await save(transport, { ...login, id: transport.newId() }, login, OCCASION)
      const emptied = { ...login, id: transport.newId(), json: '{}' }
      const result =
        end === 'deleteIfEmpty' ? await transport[end](emptied, login) : await transport[end](login, 'destroyed')
      t.equal(result, end === 'retire' ? 'gone' : 'ended')
      t.same(await store.inner.list('alice'), [], end)
    }
  }
)

t.test('a session that is never at rest while it is to end stays', async (t) => {
  const { store, transport, envelope, key } = await createSaved()
  store.before = async (method, [, , expiresAt]) => {
    // As empty as it was, but in another version.
    if (method === 'commit' && expiresAt === 0) await store.inner.commit(key, { set: {}, unset: [] }, LATER)
  }
  t.equal(await transport.deleteIfEmpty({ ...envelope, json: '{}' }, envelope), 'saved')
})

t.test('the bytes of a session are those of its JSON', async (t) => {
  const { transport, envelope } = create()
  t.equal(transport.measure({ ...envelope, json: '{"a":"ä€"}' }), 13)
})

t.test('a session is loaded when its request starts, and not by who accesses it', async (t) => {
  const { transport } = create()
  const load = (request: FastifyRequest): boolean => request === REQUEST
  const isCleared = (): boolean => true
  t.equal(transport.loadAtStart(load, REQUEST), true)
  t.equal(transport.loadAtAccess(load, REQUEST), undefined)
  t.equal(transport.loadAtEnd(load, REQUEST, true, isCleared), undefined, 'what was not loaded by then has no cookie')
})

t.test('from a store that loads at once, a session is loaded when it is needed', async (t) => {
  const store = new GuardedStore(new MemoryStore(), STORE_TIMEOUT)
  const transport = new StoreTransport(codecOf(), store, SETTINGS, fixedRandom())
  const load = (request: FastifyRequest): boolean => request === REQUEST
  t.equal(transport.loadAtStart(load, REQUEST), undefined)
  t.equal(transport.loadAtAccess(load, REQUEST), true)
  t.equal(
    transport.loadAtEnd(load, REQUEST, false, () => false),
    undefined
  )
  t.equal(
    transport.loadAtEnd(load, REQUEST, true, () => false),
    true
  )
  t.equal(
    transport.loadAtEnd(load, REQUEST, false, () => true),
    true
  )
})

t.test('a cookie is needed for a new id or another permanence, and for nothing else', async (t) => {
  const { transport, envelope } = create()
  t.equal(transport.needsCookie(envelope, undefined), true)
  t.equal(transport.needsCookie({ ...envelope, id: transport.newId() }, envelope), true)
  t.equal(transport.needsCookie({ ...envelope, permanent: !envelope.permanent }, envelope), true)
  t.equal(transport.needsCookie({ ...envelope, json: '{}', lastSeenAt: NOW }, envelope), false)
})

t.test('a session with more bytes than maxBytes is refused before anything is written', async (t) => {
  const TOO_LARGE = {
    code: 'ERR_SESSION_TOO_LARGE',
    message: /48 bytes.*maxBytes.*40/,
    cause: { message: /^Largest keys: note \(\d+ bytes\)/ }
  }
  const jsonOf = (bytes: number): string => `{"visits":12,"note":"${'x'.repeat(bytes - 23)}"}`
  const refused = async (run: () => unknown): Promise<void> => {
    await t.rejects(async () => run(), TOO_LARGE)
  }
  const { transport, store, envelope } = create({ maxBytes: 40 })
  await refused(() => transport.create({ ...envelope, json: jsonOf(48) }, REQUEST))
  t.same(store.takeCalls(), [], 'create')

  const exact = { ...envelope, json: jsonOf(40) }
  t.equal(await transport.create(exact, REQUEST), 'saved', 'exactly as many bytes are allowed')
  store.takeCalls()
  const larger = { ...exact, json: jsonOf(48) }
  await refused(() => transport.update(larger, exact))
  await refused(() =>
    transport.update(new PatchedRecord(exact, { set: { note: `"${'x'.repeat(25)}"` }, unset: [] }), exact)
  )
  t.same(store.takeCalls(), [], 'update')

  await refused(() => transport.replace({ ...larger, id: ZERO_ID }, exact, REQUEST))
  await refused(() => transport.changeId({ ...larger, id: ZERO_ID }, exact, REQUEST))
  await refused(() => amend(transport, exact, async () => larger.json))
  t.same(
    store.takeCalls().map(([method]) => method),
    ['load', 'load', 'load'],
    'replace, changeId and transact'
  )
})

t.test('bytes count, and not characters', async (t) => {
  const { transport, envelope } = create({ maxBytes: 16 })
  const persisted = { ...envelope, json: '{"a":"12345678"}' }
  t.equal(await transport.create(persisted, REQUEST), 'saved')
  t.equal(await transport.update({ ...persisted, json: '{"a":"ääää"}' }, persisted), 'saved')
  await t.rejects(async () => transport.update({ ...persisted, json: '{"a":"äääää"}' }, persisted), {
    code: 'ERR_SESSION_TOO_LARGE'
  })
})

t.test('a session that is too large already, because maxBytes was larger, may shrink, move and stay', async (t) => {
  const { transport, store, envelope } = create()
  const record = { ...envelope, json: `{"visits":12,"note":"${'x'.repeat(100)}"}` }
  await transport.create(record, REQUEST)
  const limited = new StoreTransport(
    codecOf(),
    new GuardedStore(store, STORE_TIMEOUT),
    { ...SETTINGS, maxBytes: 40 },
    fixedRandom()
  )
  const shrunk = { ...record, json: `{"visits":12,"note":"${'x'.repeat(90)}"}` }
  t.equal(await limited.update({ ...record, lastSeenAt: NOW }, record), 'saved')
  t.equal(await limited.update(shrunk, record), 'saved')
  t.equal(await limited.changeId({ ...shrunk, id: ZERO_ID }, shrunk, REQUEST), 'saved')
  const moved = { ...shrunk, id: ZERO_ID }
  t.equal((await amend(limited, moved, async () => '{"visits":13}')).json, '{"visits":13}')
})

t.test('a stranger who holds no more than a page is kept for 15 minutes, through every write', async (t) => {
  const { store, transport, envelope } = create()
  const waiting = { ...envelope, ownerId: undefined, lastSeenAt: NOW, createdAt: NOW, json: '{"next":"/a"}' }
  const stored = async (id = waiting.id) => store.inner.load(transport.handleOf(id))
  await save(transport, waiting, undefined, OCCASION)
  t.match(await stored(), { expiresAt: NOW + 900 })

  const seen = { ...waiting, lastSeenAt: NOW + 60 }
  t.equal(await save(transport, seen, waiting, OCCASION), 'saved')
  t.match(await stored(), { expiresAt: NOW + 960, lastSeenAt: NOW + 60 }, 'activity')

  const moved = { ...seen, id: transport.newId() }
  t.equal(await save(transport, moved, seen, OCCASION), 'saved')
  t.match(await stored(moved.id), { expiresAt: NOW + 960 }, 'a new id')

  const filled = await amend(transport, moved, async () => '{"next":"/a","cart":{}}')
  t.match(await stored(moved.id), { expiresAt: NOW + 60 + IDLE }, 'with data it lives as long as others')
  t.equal(await save(transport, { ...filled, json: '{"next":"/a"}' }, filled, OCCASION), 'saved')
  t.match(await stored(moved.id), { expiresAt: NOW + 960, json: '{"next":"/a"}' }, 'without them it waits again')
  t.equal(
    await save(transport, { ...filled, json: '{"next":"/a"}', ownerId: '1', id: waiting.id }, undefined, OCCASION),
    'saved'
  )
  t.match(await stored(), { expiresAt: NOW + 60 + IDLE }, 'not with an owner')
  await transport.delete(moved, 'destroyed')
  t.equal(await save(transport, { ...moved, lastSeenAt: NOW + 90 }, moved, OCCASION), 'gone')
})

t.test('a page that is too large is refused like all other data', async (t) => {
  const { store, transport, envelope } = create({ maxBytes: 100 })
  const waiting = { ...envelope, ownerId: undefined, json: '{"next":"/a"}' }
  await save(transport, waiting, undefined, OCCASION)
  const larger = { ...waiting, json: JSON.stringify({ next: `/${'a'.repeat(100)}` }) }
  t.throws(() => save(transport, larger, waiting, OCCASION), { code: 'ERR_SESSION_TOO_LARGE' })
  t.equal((await store.inner.load(transport.handleOf(waiting.id)))?.json, waiting.json)
})

t.test('extensions are created, changed, kept and removed', async (t) => {
  const { store, transport, envelope, key } = await createSaved()
  const extensionsOf = async (): Promise<unknown> => (await store.inner.load(key))?.extensions || undefined
  const loaded = async () => (await transport.load(transport.seal(envelope))) as IdentifiedRecord
  t.equal((await loaded()).extensions, undefined)
  const second = { ...envelope, extensions: ':I300:d1763640000' }
  t.equal(await transport.update(second, envelope), 'saved')
  t.equal((await loaded()).extensions, ':I300:d1763640000')
  const third = { ...second, json: '{"a":1}' }
  t.equal(await transport.update(third, second), 'saved')
  t.equal(await extensionsOf(), ':I300:d1763640000')
  t.equal(await transport.update({ ...third, extensions: undefined }, third), 'saved')
  t.equal(await extensionsOf(), undefined)
  const other = { ...envelope, id: transport.newId(), extensions: ':v5' }
  await transport.create(other, REQUEST)
  const otherOf = async (): Promise<unknown> => (await store.inner.load(transport.handleOf(other.id)))?.extensions
  t.equal(await otherOf(), ':v5')
  await amend(transport, other, async () => '{"a":2}')
  t.equal(await otherOf(), ':v5-', 'without a schema nobody has judged the data')
})

t.test('the extensions of a reference stay in the cookie', async (t) => {
  const { store, transport, envelope, key } = await createSaved()
  const text = codecOf().encode(envelope.id, NOW, ':w1')
  const record = (await transport.load(text)) as IdentifiedRecord
  t.equal(record.referenceExtensions, ':w1')
  t.equal(record.extensions, undefined)
  t.equal(transport.seal(record), codecOf().encode(envelope.id, record.lastSeenAt, ':w1'))
  t.match(await transport.latest(record), { referenceExtensions: ':w1' })
  t.equal((await amend(transport, record, async () => '{"a":1}')).referenceExtensions, ':w1')
  t.equal(transport.needsCookie(record, record), false)
  t.equal(transport.needsCookie({ ...record, referenceExtensions: undefined }, record), true)
  t.equal((await store.inner.load(key))?.extensions, undefined)
})

t.test('what a newer version has written with a critical extension opens nothing, and can be ended', async (t) => {
  const { store, transport, envelope, key, jsonOf } = await createSaved()
  const text = codecOf().encode(envelope.id, NOW, ':X')
  t.equal(transport.load(text), 'unsupported')
  await store.inner.commit(key, { ...NO_CHANGES, extensions: ':X1' }, LATER)
  t.equal(await transport.load(transport.seal(envelope)), 'unsupported')
  t.equal(await transport.latest(envelope), 'unsupported')
  t.equal((await store.inner.load(key))?.extensions, ':X1')
  await transport.deleteRefused(text)
  t.equal(await jsonOf(envelope.id), undefined)
})

t.test('extensions that somebody has misspelt in the store make a session unreadable', async (t) => {
  const { store, transport, envelope, key } = await createSaved()
  await store.inner.commit(key, { ...NO_CHANGES, extensions: 'v3' }, LATER)
  await t.rejects(async () => transport.latest(envelope), { code: 'ERR_SESSION_UNREADABLE' })
  const record = (await transport.load(transport.seal(envelope))) as LoadedRecord
  t.throws(() => record.data, { code: 'ERR_SESSION_UNREADABLE' })
})

t.test('what got a new id is told as that, and ends with its old one if it is the same login', async (t) => {
  const { transport, envelope, jsonOf } = await createSaved()
  const login = { ...envelope, id: transport.newId(), ownerId: 'alice' }
  await save(transport, login, envelope, OCCASION)
  t.equal(await transport.load(transport.seal(envelope)), 'renamed')
  t.equal(await transport.latest(envelope), 'renamed')
  const renewed = { ...login, id: transport.newId() }
  await save(transport, renewed, login, OCCASION)
  t.equal(transport.deleteRefused('forged'), undefined)
  await transport.deleteRefused(transport.seal(login))
  t.equal(await jsonOf(renewed.id), undefined)
  t.equal(await transport.retire(login), 'gone')
})

/** The answer of a store that takes so many milliseconds. */
async function taking(time: FakeTime, milliseconds: number): Promise<void> {
  await new Promise(setImmediate)
  time.advance(milliseconds)
}

t.test('all calls of one step have one deadline, whatever it takes', async (t) => {
  const steps: Record<string, (made: Awaited<ReturnType<typeof createSaved>>) => MaybePromise<unknown>> = {
    'load, of what has ended': ({ transport, envelope }) =>
      transport.load(transport.seal({ ...envelope, id: transport.newId() })),
    'latest, of what has ended': ({ transport, envelope }) => transport.latest({ ...envelope, id: transport.newId() }),
    'a commit that is no activity': ({ transport, envelope }) =>
      transport.update({ ...envelope, json: '{"visits":13}' }, envelope),
    'a touch that is no activity': ({ transport, envelope }) => transport.update(envelope, envelope),
    'a removal of all data that is no activity': ({ transport, envelope }) =>
      transport.deleteIfEmpty({ ...envelope, json: '{}' }, envelope),
    'an end': ({ transport, envelope }) => transport.delete(envelope, 'destroyed'),
    'an end under another id': ({ transport, envelope }) =>
      transport.deleteIfEmpty({ ...envelope, id: transport.newId() }, envelope),
    'an end of what has ended': ({ transport, envelope }) => transport.retire({ ...envelope, id: transport.newId() })
  }
  for (const [name, run] of Object.entries(steps)) {
    const time = new FakeTime(t)
    const made = await createSaved()
    made.store.before = () => taking(time, STORE_TIMEOUT * 600)
    const started = time.now
    await t.rejects(async () => run(made), { code: 'ERR_SESSION_STORE_UNAVAILABLE' }, name)
    t.equal(time.now - started <= STORE_TIMEOUT * 1200, true, name)
  }
})

t.test('the successors of a session, and their end, have one deadline', async (t) => {
  const time = new FakeTime(t)
  const { store, transport, envelope } = await createSaved()
  const login = { ...envelope, id: transport.newId(), ownerId: 'alice' }
  await save(transport, login, envelope, OCCASION)
  await save(transport, { ...login, id: transport.newId() }, login, OCCASION)
  store.before = () => taking(time, STORE_TIMEOUT * 400)
  const failure = { code: 'ERR_SESSION_STORE_UNAVAILABLE' }
  await t.rejects(async () => transport.deleteRefused(transport.seal(login)), failure)
  store.before = () => taking(time, STORE_TIMEOUT * 600)
  await t.rejects(async () => transport.successorsOf(transport.handleOf(login.id)), failure)
})

t.test('when the application closes, nothing is taken back any more', async (t) => {
  const time = new FakeTime(t)
  const { store, transport, envelope } = await createSaved()
  store.before = () => Promise.reject(new Error('down'))
  await t.rejects(async () => transport.create({ ...envelope, id: transport.newId() }, REQUEST))
  transport.close()
  time.advance(STORE_TIMEOUT * 2000)
  await new Promise(setImmediate)
  t.same(store.takeMethods(), ['create'])
  t.equal(time.pending, 0)
})

t.test('what other requests may save under the same id is not taken back', async (t) => {
  const time = new FakeTime(t)
  const { store, transport, envelope } = await createSaved()
  const shared = { ...envelope, id: transport.newId() }
  store.after = (method) => (method === 'create' ? Promise.reject(new Error('down')) : undefined)
  const failure = { code: 'ERR_SESSION_STORE_UNAVAILABLE' }
  await t.rejects(transport.create(shared, REQUEST, true) as Promise<unknown>, failure)
  await t.rejects(transport.replace(shared, envelope, REQUEST, true) as Promise<unknown>, failure)
  time.advance(STORE_TIMEOUT * 2000)
  await new Promise(setImmediate)
  t.same(
    store.takeMethods().filter((method) => method === 'destroy'),
    []
  )
  t.equal(time.pending, 0)
})

t.test('the ids that a session may have now are known for a while', async (t) => {
  const { transport, envelope, key } = await createSaved()
  const owned = { ...envelope, id: transport.newId(), ownerId: 'alice' }
  await save(transport, owned, envelope, OCCASION)
  const renewed = { ...owned, id: transport.newId() }
  await save(transport, renewed, owned, OCCASION)
  t.same(await transport.successorsOf(key), [])
  t.same(await transport.successorsOf(transport.handleOf(owned.id)), [transport.handleOf(renewed.id)])
})

t.test('an id that is taken is not given up, and a session that has ended cannot make room', async (t) => {
  const { store, transport, envelope, jsonOf } = await createSaved()
  await t.rejects(later(transport.create(envelope, REQUEST)), { code: 'ERR_SESSION_CONFLICT' })
  t.equal(await jsonOf(envelope.id), envelope.json)
  t.equal(await transport.retire(envelope), 'ended')
  store.takeCalls()
  t.equal(await transport.retire(envelope), 'gone')
})

t.test('a session that may have been created is removed when the store answers again', async (t) => {
  const time = new FakeTime(t)
  const { store, transport, envelope, jsonOf } = await createSaved()
  const created = { ...envelope, id: transport.newId() }
  store.after = (method) => (method === 'create' ? Promise.reject(new Error('down')) : undefined)
  await t.rejects(later(transport.create(created, REQUEST)), { code: 'ERR_SESSION_STORE_UNAVAILABLE' })
  t.equal(await jsonOf(created.id), envelope.json)
  time.advance(STORE_TIMEOUT * 2000)
  await new Promise(setImmediate)
  t.equal(await jsonOf(created.id), undefined)
})

t.test('a migration is written over the data that it was made from, with what the request has changed', async (t) => {
  const { store, transport, envelope } = create({ schema: SCHEMA })
  await transport.create({ ...envelope, json: '{"visits":1}' }, undefined)
  const persisted = { ...envelope, json: '{"visits":1}' }
  const migrated = { ...envelope, extensions: ':v2', permanent: true, json: '{"count":1,"note":"x"}' }
  const record = new MigratedRecord(migrated, { set: { note: '"x"' }, unset: [] })
  t.equal(await transport.update(record, persisted), 'saved')
  const key = handleOf(envelope.id)
  t.match(await store.inner.load(key), { json: '{"count":1,"note":"x"}', extensions: ':v2', permanent: true })
  // Another one has migrated it, and counted.
  await store.inner.commit(key, { set: { count: '5' }, unset: [] }, LATER)
  t.equal(await transport.update(record, persisted), 'saved')
  t.match(await store.inner.load(key), { json: '{"count":5,"note":"x"}' })
  await store.inner.commit(key, { set: { count: '"wrong"' }, unset: [], extensions: ':v3' }, LATER)
  t.equal(await transport.update(record, persisted), 'gone', 'invalid for this server')
  store.inner.destroy(key)
  t.equal(await transport.update(record, persisted), 'gone')
})

t.test('a migration fails with what the store fails with', async (t) => {
  const { store, transport, envelope } = create({ schema: SCHEMA })
  await transport.create({ ...envelope, json: '{"visits":1}' }, undefined)
  store.inner.load = () => {
    throw new Error('down')
  }
  const record = new MigratedRecord(envelope, { set: {}, unset: [] })
  await t.rejects(async () => transport.update(record, envelope), { code: 'ERR_SESSION_STORE_UNAVAILABLE' })
})

t.test('what makes room is told, also when a session grows', async (t) => {
  const json = `{"note":"${'x'.repeat(100)}"}`
  const ways: readonly ((transport: StoreTransport, record: IdentifiedRecord) => unknown)[] = [
    (transport, record) => transport.update({ ...record, json }, record),
    (transport, record) => amend(transport, record, async () => json)
  ]
  for (const grow of ways) {
    const store = new MemoryStore({ clock: () => NOW * 1000, pruneInterval: 0, maxBytes: json.length + 9 })
    const told: SessionEnding[] = []
    const guarded = new GuardedStore(store, STORE_TIMEOUT)
    const transport = new StoreTransport(codecOf(), guarded, SETTINGS, fixedRandom(), (ending) => told.push(ending))
    const other = { ...RECORD, id: transport.newId(), ownerId: 'bob', json: '{}' }
    const record = { ...other, id: transport.newId(), ownerId: 'alice' }
    for (const each of [other, record]) await transport.create(each, REQUEST)
    await grow(transport, record)
    t.match(told, [{ handle: handleOf(other.id), ownerId: 'bob', reason: 'over-limit' }])
  }
})
