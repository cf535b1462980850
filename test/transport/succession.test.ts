import t from 'tap'
import { NO_CHANGES } from '../../lib/data/json-members.ts'
import { tombstoneOf } from '../../lib/owners/tombstones.ts'
import { MigratedRecord } from '../../lib/transport/migrated-record.ts'
import { PatchedRecord } from '../../lib/transport/patched-record.ts'
import { NOW } from '../format/samples.ts'
import { FakeTime } from '../helpers/fake-time.ts'
import { once } from '../helpers/recording-store.ts'
import { SCHEMA } from './migrated.ts'
import { createSaved, LATER, later, OCCASION, REQUEST, STORE_TIMEOUT, save } from './stored.ts'

t.test('known changes move along to a new id', async (t) => {
  const { transport, envelope } = await createSaved()
  const changed = new PatchedRecord({ ...envelope, id: transport.newId() }, { set: { visits: '13' }, unset: [] })
  t.equal(await save(transport, changed, envelope, OCCASION), 'saved')
  t.match(await transport.load(transport.seal(changed)), { data: { visits: 13, note: 'a plain text' } })
  t.equal(await transport.load(transport.seal(envelope)), 'renamed')
})

t.test('a new id gets what is in the store and what changed here, and then the old one ends', async (t) => {
  const { store, transport, envelope, key, jsonOf, write } = await createSaved()
  await write({ role: '"guest"' })
  const renewed = { ...envelope, id: transport.newId(), ownerId: 'alice', json: '{"visits":13}' }
  t.equal(await save(transport, renewed, envelope, OCCASION), 'saved')
  const newKey = transport.handleOf(renewed.id)
  t.same(
    store.takeCalls().map(([method, called]) => [method, called]),
    [
      ['load', key],
      ['create', tombstoneOf(key)],
      ['create', newKey],
      ['commit', key],
      ['destroy', key]
    ]
  )
  t.same(JSON.parse((await jsonOf(renewed.id)) ?? ''), { visits: 13, role: 'guest' })
  t.equal((await store.inner.load(newKey))?.ownerId, 'alice')
  t.equal(await jsonOf(envelope.id), undefined)
})

t.test('what comes to the old id while it moves is copied, too', async (t) => {
  const { store, transport, envelope, jsonOf, write } = await createSaved()
  let writes = 0
  store.before = (method, [, , expiresAt]) => {
    if (method !== 'commit' || expiresAt !== 0 || writes === 3) return undefined
    writes++
    return write({ [`write${writes}`]: String(writes) })
  }
  const renewed = { ...envelope, id: transport.newId(), json: '{"visits":13}' }
  t.equal(await save(transport, renewed, envelope, OCCASION), 'saved')
  t.same(JSON.parse((await jsonOf(renewed.id)) ?? ''), { visits: 13, write1: 1, write2: 2, write3: 3 })
})

t.test('who ends the old id while it moves ends the new one', async (t) => {
  for (const moment of ['create', 'commit'] as const) {
    const { store, transport, envelope, key, jsonOf } = await createSaved()
    store.before = once(moment, () => store.inner.destroy(key))
    const renewed = { ...envelope, id: transport.newId() }
    t.equal(await save(transport, renewed, envelope, OCCASION), 'gone')
    t.equal(await jsonOf(renewed.id), undefined, moment)
  }
})

t.test('who ends it after the first copy ends the new one as well', async (t) => {
  const { store, transport, envelope, key, jsonOf, write } = await createSaved()
  let loads = 0
  store.before = async (method, [called, , expiresAt]) => {
    if (method === 'load' && ++loads === 2) await store.inner.destroy(key)
    if (method === 'commit' && called === key && expiresAt === 0) await write({ other: '1' })
  }
  const renewed = { ...envelope, id: transport.newId() }
  t.equal(await save(transport, renewed, envelope, OCCASION), 'gone')
  t.equal(await jsonOf(renewed.id), undefined)
})

t.test('an old id that is never at rest stays, and the new one goes', async (t) => {
  const { store, transport, envelope, jsonOf, write } = await createSaved()
  store.before = (method, [, , expiresAt]) =>
    method === 'commit' && expiresAt === 0 ? write({ other: '1' }) : undefined
  const renewed = { ...envelope, id: transport.newId() }
  await t.rejects(later(save(transport, renewed, envelope, OCCASION)), {
    code: 'ERR_SESSION_CONFLICT',
    statusCode: 409
  })
  t.equal(await jsonOf(renewed.id), undefined)
  t.same(JSON.parse((await jsonOf(envelope.id)) ?? ''), { visits: 12, note: 'a plain text', other: 1 })
})

t.test("an owner's limit goes along with a new record, and what it takes the place of does not count", async (t) => {
  const ownerLimit = { max: 1, evict: false }
  const { store, transport, envelope, key } = await createSaved({ ownerLimit })
  const replaced: unknown[] = []
  store.inner.create = (
    (create) =>
    (...given: Parameters<typeof create>) => {
      replaced.push(given[4]?.replacing)
      return create(...given)
    }
  )(store.inner.create.bind(store.inner))
  const owned = { ...envelope, id: transport.newId(), ownerId: 'alice' }
  t.equal(await save(transport, owned, envelope, OCCASION), 'saved')
  t.same(store.takeCalls()[2]?.[4], ownerLimit)
  t.same(replaced, [key, key], 'neither for its tombstone')
  const renewed = { ...owned, id: transport.newId() }
  t.equal(await save(transport, renewed, owned, OCCASION), 'saved')
  const another = { ...owned, id: transport.newId() }
  await t.rejects(later(save(transport, another, undefined, OCCASION)), { code: 'ERR_SESSION_LIMIT', statusCode: 409 })
  t.same(store.takeCalls().at(-1)?.[4], ownerLimit)
  t.equal(await save(transport, another, undefined, { ...OCCASION, replaced: renewed }), 'saved')
  t.equal(store.takeCalls()[2]?.[4], undefined, 'the same owner has no session more')
  await transport.delete(another, 'destroyed')
  store.takeCalls()
  await save(transport, { ...another, ownerId: undefined }, undefined, OCCASION)
  t.equal(store.takeCalls()[0]?.[4], undefined, 'without an owner there is nothing to count')
})

t.test('permanence moves along, or changes with the new id', async (t) => {
  const { transport, store, envelope, key } = await createSaved()
  await store.inner.commit(key, { set: {}, unset: [], permanent: !envelope.permanent, lastSeenAt: NOW + 5 }, LATER)
  const renewed = { ...envelope, id: transport.newId() }
  t.equal(await save(transport, renewed, envelope, OCCASION), 'saved')
  const left = await store.inner.load(transport.handleOf(renewed.id))
  t.match(left, { permanent: !envelope.permanent, lastSeenAt: NOW + 5 }, 'as somebody else has left it')
  const again = { ...renewed, id: transport.newId(), permanent: !envelope.permanent }
  t.equal(await save(transport, again, renewed, OCCASION), 'saved')
  t.match(await store.inner.load(transport.handleOf(again.id)), { permanent: !envelope.permanent })
})

t.test('extensions move along, as they are in the store or as they changed here', async (t) => {
  const { store, transport, envelope, key } = await createSaved()
  const extensionsOf = async (id: string): Promise<unknown> =>
    (await store.inner.load(transport.handleOf(id)))?.extensions || undefined
  await store.inner.commit(key, { ...NO_CHANGES, extensions: ':v3:wA' }, LATER)
  const mine = { ...envelope, referenceExtensions: ':w1' }
  const second = { ...mine, id: transport.newId() }
  t.equal(await save(transport, second, mine, OCCASION), 'saved')
  t.equal(await extensionsOf(second.id), ':v3:wA')
  t.match(transport.seal(second), `${second.id}:w1.`)
  const third = { ...second, extensions: ':v4', id: transport.newId() }
  t.equal(await save(transport, third, second, OCCASION), 'saved')
  t.equal(await extensionsOf(third.id), ':v4')
})

t.test('extensions that change while the id does move along, too', async (t) => {
  const { store, transport, envelope, key } = await createSaved()
  let hasWritten = false
  store.before = async (method, [, , expiresAt]) => {
    if (method !== 'commit' || expiresAt !== 0 || hasWritten) return
    hasWritten = true
    await store.inner.commit(key, { ...NO_CHANGES, extensions: ':v3' }, LATER)
  }
  const moved = { ...envelope, id: transport.newId() }
  t.equal(await save(transport, moved, envelope, OCCASION), 'saved')
  t.equal(hasWritten, true)
  t.equal((await store.inner.load(transport.handleOf(moved.id)))?.extensions, ':v3')
})

t.test('a new record that somebody ends while the old one is still written to takes the old one with it', async (t) => {
  const { transport, store, told, envelope, key, write } = await createSaved()
  const renewed = { ...envelope, id: transport.newId() }
  const newKey = transport.handleOf(renewed.id)
  store.before = once('create', async () => {
    await write({ visits: '13' })
    store.before = once('commit', async () => {
      await store.inner.destroy(newKey)
    })
  })
  t.equal(await save(transport, renewed, envelope, OCCASION), 'gone')
  t.equal(await store.inner.load(key), undefined)
  t.equal(await store.inner.load(newKey), undefined)
  t.match(told, [{ handle: key, reason: 'gone' }], 'and whoever is connected hears of it')
})

t.test('a record takes the place of another only if that one could be ended', async (t) => {
  const { store, transport, envelope, key, jsonOf } = await createSaved()
  const next = { ...envelope, id: transport.newId(), json: '{"visits":1}' }
  t.equal(await save(transport, next, undefined, { ...OCCASION, replaced: envelope }), 'saved')
  t.same(
    store.takeCalls().map(([method, called]) => [method, called]),
    [
      ['load', key],
      ['create', tombstoneOf(key)],
      ['create', transport.handleOf(next.id)],
      ['commit', key],
      ['destroy', key]
    ],
    'the new one is there before the old one ends'
  )
  t.equal(await jsonOf(next.id), '{"visits":1}')
  t.equal(await jsonOf(envelope.id), undefined)
  const late = { ...envelope, id: transport.newId() }
  t.equal(await save(transport, late, undefined, { ...OCCASION, replaced: envelope }), 'gone')
  t.equal(await jsonOf(late.id), undefined)
})

t.test('a record is retired once', async (t) => {
  const { transport, envelope, jsonOf } = await createSaved()
  t.equal(await transport.retire(envelope), 'ended')
  t.equal(await jsonOf(envelope.id), undefined)
  t.equal(await transport.latest(envelope), 'renamed')
  t.equal(await transport.retire(envelope), 'gone')
})

t.test('whoever ends a login by an old id ends it under the newest one, and no other login', async (t) => {
  const { transport, envelope, jsonOf } = await createSaved()
  const login = { ...envelope, id: transport.newId(), ownerId: 'alice' }
  t.equal(await save(transport, login, envelope, OCCASION), 'saved')
  await transport.deleteRefused(transport.seal(envelope))
  t.ok(await jsonOf(login.id), 'the visitor was nobody before')
  const second = { ...login, id: transport.newId() }
  t.equal(await save(transport, second, login, OCCASION), 'saved')
  const third = { ...second, id: transport.newId() }
  t.equal(await save(transport, third, undefined, { ...OCCASION, replaced: second }), 'saved')
  await transport.deleteRefused('forged')
  await transport.deleteRefused(transport.seal({ ...envelope, id: transport.newId() }))
  t.ok(await jsonOf(third.id))
  await transport.deleteRefused(transport.seal(login))
  t.equal(await jsonOf(third.id), undefined)
})

t.test(
  'of two requests that give a login a new id at once, the one that succeeds leaves no login behind',
  async (t) => {
    const { store, transport, envelope } = await createSaved()
    const login = { ...envelope, id: transport.newId(), ownerId: 'alice' }
    await save(transport, login, envelope, OCCASION)
    const first = { ...login, id: transport.newId() }
    const second = { ...login, id: transport.newId() }
    store.before = once('commit', async () => {
      t.equal(await save(transport, second, undefined, { ...OCCASION, replaced: login }), 'saved')
    })
    t.equal(await save(transport, first, login, OCCASION), 'gone')
    t.equal(await transport.delete(login, 'destroyed'), 'ended')
    t.same(await store.inner.list('alice'), [])
  }
)

t.test('who ends a record that is to be replaced ends the new one as well', async (t) => {
  const { store, transport, envelope, key, jsonOf } = await createSaved()
  store.before = once('commit', () => store.inner.destroy(key))
  const next = { ...envelope, id: transport.newId() }
  t.equal(await save(transport, next, undefined, { ...OCCASION, replaced: envelope }), 'gone')
  t.equal(await jsonOf(next.id), undefined)
})

/** The calls of a change of id that can fail with an unknown outcome. */
const STEPS = [
  ['create', 1],
  ['create', 2],
  ['commit', 1]
] as const

/** Lets everything run that waits for no time. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
}

t.test(
  'whatever call of a change of id fails, and whether it was applied: the new session does not stay, nor comes the old one back',
  async (t) => {
    for (const kind of ['changeId', 'replace'] as const) {
      for (const isApplied of [false, true]) {
        for (const [method, count] of STEPS) {
          const time = new FakeTime(t)
          const { store, transport, envelope, jsonOf } = await createSaved()
          let seen = 0
          let isDown = false
          const fail = (): never => {
            isDown = true
            throw new Error('down')
          }
          store.before = (called) => {
            if (isDown) fail()
            if (called === method && ++seen === count && !isApplied) fail()
          }
          store.after = (called) => {
            if (called === method && seen === count && isApplied) fail()
          }
          const renewed = { ...envelope, id: transport.newId(), json: '{"visits":13}' }
          const occasion = kind === 'replace' ? { request: REQUEST, replaced: envelope } : OCCASION
          const saving = save(transport, renewed, envelope, occasion) as Promise<unknown>
          await t.rejects(saving, { code: 'ERR_SESSION_STORE_UNAVAILABLE' })
          isDown = false
          store.before = () => undefined
          store.after = () => undefined
          time.advance(62_000)
          await settle()
          const name = `${kind}, ${method} ${count}, ${isApplied ? 'applied' : 'not applied'}`
          t.equal(await jsonOf(renewed.id), undefined, name)
          const hasEnded = method === 'commit' && isApplied
          t.equal(await jsonOf(envelope.id), hasEnded ? undefined : envelope.json, name)
        }
      }
    }
  }
)

t.test('a session that another request has moved to its own new id stays there, and only there', async (t) => {
  const time = new FakeTime(t)
  const { store, transport, envelope, jsonOf } = await createSaved()
  const [failed, moved] = [transport.newId(), transport.newId()]
  store.before = (called, [, , expiresAt]) => {
    if (called === 'commit' && expiresAt === 0) throw new Error('down')
  }
  const failing = save(transport, { ...envelope, id: failed }, envelope, OCCASION) as Promise<unknown>
  await t.rejects(failing, { code: 'ERR_SESSION_STORE_UNAVAILABLE' })
  store.before = () => undefined
  await save(transport, { ...envelope, id: moved }, envelope, OCCASION)
  time.advance(62_000)
  await settle()
  t.same([await jsonOf(envelope.id), await jsonOf(failed)], [undefined, undefined])
  t.equal(await jsonOf(moved), envelope.json)
})

t.test('a session that others may save under the same id is not removed after a failure', async (t) => {
  const time = new FakeTime(t)
  const { store, transport, envelope, jsonOf } = await createSaved()
  const shared = { ...envelope, id: transport.newId() }
  store.after = (called, [, , expiresAt]) => {
    if (called === 'commit' && expiresAt === 0) throw new Error('down')
  }
  await t.rejects(later(transport.replace(shared, envelope, REQUEST, true)), { code: 'ERR_SESSION_STORE_UNAVAILABLE' })
  time.advance(62_000)
  await settle()
  t.equal(await jsonOf(shared.id), envelope.json)
})

t.test('that the text of an ended session cannot be removed is no failure, and it is removed later', async (t) => {
  const time = new FakeTime(t)
  const { store, transport, envelope, key } = await createSaved()
  store.before = (called) => {
    if (called === 'destroy') throw new Error('down')
  }
  t.equal(await save(transport, { ...envelope, id: transport.newId() }, envelope, OCCASION), 'saved')
  store.before = () => undefined
  store.takeCalls()
  time.advance(62_000)
  await settle()
  t.same(store.takeCalls(), [['destroy', key]])
})

t.test('a change of id is complete when the old session has ended, however long its removal takes', async (t) => {
  const time = new FakeTime(t)
  const { store, transport, envelope, jsonOf } = await createSaved()
  store.before = (called) => (called === 'destroy' ? new Promise(() => {}) : undefined)
  const renewed = { ...envelope, id: transport.newId() }
  t.equal(await save(transport, renewed, envelope, OCCASION), 'saved')
  time.advance(STORE_TIMEOUT * 1000)
  await settle()
  t.equal(await jsonOf(renewed.id), envelope.json)
})

t.test('migrated data move as the store has them by now, and invalid data do not move', async (t) => {
  const { store, transport, envelope, key, jsonOf, write } = await createSaved({ schema: SCHEMA })
  const facts = { ...envelope, extensions: ':v2', json: '{"count":12,"role":"admin"}' }
  const renew = (): MigratedRecord =>
    new MigratedRecord({ ...facts, id: transport.newId() }, { set: { role: '"admin"' }, unset: [] })
  await write({ visits: '"many"' })
  const refused = renew()
  t.equal(await save(transport, refused, envelope, OCCASION), 'gone')
  t.equal(await jsonOf(refused.id), undefined)
  t.match(await jsonOf(envelope.id), /"many"/, 'and stay where they are')
  await write({ visits: '20' })
  const moved = renew()
  t.equal(await save(transport, moved, envelope, OCCASION), 'saved')
  t.same(JSON.parse((await jsonOf(moved.id)) ?? ''), { count: 20, note: 'a plain text', role: 'admin' })
  t.equal(await store.inner.load(key), undefined)
})
