import t from 'tap'
import { testCommits } from '../../../lib/testing/store-contract/commits.ts'
import type { CommitResult } from '../../../types/store.ts'
import { later } from '../collect.ts'
import { altered, broken, NO_CHANGES, rewrite } from './broken-store.ts'
import { checkContract } from './check-contract.ts'

checkContract(t, testCommits, [
  [
    'a commit replaces all members',
    'a commit sets and removes members and leaves the others',
    broken({
      commit: async (store, key, { set, unset }, expiresAt, version) => {
        const old = Object.keys(JSON.parse((await store.load(key))?.json ?? '{}'))
        const all = [...unset, ...old.filter((name) => !(name in set))]
        return store.commit(key, { set, unset: all }, expiresAt, version)
      }
    })
  ],
  [
    'what was committed cannot be found',
    'a commit sets and removes members and leaves the others',
    broken({ load: () => undefined })
  ],
  [
    'a commit removes nothing',
    'a commit sets and removes members and leaves the others',
    broken({
      commit: (store, key, changes, expiresAt, version) =>
        store.commit(key, { ...changes, unset: [] }, expiresAt, version)
    })
  ],
  [
    'a commit merges objects',
    'a commit sets and removes members and leaves the others',
    broken({
      commit: async (store, key, changes, expiresAt) => {
        const old = JSON.parse((await store.load(key))?.json ?? '{}')
        const merge = (name: string, text: string): string => JSON.stringify([old[name], JSON.parse(text)].flat())
        const set = Object.fromEntries(Object.entries(changes.set).map(([name, text]) => [name, merge(name, text)]))
        return store.commit(key, { ...changes, set }, expiresAt)
      }
    })
  ],
  [
    'a commit leaves the expiry',
    'a commit changes the expiry and the other facts that it names',
    broken({
      commit: async (store, key, changes, expiresAt, version) =>
        store.commit(key, changes, (await store.load(key))?.expiresAt ?? expiresAt, version)
    })
  ],
  [
    'a commit forgets the extensions',
    'a commit sets, keeps and removes the extensions',
    broken({
      commit: (store, key, { extensions: _, ...changes }, ...rest) => store.commit(key, changes, ...rest)
    })
  ],
  [
    'every commit removes the extensions',
    'a commit sets, keeps and removes the extensions',
    broken({
      commit: (store, key, changes, ...rest) =>
        store.commit(key, { ...changes, extensions: changes.extensions ?? '' }, ...rest)
    })
  ],
  [
    'no commit removes the extensions',
    'a commit sets, keeps and removes the extensions',
    broken({
      commit: (store, key, { extensions, ...changes }, ...rest) =>
        store.commit(key, { ...changes, extensions: extensions || undefined }, ...rest)
    })
  ],
  [
    'a touch removes the extensions',
    'a commit sets, keeps and removes the extensions',
    broken({
      touch: async (store, key, expiresAt) => {
        await store.commit(key, { ...NO_CHANGES, extensions: '' }, expiresAt)
        return true
      }
    })
  ],
  [
    'a commit forgets `permanent`',
    'a commit changes the expiry and the other facts that it names',
    broken({
      commit: (store, key, { set, unset, lastSeenAt }, ...rest) =>
        store.commit(key, { set, unset, lastSeenAt }, ...rest)
    })
  ],
  [
    'a commit resets `permanent`',
    'a commit changes the expiry and the other facts that it names',
    broken({
      commit: (store, key, { permanent = true, ...changes }, ...rest) =>
        store.commit(key, { ...changes, permanent }, ...rest)
    })
  ],
  [
    'commits are not counted',
    'every commit adds one to the version',
    broken({ load: (store, key) => altered(store, key, () => ({ version: 0 })) })
  ],
  [
    'a touch counts as a commit',
    'every commit adds one to the version',
    broken({
      touch: async (store, key, expiresAt, lastSeenAt) =>
        (await store.commit(key, { ...NO_CHANGES, lastSeenAt }, expiresAt)) === 'committed'
    })
  ],
  [
    'the version is not looked at',
    'a commit for another version writes nothing',
    broken({ commit: (store, key, changes, expiresAt) => store.commit(key, changes, expiresAt) })
  ],
  [
    'a conflict moves the expiry',
    'a commit for another version writes nothing',
    broken({
      commit: async (store, key, changes, expiresAt, version): Promise<CommitResult> => {
        const result = await store.commit(key, changes, expiresAt, version)
        if (result === 'conflict') await store.touch(key, expiresAt)
        return result
      }
    })
  ],
  [
    'a commit reads, waits and writes everything',
    'parallel commits of different members are all kept',
    broken({
      commit: async (store, key, changes, expiresAt) => {
        await rewrite(store, key, changes, expiresAt)
        return 'committed'
      }
    })
  ],
  [
    'the version is compared first and the data are written later',
    'of parallel commits for one version, one succeeds',
    broken({
      commit: async (store, key, changes, expiresAt, version) => {
        if ((await store.load(key))?.version !== version) return 'conflict'
        await later()
        return store.commit(key, changes, expiresAt)
      }
    })
  ],
  [
    'a commit that began before writes the record back',
    'a destroy among parallel commits is final',
    broken({
      commit: async (store, key, changes, expiresAt) => {
        const record = await store.load(key)
        if (record === undefined) return 'gone'
        await later()
        await store.create(key, record, expiresAt)
        return store.commit(key, changes, expiresAt)
      }
    })
  ]
])
