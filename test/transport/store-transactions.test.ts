import t from 'tap'
import type { IdentifiedRecord } from '../../lib/format/record.ts'
import { MigratedRecord } from '../../lib/transport/migrated-record.ts'
import { NOW } from '../format/samples.ts'
import { FakeTime, when } from '../helpers/fake-time.ts'
import { once } from '../helpers/recording-store.ts'
import { SCHEMA } from './migrated.ts'
import { amend, create, createRotated, createSaved, IDLE, LATER, later, REQUEST, STORE_TIMEOUT } from './stored.ts'

t.test('a change is made on the latest data, and again when somebody was faster', async (t) => {
  const { store, transport, envelope, key, jsonOf, write } = await createSaved()
  let others = 0
  store.before = (method) => (method === 'commit' && others < 2 ? write({ visits: String(++others * 10) }) : undefined)
  const seen: string[] = []
  const amended = await amend(transport, envelope, async (json) => {
    seen.push(json)
    const data = JSON.parse(json)
    return JSON.stringify({ ...data, visits: data.visits + 1 })
  })
  t.same(
    seen.map((json) => JSON.parse(json).visits),
    [12, 10, 20]
  )
  t.equal(amended.json, '{"visits":21,"note":"a plain text"}')
  t.equal(await jsonOf(envelope.id), amended.json)
  const commits = store.takeCalls().filter(([method]) => method === 'commit')
  t.same(commits.at(-1), ['commit', key, { set: { visits: '21' }, unset: [] }, LATER, 2], 'and moves no expiry')
})

t.test('a change that changes nothing writes nothing', async (t) => {
  const { store, transport, envelope } = await createSaved()
  const amended = await amend(transport, envelope, async (json) => json)
  t.equal(amended.json, envelope.json)
  t.same(store.takeMethods(), ['load'])
})

t.test('a change seals again what an older key has sealed, whatever it leaves alone', async (t) => {
  const { after, load } = await createRotated()
  const amended = await amend(after, load(), async (json) => json.replace('12', '13'))
  const again = load()
  t.same([again.json, again.needsRekey], [amended.json, undefined])
})

t.test('changes of one session wait for each other here, and one that fails holds nobody up', async (t) => {
  const { store, transport, envelope, jsonOf } = await createSaved()
  const increment = async (json: string): Promise<string> => {
    const data = JSON.parse(json)
    await new Promise(setImmediate)
    return JSON.stringify({ ...data, visits: data.visits + 1 })
  }
  const fail = async (): Promise<string> => {
    throw new Error('no')
  }
  const changes = Array.from({ length: 50 }, (_, index) =>
    amend(transport, envelope, index % 10 === 3 ? fail : increment)
  )
  const results = await Promise.allSettled(changes)
  t.equal(results.filter(({ status }) => status === 'fulfilled').length, 45)
  t.equal(JSON.parse((await jsonOf(envelope.id)) ?? '').visits, 57)
  t.equal(store.takeMethods().filter((method) => method === 'commit').length, 45, 'nobody had to try again')
})

t.test('a change gives up when others are always faster', async (t) => {
  const { store, transport, envelope, write } = await createSaved()
  store.before = (method) => (method === 'commit' ? write({ other: '1' }) : undefined)
  await t.rejects(
    amend(transport, envelope, async () => '{}'),
    { code: 'ERR_SESSION_CONFLICT', statusCode: 409 }
  )
})

t.test('a change of what was ended fails, before or after it was made', async (t) => {
  for (const moment of ['load', 'commit'] as const) {
    const { store, transport, envelope, key, jsonOf } = await createSaved()
    store.before = once(moment, () => store.inner.destroy(key))
    await t.rejects(
      amend(transport, envelope, async () => '{}'),
      { code: 'ERR_SESSION_GONE', statusCode: 409 }
    )
    t.equal(await jsonOf(envelope.id), undefined)
  }
})

t.test('a transaction of a session that no other request can know runs on its own data', async (t) => {
  const { store, transport } = create()
  const change = (data: Record<string, unknown>): unknown => Object.assign(data, { visits: 2 })
  const facts = { persisted: undefined, json: '{"visits":1}', hasNewId: false, change }
  t.same(await transport.transact({ ...facts, save: t.fail as never }), { data: { visits: 2 } })
  t.same(store.takeCalls(), [])
})

t.test('a transaction under a new id writes there alone: the old id may be known to an attacker', async (t) => {
  const { transport, envelope, key, store, jsonOf } = await createSaved()
  const renewed = { ...envelope, id: transport.newId() }
  const { written } = await transport.transact({
    persisted: envelope,
    json: envelope.json,
    hasNewId: true,
    save: async () => {
      await transport.changeId(renewed, envelope, REQUEST)
      return renewed
    },
    change: (data) => Object.assign(data, { userId: 7 })
  })
  t.equal(written?.base, renewed)
  t.match(await jsonOf(renewed.id), /"userId":7/)
  t.equal(await store.inner.load(key), undefined)
})

t.test(
  'a transaction of a session that was emptied, so that saving it has ended it, runs on its own data',
  async (t) => {
    const { transport, envelope } = await createSaved()
    const result = await transport.transact({
      persisted: envelope,
      json: '{}',
      hasNewId: true,
      save: async () => undefined,
      change: (data) => Object.assign(data, { visits: 4 })
    })
    t.same(result, { data: { visits: 4 } })
  }
)

t.test('updates of one session wait together no longer than for the store', async (t) => {
  const time = new FakeTime(t)
  const { store, transport, envelope } = await createSaved()
  store.before = () => new Promise(() => {})
  let changes = 0
  const updates = Array.from({ length: 15 }, () =>
    amend(transport, envelope, async (json) => {
      changes++
      return json
    })
  )
  const outcomes = Promise.allSettled(updates)
  time.advance(STORE_TIMEOUT * 1000)
  for (const outcome of await outcomes) {
    t.match(outcome, { status: 'rejected', reason: { code: 'ERR_SESSION_STORE_UNAVAILABLE' } })
  }
  t.same(store.takeMethods(), ['load'], 'and none of them reaches the store later')
  t.equal(changes, 0)
})

t.test('the change of an update may take its time, and those who wait for it give up', async (t) => {
  const time = new FakeTime(t)
  const { transport, envelope, jsonOf } = await createSaved()
  const slow = amend(transport, envelope, async () => {
    time.advance(STORE_TIMEOUT * 2000)
    return '{"visits":13}'
  })
  const waiting = amend(transport, envelope, async (json) => json)
  await t.rejects(waiting, { code: 'ERR_SESSION_STORE_UNAVAILABLE' })
  await slow
  t.equal(await jsonOf(envelope.id), '{"visits":13}')
})

t.test('a change that never ends does not hold up the session for ever, and does not write over others', async (t) => {
  const time = new FakeTime(t)
  const { transport, envelope, jsonOf } = await createSaved()
  const ends: ((json: string) => void)[] = []
  const endless = amend(transport, envelope, async () =>
    ends.length === 0 ? new Promise<string>((resolve) => ends.push(resolve)) : '{"visits":14}'
  )
  await when(() => ends.length === 1)
  const waiting = amend(transport, envelope, async () => '{"visits":13}')
  time.advance(9999)
  await new Promise(setImmediate)
  t.equal(await jsonOf(envelope.id), envelope.json)
  time.advance(1)
  await waiting
  t.equal(await jsonOf(envelope.id), '{"visits":13}')
  ends[0]?.('{"visits":99}')
  await time.pass(endless)
  t.equal(await jsonOf(envelope.id), '{"visits":14}')
})

/** The session as a request has migrated it, and changed one key. */
function migrated(envelope: IdentifiedRecord, permanent = envelope.permanent): MigratedRecord {
  const facts = { ...envelope, permanent, lastSeenAt: NOW + 5, extensions: ':v2', json: '{"count":12,"role":"admin"}' }
  return new MigratedRecord(facts, { set: { role: '"admin"' }, unset: ['note'] })
}

t.test('what a request has changed in migrated data is applied to the latest data, migrated once', async (t) => {
  const { store, transport, envelope, key, jsonOf } = await createSaved({ schema: SCHEMA })
  store.before = once('commit', () => {
    const changes = { set: { count: '20' }, unset: ['visits'], extensions: ':v2' }
    return store.inner.commit(key, changes, LATER)
  })
  t.equal(await transport.update(migrated(envelope), envelope), 'saved')
  t.same(JSON.parse((await jsonOf(envelope.id)) ?? ''), { count: 20, role: 'admin' })
  t.match(await store.inner.load(key), { extensions: ':v2', lastSeenAt: NOW + 5, permanent: envelope.permanent })
  t.equal(store.takeMethods().filter((method) => method === 'commit').length, 2)
})

t.test('a migrated session may become permanent, and its activity does not go back', async (t) => {
  const { store, transport, envelope, key } = await createSaved({ schema: SCHEMA })
  await store.inner.touch(key, LATER, NOW + 9)
  t.equal(await transport.update(migrated(envelope, !envelope.permanent), envelope), 'saved')
  t.match(await store.inner.load(key), { permanent: !envelope.permanent, lastSeenAt: NOW + 9 })
})

t.test('migrated data of a session that was ended, or that became invalid, are not written', async (t) => {
  const { store, transport, envelope, key, write } = await createSaved({ schema: SCHEMA })
  await write({ visits: '"many"' })
  t.equal(await transport.update(migrated(envelope), envelope), 'gone')
  t.match(JSON.parse((await store.inner.load(key))?.json ?? ''), { visits: 'many' })
  await store.inner.destroy(key)
  t.equal(await transport.update(migrated(envelope), envelope), 'gone')
  t.equal(await store.inner.load(key), undefined)
})

t.test('a store that fails under migrated data is an error', async (t) => {
  const { store, transport, envelope } = await createSaved({ schema: SCHEMA })
  store.before = () => {
    throw new Error('out of order')
  }
  await t.rejects(later(transport.update(migrated(envelope), envelope)), { code: 'ERR_SESSION_STORE_UNAVAILABLE' })
})

t.test(
  'timeouts go into what another request has written meanwhile, and the record is kept as long as they say',
  async (t) => {
    const { store, transport, envelope, key } = await createSaved()
    store.before = once('commit', () => {
      const changes = { set: { visits: '20' }, unset: [], extensions: ':L7200' }
      return store.inner.commit(key, changes, LATER)
    })
    const short = { ...envelope, lastSeenAt: NOW, extensions: ':I300' }
    t.equal(await transport.update(short, envelope), 'saved')
    t.match(await store.inner.load(key), { extensions: ':I300:L7200', expiresAt: NOW + 300, json: /"visits":20/ })
    t.equal(
      await transport.update({ ...short, extensions: undefined }, { ...short, extensions: ':I300:L7200' }),
      'saved'
    )
    t.match(await store.inner.load(key), { extensions: '', expiresAt: NOW + IDLE })
  }
)
