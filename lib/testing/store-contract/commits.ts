import assert from 'node:assert/strict'
import type { SessionChanges } from '../../../types/store.ts'
import { range } from '../range.ts'
import type { ContractTests } from './bench.ts'
import { EXTENSIONS, HOUR, SET_A } from './bench.ts'

/** Tests of `commit`: which members it changes, versions, and commits that run in parallel. */
export function testCommits({ test, testUnless }: ContractTests): void {
  test('a commit sets and removes members and leaves the others', async ({ store, now, add, data }) => {
    const key = await add({ json: '{"kept":[1,{"b":2}],"changed":"old","removed":true}' })
    const changes = { set: { changed: '"new"', added: '{"z":1,"a":2}' }, unset: ['removed', 'never there'] }
    assert.equal(await store.commit(key, changes, now + HOUR), 'committed')
    assert.deepEqual(await data(key), { kept: [1, { b: 2 }], changed: 'new', added: { z: 1, a: 2 } })
  })

  test('a commit changes the expiry and the other facts that it names', async ({ store, now, add }) => {
    const key = await add({ permanent: false, createdAt: now - 9, lastSeenAt: now - 9 }, now + 10)
    await store.commit(key, SET_A, now + 20)
    const first = await store.load(key)
    assert.deepEqual([first?.expiresAt, first?.permanent, first?.lastSeenAt], [now + 20, false, now - 9])
    await store.commit(key, { ...SET_A, permanent: true, lastSeenAt: now }, now + 20)
    const second = await store.load(key)
    assert.deepEqual([second?.permanent, second?.lastSeenAt, second?.createdAt], [true, now, now - 9])
  })

  test('a commit sets, keeps and removes the extensions', async ({ store, now, add }) => {
    const key = await add()
    const extensionsAfter = async (extensions: string | undefined): Promise<string | undefined> => {
      await store.commit(key, { ...SET_A, extensions }, now + HOUR)
      return (await store.load(key))?.extensions || undefined
    }
    assert.equal(await extensionsAfter(EXTENSIONS), EXTENSIONS)
    assert.equal(await extensionsAfter(undefined), EXTENSIONS)
    await store.touch(key, now + HOUR, now)
    assert.equal((await store.load(key))?.extensions, EXTENSIONS)
    assert.equal(await extensionsAfter(':v4'), ':v4')
    assert.equal(await extensionsAfter(''), undefined)
    assert.equal(await extensionsAfter(undefined), undefined)
  })

  testUnless(['atomicity'], 'every commit adds one to the version', async ({ store, now, add }) => {
    const key = await add()
    await store.commit(key, SET_A, now + HOUR)
    await store.commit(key, { set: {}, unset: [] }, now + HOUR, 1)
    await store.touch(key, now + HOUR)
    assert.equal((await store.load(key))?.version, 2)
  })

  testUnless(['atomicity'], 'a commit for another version writes nothing', async ({ store, now, add }) => {
    const key = await add({ json: '{"a":0}' }, now + 10)
    await store.commit(key, { set: { a: '1' }, unset: [] }, now + 10)
    const before = await store.load(key)
    const stale: SessionChanges = { set: { a: '2' }, unset: [], permanent: true, lastSeenAt: now + 5 }
    assert.equal(await store.commit(key, stale, now + HOUR, 0), 'conflict')
    assert.deepEqual(await store.load(key), before)
    assert.equal(await store.commit(key, stale, now + HOUR, 1), 'committed')
  })

  testUnless(['atomicity'], 'parallel commits of different members are all kept', async ({ store, now, add, data }) => {
    const key = await add({ json: '{"first":0}' })
    const names = range(30).map((index) => `member${index}`)
    const commits = names.map((name) => store.commit(key, { set: { [name]: '1' }, unset: [] }, now + HOUR))
    assert.deepEqual(new Set(await Promise.all(commits)), new Set(['committed']))
    assert.deepEqual(await data(key), { first: 0, ...Object.fromEntries(names.map((name) => [name, 1])) })
    assert.equal((await store.load(key))?.version, 30)
  })

  testUnless(['atomicity'], 'of parallel commits for one version, one succeeds', async ({ store, now, add, data }) => {
    const key = await add({ json: '{"n":-1}' })
    const commits = range(20).map((index) => store.commit(key, { set: { n: String(index) }, unset: [] }, now + HOUR, 0))
    const results = await Promise.all(commits)
    assert.equal(results.filter((result) => result === 'committed').length, 1)
    assert.equal(results.filter((result) => result === 'conflict').length, 19)
    assert.deepEqual(await data(key), { n: results.indexOf('committed') })
  })

  testUnless(['atomicity'], 'a destroy among parallel commits is final', async ({ store, now, add }) => {
    for (const _ of range(5)) {
      const key = await add()
      await Promise.all([
        ...range(5).map(() => store.commit(key, SET_A, now + HOUR)),
        store.destroy(key),
        ...range(5).map(() => store.commit(key, SET_A, now + HOUR)),
        store.touch(key, now + HOUR)
      ])
      assert.equal(await store.load(key), undefined)
    }
  })
}
