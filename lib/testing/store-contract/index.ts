import { contractTests } from './bench.ts'
import { testCommits } from './commits.ts'
import { testDeadlines } from './deadlines.ts'
import { testEverySession } from './every-session.ts'
import { testExpiry } from './expiry.ts'
import { testMessages } from './messages.ts'
import { testOwners } from './owners.ts'
import { testRecords } from './records.ts'
import type { StoreSuite } from './suite.ts'

export type { StoreSuite, StoreWeakness } from './suite.ts'

/**
 * Registers the tests of the contract that `SessionStore` states, for any store and any test runner. Run them for each store
 * that you write. `testRaces` tests the store together with the plugin.
 *
 * @example
 * ```ts
 * import { test } from 'node:test'
 * import { testStore } from 'fastify-typed-session/testing'
 *
 * testStore({ test, open: (clock) => new MyStore({ clock }) })
 * ```
 */
export function testStore(suite: StoreSuite): void {
  const tests = contractTests(suite)
  testRecords(tests)
  testExpiry(tests)
  testCommits(tests)
  testOwners(tests)
  testEverySession(tests)
  testDeadlines(tests)
  testMessages(tests)
}
