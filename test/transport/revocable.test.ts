import type * as Tap from 'tap'
import t from 'tap'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import { RandomPool } from '../../lib/crypto/random.ts'
import type { IdentifiedRecord } from '../../lib/format/record.ts'
import { SignedFormat } from '../../lib/format/signed.ts'
import { MemoryRevocations } from '../../lib/revocations/memory.ts'
import { Revocations } from '../../lib/revocations/revocations.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'
import { RevocableTransport } from '../../lib/transport/revocable.ts'
import type { RevocationList } from '../../types/revocations.ts'
import { RECORD, SECRET } from '../format/samples.ts'
import { START } from '../helpers/app.ts'
import { FakeTime } from '../helpers/fake-time.ts'

const NOW = START.getTime() / 1000
const SETTINGS = {
  cookieName: 'session',
  idleTimeout: 600,
  absoluteTimeout: 3600,
  maxIdleTimeout: 600,
  maxAbsoluteTimeout: 3600,
  maxStaleness: 5,
  onStale: 'refuse',
  renameGrace: 60,
  adopt: []
} as const
const UNAVAILABLE = { code: 'ERR_SESSION_STORE_UNAVAILABLE' }
const random = new RandomPool()

async function create(t: Tap.Test, list?: RevocationList) {
  const clock = new FakeClock(START)
  const shared = list ?? new MemoryRevocations({ clock: clock.now })
  const settings = { ...SETTINGS, clock: clock.now }
  const revocations = new Revocations(shared, settings, { info: () => {}, warn: () => {} } as never)
  await revocations.start()
  const format = new SignedFormat(deriveKeys([SECRET], 'signed'), 'session')
  const transport = new RevocableTransport(format, settings, random, revocations)
  t.teardown(() => transport.close())
  const begin = (facts: Partial<IdentifiedRecord> = {}): IdentifiedRecord => ({
    ...RECORD,
    createdAt: NOW,
    lastSeenAt: NOW,
    id: transport.newId(),
    ownerId: '7',
    ...facts
  })
  return { clock, revocations, transport, begin, list: shared }
}

t.test('a cookie opens until its session has ended', async (t) => {
  const { transport, begin } = await create(t)
  const record = begin()
  t.equal(transport.create(record), 'saved')
  const cookie = transport.seal(record)
  t.match(transport.load(cookie), { id: record.id })
  t.equal(transport.latest(record), record)
  t.equal(transport.update(record, record), 'saved')
  t.equal(transport.lookUp(record.id, '7'), undefined)
  t.equal(await transport.delete(record, 'destroyed'), 'ended')
  t.equal(transport.load(cookie), 'revoked')
  t.equal(transport.latest(record), 'revoked')
  t.equal(transport.lookUp(record.id, '7'), 'revoked')
  t.equal(transport.update(record, record), 'gone')
  t.equal(transport.create(record), 'gone')
  t.equal(transport.load(`${cookie.slice(0, -1)}.`), 'bad-signature', 'what is forged is nobody')
})

t.test('a session that gets a new id ends under the old one, once', async (t) => {
  const { clock, transport, begin } = await create(t)
  const old = begin()
  const [renewed, other] = [begin(), begin()]
  t.same(await Promise.all([transport.changeId(renewed, old), transport.changeId(other, old)]), ['saved', 'gone'])
  t.equal(transport.load(transport.seal(old)), 'renamed')
  t.equal(await transport.replace(other, old), 'gone')
  t.equal(await transport.retire(old), 'gone')
  t.equal(await transport.deleteIfEmpty(old, old), 'gone')
  clock.advance(61)
  t.equal(transport.load(transport.seal(old)), 'revoked')
})

t.test('a logout with the old id ends the login that has a new one, and no session of another owner', async (t) => {
  const { transport, begin } = await create(t)
  for (const [facts, end] of [
    [{}, 'delete'],
    [{}, 'deleteRefused'],
    [{ ownerId: '8' }, 'delete'],
    [{ ownerId: undefined }, 'delete']
  ] as const) {
    const [old, renewed] = [begin(), begin(facts)]
    await transport.replace(renewed, old)
    if (end === 'delete') await transport.delete(old, 'destroyed')
    else await transport.deleteRefused(transport.seal(old))
    const isSame = renewed.ownerId === old.ownerId
    t.match(transport.load(transport.seal(renewed)), isSame ? 'revoked' : { id: renewed.id })
  }
  await transport.deleteRefused('no cookie')
})

t.test('a session ends where another one begins, or nothing is left of it', async (t) => {
  const { clock, transport, begin } = await create(t)
  const [retired, empty, late] = [begin(), begin(), begin()]
  t.equal(await transport.retire(retired), 'ended')
  t.equal(transport.load(transport.seal(retired)), 'renamed')
  t.equal(await transport.deleteIfEmpty(empty, empty), 'ended')
  t.equal(transport.load(transport.seal(empty)), 'revoked')
  clock.advance(601)
  t.equal(await transport.retire(late), 'gone', 'one that has expired has ended')
  t.equal(await transport.changeId(begin(), late), 'gone')
})

t.test('the session that stays when all others of its owner end may be getting a new id', async (t) => {
  const { revocations, transport, begin } = await create(t)
  const [old, other] = [begin(), begin()]
  const renewed = begin()
  await revocations.revokeOwner('7', [renewed.id])
  t.equal(transport.load(transport.seal(other)), 'revoked')
  t.equal(await transport.changeId(renewed, old), 'saved')
  t.match(transport.load(transport.seal(renewed)), { id: renewed.id })
  const [older, newer] = [begin(), begin()]
  await revocations.revokeOwner('7', [older.id])
  t.equal(await transport.changeId(newer, older), 'gone', 'its new id does not')
})

t.test('a new id does not outlive an end of all sessions that this process has not heard of', async (t) => {
  const ended = [
    ['changeId', '7', '7', 'owner', 'gone'],
    ['replace', '7', '7', 'owner', 'gone'],
    ['changeId', '7', '7', 'kept', 'saved'],
    ['changeId', undefined, undefined, 'all', 'gone'],
    // Somebody logs in, who may do so right after the end.
    ['replace', undefined, '7', 'all', 'saved'],
    ['replace', '8', '7', 'owner', 'saved']
  ] as const
  for (const [method, before, after, end, expected] of ended) {
    const memory = new MemoryRevocations({ clock: () => START.getTime() })
    const list: RevocationList = { add: (entry) => memory.add(entry), since: (position) => memory.since(position) }
    const [here, there] = [await create(t, list), await create(t, list)]
    const old = there.begin({ ownerId: before })
    if (end === 'all') await here.revocations.revokeEverything()
    else await here.revocations.revokeOwner(before ?? '', end === 'kept' ? [old.id] : [])
    there.clock.advance(1)
    const renewed = there.begin({ ownerId: after })
    t.match(there.transport.load(there.transport.seal(old)), { id: old.id }, 'it opens there')
    t.equal(await there.transport[method](renewed, old), expected, `${method} ${before} ${after} ${end}`)
    await here.revocations.start()
    t.match(here.transport.load(here.transport.seal(renewed)), expected === 'gone' ? 'revoked' : { id: renewed.id })
  }
})

t.test('a new id is not sent if the list does not say what has ended', async (t) => {
  const memory = new MemoryRevocations()
  let isDown = false
  const list: RevocationList = {
    add: (entry) => memory.add(entry),
    since(position) {
      if (isDown) throw new Error('down')
      return memory.since(position)
    }
  }
  const { transport, begin } = await create(t, list)
  isDown = true
  await t.rejects(async () => transport.changeId(begin(), begin()), { ...UNAVAILABLE, cause: { message: 'down' } })
})

t.test('what is known for too long is refused, and keeps nothing alive', async (t) => {
  const time = new FakeTime(t)
  let isDown = false
  const memory = new MemoryRevocations()
  const list: RevocationList = {
    add: (entry) => memory.add(entry),
    since() {
      if (isDown) throw new Error('down')
      return memory.since()
    }
  }
  const { transport, begin } = await create(t, list)
  const record = begin()
  const cookie = transport.seal(record)
  t.match(transport.load(cookie), { id: record.id })
  t.equal(transport.activityUntil(NOW + 60), NOW + 60)
  isDown = true
  time.advance(5001)
  t.throws(() => transport.load(cookie), UNAVAILABLE)
  t.throws(() => transport.latest(record), UNAVAILABLE)
  t.throws(() => transport.create(record), UNAVAILABLE)
  t.equal(transport.load('x'), 'malformed')
  t.equal(transport.activityUntil(NOW + 60), NOW + 5)
})

t.test('what another process has ended stays ended, although this one has not heard of it', async (t) => {
  const memory = new MemoryRevocations({ clock: () => START.getTime() })
  const list: RevocationList = { add: (entry) => memory.add(entry), since: (position) => memory.since(position) }
  const [here, there] = [await create(t, list), await create(t, list)]
  const [first, second, third] = [here.begin(), here.begin(), here.begin()]
  for (const record of [first, second, third]) await here.transport.delete(record, 'destroyed')
  t.match(there.transport.load(there.transport.seal(first)), { id: first.id }, 'it opens there')
  t.equal(await there.transport.changeId(there.begin(), first), 'gone')
  t.equal(await there.transport.retire(second), 'gone')
  t.equal(await there.transport.delete(third, 'destroyed'), 'ended')
  for (const record of [first, second, third]) t.equal(there.transport.latest(record), 'revoked')
})
