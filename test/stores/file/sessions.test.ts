import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import type { HeldLock } from '../../../lib/stores/file/lock.ts'
import { newKey } from '../../../lib/testing/store-contract/bench.ts'
import { newFileParts, toStored } from '../../helpers/file-sessions.ts'

const LOST: HeldLock = {
  assertMayWrite: async () => {
    throw new Error('lost')
  }
}

t.test('a session is found until it expires', async (t) => {
  const { sessions, add, advance } = newFileParts()
  const key = await add({ json: '{"a":1}' }, 10)
  t.equal((await sessions.find(key))?.json, '{"a":1}')
  advance(10)
  t.not(await sessions.find(key), undefined)
  advance(1)
  t.equal(await sessions.find(key), undefined)
  t.equal(await sessions.find(newKey()), undefined)
})

t.test('a session does not exist before those that make room have ended', async (t) => {
  const { sessions, locks, add } = newFileParts()
  const [first, second] = [await add({ ownerId: 'ada' }), await add({ ownerId: 'ada' })]
  const key = newKey()
  const list = async (): Promise<string[]> => (await sessions.ofOwner('ada')).map((record) => record.key).sort()
  const makeRoom = async (): Promise<void> => {
    for (const ending of [first, second]) {
      t.equal(await sessions.find(key), undefined)
      await sessions.remove(ending, locks.begin())
    }
    t.same(await list(), [])
  }
  t.equal(await sessions.add(toStored(key, { ownerId: 'ada' }), locks.begin(), makeRoom), true)
  t.same(await list(), [key])
  const unused = async (): Promise<void> => void t.fail('nobody makes room for one that exists')
  t.equal(await sessions.add(toStored(key), locks.begin(), unused), false)
})

t.test('the key of an expired session is free', async (t) => {
  const { sessions, owners, locks, add, advance } = newFileParts()
  const expired = await add({ ownerId: 'eve' }, 10)
  t.equal(await sessions.add(toStored(expired), locks.begin()), false)
  advance(11)
  t.equal(await sessions.add(toStored(expired, { json: '{"new":1}', ownerId: 'ada' }), locks.begin()), true)
  t.equal((await sessions.find(expired))?.json, '{"new":1}')
  t.same(await owners.keys('eve'), [])
  t.same(await owners.keys('ada'), [expired])
  advance(3600)
  t.equal(await sessions.add(toStored(expired, { ownerId: 'ada' }, 9000), locks.begin()), true, 'the same owner again')
  t.same(await owners.keys('ada'), [expired])
})

t.test('a change is made to what is there', async (t) => {
  const { sessions, locks, add, pathOf } = newFileParts()
  const key = await add({ json: '{"a":1}' })
  const result = await sessions.change(key, 'absent', locks.begin(), async (record, write) => {
    await write({ ...record, json: '{"a":2}' })
    return record.json
  })
  t.equal(result, '{"a":1}')
  t.equal((await sessions.find(key))?.json, '{"a":2}')
  const work = async (): Promise<string> => 'there'
  t.equal(await sessions.change(newKey(), 'absent', locks.begin(), work), 'absent')
  writeFileSync(pathOf(key), '')
  t.equal(await sessions.change(key, 'absent', locks.begin(), work), 'absent', 'nobody can use a damaged one')
  await t.rejects(sessions.find(key), { code: 'ERR_SESSION_UNREADABLE' })
})

t.test('what is meant is removed, and only that', async (t) => {
  const { sessions, owners, locks, add, pathOf } = newFileParts()
  const key = await add({ ownerId: 'ada' })
  t.equal(await sessions.remove(key, locks.begin(), (record) => record === undefined), false)
  t.equal(existsSync(pathOf(key)), true)
  t.equal(await sessions.remove(key, locks.begin(), (record) => record?.ownerId === 'ada'), true)
  t.same(await owners.keys('ada'), [])
  t.equal(await sessions.remove(key, locks.begin()), false)
  const damaged = await add()
  writeFileSync(pathOf(damaged), '')
  t.equal(await sessions.remove(damaged, locks.begin(), (record) => record === undefined), true)
  rmSync(pathOf(key), { force: true })
  mkdirSync(pathOf(key))
  await t.rejects(sessions.remove(key, locks.begin()), { code: 'EISDIR' })
})

t.test('nothing changes when an outer lock is lost', async (t) => {
  const { sessions, locks, add } = newFileParts()
  const [key, other] = [await add(), newKey()]
  await t.rejects(sessions.remove(key, locks.begin(), undefined, LOST), { message: 'lost' })
  await t.rejects(sessions.add(toStored(other), locks.begin(), undefined, LOST), { message: 'lost' })
  t.not(await sessions.find(key), undefined)
  t.equal(await sessions.find(other), undefined)
  const held: HeldLock = { assertMayWrite: async () => {} }
  t.equal(await sessions.remove(key, locks.begin(), undefined, held), true)
})

t.test('the list of an owner has neither damaged nor expired nor foreign sessions', async (t) => {
  const { sessions, owners, add, advance, pathOf } = newFileParts()
  const [damaged, foreign] = [await add({ ownerId: 'ada' }), await add()]
  await add({ ownerId: 'ada' }, 10)
  const mine = await add({ ownerId: 'ada' })
  writeFileSync(pathOf(damaged), '')
  await owners.add('ada', foreign)
  await owners.add('ada', newKey())
  advance(11)
  t.same(
    (await sessions.ofOwner('ada')).map(({ key }) => key),
    [mine]
  )
})
