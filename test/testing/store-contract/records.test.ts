import t from 'tap'
import { MemoryStore } from '../../../lib/stores/memory.ts'
import { testRecords } from '../../../lib/testing/store-contract/records.ts'
import type { StoredRecord } from '../../../types/store.ts'
import { later } from '../collect.ts'
import { altered, broken } from './broken-store.ts'
import { checkContract } from './check-contract.ts'

checkContract(t, testRecords, [
  [
    'the description is dropped',
    'a record comes back as it was created',
    broken({ load: (store, key) => altered(store, key, () => ({ description: undefined })) })
  ],
  [
    'the extensions are dropped',
    'a record comes back as it was created',
    broken({ load: (store, key) => altered(store, key, () => ({ extensions: undefined })) })
  ],
  [
    'the times are strings',
    'a record comes back as it was created',
    broken({
      load: (store, key) => altered(store, key, ({ createdAt }) => ({ createdAt: String(createdAt) as never }))
    })
  ],
  [
    'no owner is an empty owner',
    'a record comes back as it was created',
    broken({ load: (store, key) => altered(store, key, ({ ownerId = '' }) => ({ ownerId })) })
  ],
  [
    'load returns a promise all the same',
    'a store that promises to load at once returns no promise',
    // Methods of a broken store are asynchronous, and it promises nothing.
    (clock) => {
      const store = new MemoryStore({ clock })
      const load = store.load.bind(store)
      return Object.assign(store, { load: (async (key: string) => load(key)) as never })
    }
  ],
  [
    'keys inside values are sorted',
    'values come back unchanged, in their order',
    broken({
      load: (store, key) =>
        altered(store, key, ({ json }) => ({
          json: JSON.stringify(JSON.parse(json), (_, value) =>
            typeof value === 'object' && value !== null && !Array.isArray(value)
              ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
              : value
          )
        }))
    })
  ],
  [
    'empty arrays are empty objects',
    'values come back unchanged, in their order',
    broken({ load: (store, key) => altered(store, key, ({ json }) => ({ json: json.replaceAll('[]', '{}') })) })
  ],
  [
    'members are assigned, so that __proto__ is lost',
    'members may have any name',
    broken({
      create: (store, key, record, expiresAt) => {
        const members: Record<string, unknown> = {}
        for (const [name, value] of Object.entries(JSON.parse(record.json))) members[name] = value
        return store.create(key, { ...record, json: JSON.stringify(members) }, expiresAt)
      }
    })
  ],
  [
    'names are UTF-8, so that half a pair is lost',
    'members may have any name',
    broken({
      create: (store, key, record, expiresAt) =>
        store.create(key, { ...record, json: record.json.replaceAll('\\ud800', '\ufffd') }, expiresAt)
    })
  ],
  [
    'a commit creates',
    'no method finds or creates an unknown key',
    broken({
      commit: async (store, key, changes, expiresAt) => {
        const record = { json: '{}', createdAt: 0, lastSeenAt: 0, permanent: false, ownerId: undefined }
        await store.create(key, { ...record, description: undefined, extensions: undefined }, expiresAt)
        return store.commit(key, changes, expiresAt)
      }
    })
  ],
  ['a touch always succeeds', 'no method finds or creates an unknown key', broken({ touch: () => true })],
  [
    'to destroy nothing is an error',
    'no method finds or creates an unknown key',
    broken({
      destroy: async (store, key) => {
        if ((await store.load(key)) === undefined) throw new Error('no such session')
        return store.destroy(key)
      }
    })
  ],
  [
    'create overwrites',
    'create never overwrites',
    broken({
      create: async (store, key, record, expiresAt, limit) => {
        await store.destroy(key)
        return store.create(key, record, expiresAt, limit)
      }
    })
  ],
  [
    'create always says yes',
    'create never overwrites',
    broken({
      create: async (store, ...record) => {
        await store.create(...record)
        return true
      }
    })
  ],
  [
    'create looks first and writes later',
    'of parallel creates of one key, one succeeds',
    broken({
      create: async (store, key, record, expiresAt) => {
        if ((await store.load(key)) !== undefined) return false
        await later()
        await store.destroy(key)
        return store.create(key, record, expiresAt)
      }
    })
  ],
  [
    'who creates at once ends the record of the other',
    'of parallel creates of one key, one succeeds',
    broken({ load: () => undefined })
  ],
  ['nothing is destroyed', 'no method brings a destroyed record back', broken({ destroy: () => undefined })],
  [
    'a touch brings back',
    'no method brings a destroyed record back',
    (clock) => {
      const bin = new Map<string, StoredRecord | undefined>()
      return broken({
        destroy: async (store, key) => {
          bin.set(key, bin.get(key) ?? (await store.load(key)))
          return store.destroy(key)
        },
        touch: async (store, key, expiresAt) => {
          const record = bin.get(key)
          if (record !== undefined) await store.create(key, record, expiresAt)
          return store.touch(key, expiresAt)
        }
      })(clock)
    }
  ],
  [
    'a column has 65 535 bytes',
    'a large record comes back complete',
    broken({
      create: (store, key, record, expiresAt) => {
        if (Buffer.byteLength(record.json) > 65_535) throw new Error('Data too long for column')
        return store.create(key, record, expiresAt)
      }
    })
  ]
])
