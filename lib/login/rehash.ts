import type { SessionStore, StoredRecord } from '../../types/store.ts'
import { parseStored } from '../data/storable.ts'
import { StoreRequiredError } from '../errors.ts'
import { loginData, readLogin } from './login-state.ts'
import { seriesOwner } from './remember-tokens.ts'

/** A digest of what `authHash` returned before, and of what it returns now. */
interface Hashes {
  readonly from: string
  readonly to: string
}

/** Returns the members of a record that change; undefined if it does not hold the hash from before. */
type Rewrite = (record: StoredRecord) => object | undefined

/**
 * Puts the new hash of the same password into the sessions of a user, and into what remembers the user, where they hold the
 * previous one. Any other hash is that of an older password: what holds it is over. `kept`: the key of a session that is left alone.
 * A store that cannot list sessions keeps them as they are.
 */
export async function rehash(store: SessionStore, userId: string, hashes: Hashes, kept: string): Promise<void> {
  const sessions = (await listed(store, userId)).filter(({ key }) => key !== kept)
  const series = await listed(store, seriesOwner(userId))
  await Promise.all([
    ...sessions.map((record) => rewrite(store, record, (latest) => inSession(latest, hashes))),
    ...series.map((record) => rewrite(store, record, (latest) => inSeries(latest, hashes)))
  ])
}

async function listed(store: SessionStore, ownerId: string): Promise<StoredRecord[]> {
  try {
    return await store.list(ownerId)
  } catch (error) {
    if (error instanceof StoreRequiredError) return []
    throw error
  }
}

async function rewrite(store: SessionStore, record: StoredRecord | undefined, change: Rewrite): Promise<void> {
  const members = record && change(record)
  if (record === undefined || members === undefined) return
  const { key, expiresAt, version } = record
  const set = Object.fromEntries(Object.entries(members).map(([name, value]) => [name, JSON.stringify(value)]))
  const result = await store.commit(key, { set, unset: [] }, expiresAt, version)
  if (result === 'conflict') await rewrite(store, await store.load(key), change)
}

function inSession(record: StoredRecord, { from, to }: Hashes): object | undefined {
  const login = readLogin(dataOf(record), record.ownerId)
  return login?.hash === from ? loginData({ ...login, hash: to }) : undefined
}

function inSeries(record: StoredRecord, { from, to }: Hashes): object | undefined {
  return dataOf(record).hash === from ? { hash: to } : undefined
}

/** What cannot be read logs nobody in. */
function dataOf({ json }: StoredRecord): Record<string, unknown> {
  try {
    return parseStored(json)
  } catch {
    return {}
  }
}
