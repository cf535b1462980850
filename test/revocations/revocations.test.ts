import type * as Tap from 'tap'
import t from 'tap'
import { RandomPool } from '../../lib/crypto/random.ts'
import { isWithin, limitOf } from '../../lib/revocations/dated-id.ts'
import { MemoryRevocations } from '../../lib/revocations/memory.ts'
import { Revocations } from '../../lib/revocations/revocations.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'
import type { RevocationList } from '../../types/revocations.ts'
import { FakeTime, when } from '../helpers/fake-time.ts'

const NOW = 1_763_640_000
const UNAVAILABLE = { code: 'ERR_SESSION_STORE_UNAVAILABLE', statusCode: 503 }
const TIMES = { maxIdleTimeout: 600, maxAbsoluteTimeout: 3600, maxStaleness: 5 }
const random = new RandomPool()

interface Setting {
  list?: RevocationList
  renameGrace?: number
  adopt?: readonly unknown[]
  clock?: FakeClock
}

async function create(
  t: Tap.Test,
  { list, renameGrace = 60, adopt = [], clock = new FakeClock(new Date(NOW * 1000)) }: Setting = {}
) {
  const shared = list ?? new MemoryRevocations({ clock: clock.now })
  const settings = { ...TIMES, cookieName: 'session', onStale: 'accept', renameGrace, adopt, clock: clock.now } as const
  const warnings: string[] = []
  const warn = (_facts: object, text: string): void => void warnings.push(text)
  const revocations = new Revocations(shared, settings, { info: () => {}, warn } as never)
  await revocations.start()
  t.teardown(() => revocations.close())
  return { list: shared, clock, revocations, warnings }
}

t.test('what is ended here is known here at once, and elsewhere when the list tells', async (t) => {
  const { list, clock, revocations } = await create(t)
  const other = await create(t, { list, clock })
  const id = revocations.newId(random)
  t.equal(revocations.judge(id, undefined), undefined)
  await revocations.end({ id, createdAt: NOW }, 'destroyed')
  t.equal(revocations.judge(id, undefined), 'revoked')
  t.equal(other.revocations.judge(id, undefined), 'revoked')
  const late = await create(t, { list, clock })
  t.equal(late.revocations.judge(id, undefined), 'revoked', 'and who comes later catches up')
})

t.test('an id can be barred until any second', async (t) => {
  const { clock, revocations } = await create(t)
  await revocations.bar('a', NOW + 10_000)
  t.equal(revocations.judge('a', undefined), 'revoked')
  clock.advance(10_001)
  const late = await create(t, { clock })
  t.equal(late.revocations.judge('a', undefined), undefined)
})

t.test('an entry stays for as long as its cookie could open anywhere', async (t) => {
  const { list, clock, revocations } = await create(t)
  await revocations.end({ id: 'a', createdAt: NOW }, 'destroyed')
  await revocations.end({ id: 'b', createdAt: NOW - 3500 }, 'destroyed')
  await revocations.revoke('c'.repeat(22))
  await revocations.revokeOwner('7', ['d'])
  await revocations.revokeEverything()
  const { entries } = await list.since(undefined)
  const ended = (reason: string) => ({ ownerId: undefined, reason })
  t.same(entries, [
    { kind: 'session', id: 'a', until: NOW + 600 + 5 + 60, ...ended('destroyed') },
    { kind: 'session', id: 'b', until: NOW + 100 + 60, ...ended('destroyed') },
    { kind: 'session', id: 'c'.repeat(22), until: NOW + 665, ...ended('revoked') },
    { kind: 'owner', id: '7', before: NOW * 1000, except: ['d'], until: NOW + 665 },
    { kind: 'all', before: NOW * 1000 + 1, until: NOW + 665 }
  ])
  t.equal(revocations.judge('b', undefined), 'revoked')
  clock.advance(666)
  t.equal((await list.since(undefined)).entries.length, 0)
})

t.test('with readers of old sessions, it stays for as long as an old cookie could come', async (t) => {
  const { list, revocations } = await create(t, { adopt: ['a reader'] })
  const adopted = `${'a'.repeat(21)}A`
  const dated = revocations.newId(random)
  await revocations.end({ id: adopted, createdAt: NOW }, 'destroyed')
  await revocations.end({ id: dated, createdAt: NOW }, 'destroyed')
  await revocations.revokeOwner('7', [])
  await revocations.revokeEverything()
  const { entries } = await list.since(undefined)
  t.same(
    entries.map(({ until }) => until - NOW),
    [34_560_000, 665, 34_560_000, 34_560_000]
  )
})

t.test('an id that is barred is barred for as long as the cookie of a session that has it could open', async (t) => {
  const { list, revocations } = await create(t)
  await revocations.bar('a', NOW + 10)
  t.match((await list.since(undefined)).entries, [{ until: NOW + 665 }])
})

t.test('only a text with the form of a handle reaches the list', async (t) => {
  const { list, revocations } = await create(t)
  for (const handle of ['', 'x', 'c'.repeat(23), `${'c'.repeat(21)}%`]) await revocations.revoke(handle)
  t.same((await list.since(undefined)).entries, [])
})

t.test('of two who replace a session, one has replaced it', async (t) => {
  const { list, clock, revocations } = await create(t)
  const other = await create(t, { list, clock })
  t.same(await Promise.all([revocations.replace({ id: 'a' }, 'b'), other.revocations.replace({ id: 'a' }, 'c')]), [
    true,
    false
  ])
  t.equal(other.revocations.judge('a', undefined), 'renamed')
  clock.advance(60)
  t.equal(revocations.judge('a', undefined), 'renamed')
  clock.advance(1)
  t.equal(revocations.judge('a', undefined), 'revoked')
})

t.test('without a grace nothing counts as renamed', async (t) => {
  const { revocations } = await create(t, { renameGrace: 0 })
  t.equal(await revocations.replace({ id: 'a' }, undefined), true)
  t.equal(revocations.judge('a', undefined), 'revoked')
})

t.test('who ends a session ends what it has become', async (t) => {
  const { revocations } = await create(t)
  await revocations.replace({ id: 'a' }, 'b')
  await revocations.replace({ id: 'b' }, 'c')
  await revocations.replace({ id: 'x' }, undefined)
  await revocations.end({ id: 'a' }, 'destroyed')
  t.equal(revocations.judge('c', undefined), 'revoked')
  await revocations.end({ id: 'x' }, 'destroyed')
  t.equal(revocations.judge('a', undefined), 'renamed')
})

t.test('what is issued after an end of all sessions is issued later, whatever the clock says', async (t) => {
  const { list, clock, revocations } = await create(t)
  const [before, kept] = [revocations.newId(random), revocations.newId(random)]
  await revocations.revokeOwner('7', [kept])
  const after = revocations.newId(random)
  t.equal(isWithin(limitOf(NOW * 1000), after), false)
  t.equal(isWithin(limitOf(NOW * 1000 + 1), after), true)
  t.equal(revocations.judge(before, '7'), 'revoked')
  t.equal(revocations.judge(kept, '7'), undefined)
  t.equal(revocations.judge(after, '7'), undefined, 'in the same millisecond')
  const behind = await create(t, { list, clock: new FakeClock(new Date((NOW - 30) * 1000)) })
  const there = behind.revocations.newId(random)
  t.equal(revocations.judge(there, '7'), undefined, 'by a server whose clock is behind')
  await behind.revocations.revokeEverything()
  for (const id of [before, kept, there]) t.equal(behind.revocations.judge(id, '7'), 'revoked')
  const ahead = await create(t, { list, clock: new FakeClock(new Date((NOW + 30) * 1000)) })
  await ahead.revocations.revokeOwner('8', [])
  const later = revocations.newId(random)
  await behind.revocations.revokeOwner('7', [])
  t.equal(revocations.judge(later, '7'), 'revoked', 'although a clock that was ahead has made it late')
  clock.set(new Date((NOW - 60) * 1000))
  t.equal(revocations.judge(revocations.newId(random), '7'), undefined)
})

t.test('it can be asked for an end of all sessions that it has not heard of', async (t) => {
  const memory = new MemoryRevocations({ clock: () => NOW * 1000 })
  let isDown = false
  const list: RevocationList = {
    add: (entry) => memory.add(entry),
    since(position) {
      if (isDown) throw new Error('down')
      return memory.since(position)
    }
  }
  const [here, there] = [await create(t, { list }), await create(t, { list })]
  const id = there.revocations.newId(random)
  await there.revocations.replace({ id }, 'successor')
  t.equal(await there.revocations.hasEndedWithOthers(id, '7', 'successor'), false, 'not by its own entry')
  await here.revocations.revokeOwner('7', [])
  t.equal(await there.revocations.hasEndedWithOthers(id, '7', 'successor'), true)
  isDown = true
  await t.rejects(there.revocations.hasEndedWithOthers(id, '7', 'x'), { ...UNAVAILABLE, cause: { message: 'down' } })
})

t.test('a list that fails, or does not answer, ends nothing', async (t) => {
  const memory = new MemoryRevocations()
  let add: RevocationList['add'] = () => {
    throw new Error('down')
  }
  const list = { add: (entry: never) => add(entry), since: () => memory.since() }
  const { revocations } = await create(t, { list })
  const error = await t.rejects(revocations.end({ id: 'a' }, 'destroyed'), UNAVAILABLE)
  t.match(error, { cause: { message: 'down' }, headers: { 'retry-after': '5' } })
  const time = new FakeTime(t)
  add = () => new Promise(() => {})
  const ending = revocations.revokeEverything()
  ending.catch(() => {})
  await time.pass(ending.catch(() => {}))
  await t.rejects(ending, {
    ...UNAVAILABLE,
    cause: { message: 'The list of revoked sessions did not answer within 2 s.' }
  })
  t.equal(revocations.judge('a', '7'), undefined)
})

t.test('it says when it knows too little', async (t) => {
  const list: RevocationList = {
    add: () => undefined,
    since() {
      throw new Error('down')
    },
    async listen() {
      throw new Error('deaf')
    }
  }
  const { revocations, warnings } = await create(t, { list })
  t.throws(() => revocations.assertCurrent(), UNAVAILABLE)
  t.equal(revocations.activityUntil(NOW), NOW)
  await when(() => warnings.length > 1)
  t.match(warnings.sort(), [/^The list .* does not tell what is new/, /^The list .* has not answered yet/])
})
