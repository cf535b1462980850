import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { SessionChanges, SessionRecord, SessionStore } from '../../../types/store.ts'
import type { StoreSuite, StoreWeakness } from './suite.ts'
import { register } from './suite.ts'

export const HOUR = 3600

/** Changes that set one member. */
export const SET_A: SessionChanges = { set: { a: '1' }, unset: [] }

/** As much as a store may have to keep: a version, and a key of a device. */
export const EXTENSIONS: string = `:D${'A-_9'.repeat(60)}:v3`

const START = 1_763_640_000

/** What a test needs to use a store. */
export interface Bench {
  readonly store: SessionStore
  /** The second in which the test starts. */
  readonly now: number
  /** Moves the clock. */
  advance(seconds: number): void
  /** Adds a record under a new key and returns the key. `expiresAt`: default one hour from the start. */
  add(record?: Partial<SessionRecord>, expiresAt?: number): Promise<string>
  /** Returns the data behind a key; null if there is no record. */
  data(key: string): Promise<unknown>
}

type Run = (bench: Bench) => Promise<void>

/** Registers the tests of a suite. Each test gets a new bench. */
export interface ContractTests {
  test(name: string, run: Run): void
  /** Skips the test if the store has one of the weaknesses. */
  testUnless(weaknesses: readonly StoreWeakness[], name: string, run: Run): void
}

/** Returns the functions that register the tests of a suite. */
export function contractTests(suite: StoreSuite): ContractTests {
  const testUnless: ContractTests['testUnless'] = (weaknesses, name, run) => {
    register(suite, weaknesses, name, () => withBench(suite, run))
  }
  return { testUnless, test: (name, run) => testUnless([], name, run) }
}

/** A key that no store has yet. */
export function newKey(): string {
  return randomBytes(32).toString('base64url')
}

/** A record with defaults for what is left out. */
export function newRecord(record: Partial<SessionRecord> = {}): SessionRecord {
  const { json = '{}', createdAt = START, lastSeenAt = START, permanent = false } = record
  const { ownerId, description, extensions } = record
  return { json, createdAt, lastSeenAt, permanent, ownerId, description, extensions }
}

/** Runs a test with a store. Closes the store afterwards, even if the test fails. */
async function withBench(suite: StoreSuite, run: Run): Promise<void> {
  let milliseconds = START * 1000 + 500
  const store = await suite.open(() => milliseconds)
  const add = async (record: Partial<SessionRecord> = {}, expiresAt = START + HOUR): Promise<string> => {
    const key = newKey()
    assert.equal(await store.create(key, newRecord(record), expiresAt), true)
    return key
  }
  const advance = (seconds: number): void => {
    milliseconds += seconds * 1000
  }
  const data = async (key: string): Promise<unknown> => JSON.parse((await store.load(key))?.json ?? 'null')
  try {
    await run({ store, now: START, advance, add, data })
  } finally {
    await (suite.close === undefined ? store.close?.() : suite.close(store))
  }
}
