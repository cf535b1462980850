import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type * as Tap from 'tap'
import type { OpenedStore, StoreAddress } from '../../lib/cli/opened-store.ts'
import type { SessionStore } from '../../lib/index.ts'
import { endEvery } from '../../lib/owners/every-session.ts'

/** Seconds since 1970. */
export const NOW = 1_763_640_000

/** Returns the key of a session for tests. */
export function keyOf(letter: string): string {
  return letter.repeat(43)
}

/** Adds a session, which expires after some seconds. */
export async function addSession(
  store: SessionStore,
  letter: string,
  ownerId?: string,
  lifetime = 3600
): Promise<void> {
  const times = { createdAt: NOW - 60, lastSeenAt: NOW - 30 }
  const texts = { json: '{}', description: '{"browser":"Firefox"}', extensions: undefined }
  await store.create(keyOf(letter), { ...times, ...texts, permanent: false, ownerId }, NOW + lifetime)
}

/** Returns a directory that is removed after the test. */
export function makeDirectory(t: Tap.Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'cli-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Returns an address for a command that may create what it names. */
export function addressOf(address: string, others: Partial<StoreAddress> = {}): StoreAddress {
  return {
    address,
    table: undefined,
    schema: undefined,
    prefix: undefined,
    mayCreate: true,
    clock: () => NOW * 1000,
    ...others
  }
}

/** Checks that all sessions of a store end, those of no owner included, and none of another store. */
export async function checkEndAll(t: Tap.Test, opened: OpenedStore, other: OpenedStore): Promise<void> {
  const { store } = opened
  await addSession(store, 'a', 'ana')
  await addSession(store, 'b', 'ana')
  await addSession(store, 'c')
  await addSession(other.store, 'a', 'ana')
  t.equal(await endEvery(store), 3)
  for (const letter of ['a', 'b', 'c']) t.equal(await store.load(keyOf(letter)), undefined)
  t.same(await store.list('ana'), [])
  t.equal((await other.store.list('ana')).length, 1, 'another store keeps its sessions')
  t.equal(await endEvery(store), 0)
}
