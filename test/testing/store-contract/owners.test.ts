import t from 'tap'
import { testOwners } from '../../../lib/testing/store-contract/owners.ts'
import type { StoredRecord } from '../../../types/store.ts'
import { broken, countAndWait } from './broken-store.ts'
import { checkContract } from './check-contract.ts'

checkContract(t, testOwners, [
  [
    'owners are found by a prefix',
    'list returns the live records of one owner',
    (clock) => {
      const owners = new Set<string>()
      return broken({
        create: (store, key, record, expiresAt) => {
          if (record.ownerId !== undefined) owners.add(record.ownerId)
          return store.create(key, record, expiresAt)
        },
        list: async (store, ownerId) => {
          const alike = [...owners].filter((owner) => owner.startsWith(ownerId))
          return (await Promise.all(alike.map((owner) => store.list(owner)))).flat()
        }
      })(clock)
    }
  ],
  [
    'dead records are listed',
    'list returns the live records of one owner',
    (clock) => {
      const dead: StoredRecord[] = []
      return broken({
        destroy: async (store, key) => {
          const record = await store.load(key)
          if (record !== undefined) dead.push(record)
          return store.destroy(key)
        },
        list: async (store, owner) => [...(await store.list(owner)), ...dead.filter(({ ownerId }) => ownerId === owner)]
      })(clock)
    }
  ],
  [
    'a list has no extensions',
    'list returns the live records of one owner',
    broken({
      list: async (store, ownerId) =>
        (await store.list(ownerId)).map((record) => ({ ...record, extensions: undefined }))
    })
  ],
  [
    'what is listed is not what is loaded',
    'list returns the live records of one owner',
    broken({ list: async (store, ownerId) => (await store.list(ownerId)).map((record) => ({ ...record, version: 9 })) })
  ],
  [
    'a list expires with the first expiry of its records',
    'a record stays listed until it expires',
    (clock) => {
      const until = new Map<string, number>()
      return broken({
        create: (store, key, record, expiresAt) => {
          until.set(key, expiresAt)
          return store.create(key, record, expiresAt)
        },
        list: async (store, ownerId) =>
          (await store.list(ownerId)).filter(({ key }) => (until.get(key) ?? 0) * 1000 > clock())
      })(clock)
    }
  ],
  [
    'destroyAll spares nobody',
    'destroyAll ends the sessions of one owner',
    broken({ destroyAll: (store, ownerId) => store.destroyAll(ownerId) })
  ],
  [
    'destroyAll counts what it spared',
    'destroyAll ends the sessions of one owner',
    broken({
      destroyAll: async (store, ownerId, exceptKey) => {
        const { length } = await store.list(ownerId)
        await store.destroyAll(ownerId, exceptKey)
        return length
      }
    })
  ],
  [
    'a limit evicts the newest',
    'a limit that evicts ends the oldest',
    broken({
      create: async (store, key, record, expiresAt, limit) => {
        const { ownerId } = record
        const others = ownerId === undefined || limit === undefined ? [] : await store.list(ownerId)
        const surplus = others.sort((a, b) => b.createdAt - a.createdAt).slice(0, others.length + 1 - (limit?.max ?? 9))
        for (const { key } of surplus) await store.destroy(key)
        return store.create(key, record, expiresAt)
      }
    })
  ],
  [
    'a limit evicts one',
    'a limit that evicts ends the oldest',
    broken({
      create: async (store, key, record, expiresAt, limit) => {
        const { ownerId } = record
        const others = ownerId === undefined || limit === undefined ? [] : await store.list(ownerId)
        const oldest = others.sort((a, b) => a.createdAt - b.createdAt)[0]
        if (oldest !== undefined) await store.destroy(oldest.key)
        return store.create(key, record, expiresAt)
      }
    })
  ],
  [
    'a limit that refuses has written already',
    'a limit that refuses writes nothing',
    broken({
      create: async (store, key, record, expiresAt, limit) => {
        const { length } = limit && record.ownerId !== undefined ? await store.list(record.ownerId) : []
        await store.create(key, record, expiresAt)
        return length < (limit?.max ?? 9) ? true : 'over-limit'
      }
    })
  ],
  [
    'what is replaced counts',
    'a limit that refuses writes nothing',
    broken({
      create: (store, key, record, expiresAt, limit) =>
        store.create(key, record, expiresAt, limit && { max: limit.max, evict: limit.evict })
    })
  ],
  ['a limit counts first and writes later', 'parallel logins do not exceed a limit', broken({ create: countAndWait })]
])
