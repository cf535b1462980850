import { testEndings } from './endings.ts'
import { testNewIds } from './new-ids.ts'
import { testParallelRequests } from './parallel.ts'
import { racesOf } from './races.ts'
import type { RaceSuite } from './site.ts'
import { testWrites } from './writes.ts'

export type { RaceSuite } from './site.ts'

/**
 * Registers tests of requests that overlap, for any store and any test runner. Each test sends the requests of one browser to
 * two applications that use the plugin with the store. The tests check that no write is lost, that no ended session comes back,
 * and that a request which comes too late is told so. No test waits for time to pass: a request stays in its handler until the
 * test releases it.
 *
 * `testStore` tests the store alone; this suite tests it together with the plugin. Run both.
 *
 * @example
 * ```ts
 * import { test } from 'node:test'
 * import { MemoryStore } from 'fastify-typed-session'
 * import { testRaces } from 'fastify-typed-session/testing'
 *
 * testRaces({ test, open: (clock, other) => other ?? new MemoryStore({ clock }) })
 * ```
 */
export function testRaces(suite: RaceSuite): void {
  const races = racesOf(suite)
  testWrites(races)
  testEndings(races)
  testNewIds(races)
  testParallelRequests(races)
}
