import type { Method } from '../../../types/method.ts'
import type { SessionStore } from '../../../types/store.ts'

/** What a store cannot do, although the contract of `SessionStore` requires it. */
export type StoreWeakness =
  /** Steps that run in parallel may overwrite each other, and versions mean nothing. */
  | 'atomicity'
  /** The store cannot list, end or limit the sessions of an owner, nor list, count or end all of them. */
  | 'owners'

/** What `testStore` needs to know about the store and the test runner. */
export interface StoreSuite {
  /**
   * Registers a test: `test` of `node:test` or of `tap`, or any function that takes a name and an asynchronous function.
   *
   * @example
   * ```ts
   * import t from 'tap'
   *
   * testStore({ test: (name, run) => t.test(name, run), open: (clock) => new MemoryStore({ clock }) })
   * ```
   */
  test(name: string, run: () => Promise<void>): unknown
  /**
   * Returns the store for one test. The store may hold data of earlier tests, and a test ends whatever it holds: give it a database, or
   * a table or prefix, of its own. Pass `clock` on to the store: it returns
   * milliseconds since 1970 and stands still until the suite moves it. Without it the suite cannot test how records expire.
   *
   * @example
   * ```ts
   * import { test } from 'node:test'
   *
   * testStore({ test, open: (clock) => new MyStore({ clock }) })
   * ```
   */
  open(clock: () => number): SessionStore | Promise<SessionStore>
  /**
   * Called after each test with the store that `open` returned. Default: calls `store.close()`, if there is one.
   *
   * @example
   * ```ts
   * import { rm } from 'node:fs/promises'
   * import { test } from 'node:test'
   *
   * testStore({ test, open: (clock) => new MyStore({ clock }), close: () => rm('sessions', { recursive: true }) })
   * ```
   */
  close?: Method<[store: SessionStore], unknown> | undefined
  /** What the store is known not to do. The suite registers those tests as `skipped (…)`. Default: nothing. */
  without?: readonly StoreWeakness[] | undefined
}

/** Registers one test of a suite. Registers an empty test instead if the store has one of the weaknesses. */
export function register(
  suite: Pick<StoreSuite, 'test' | 'without'>,
  weaknesses: readonly StoreWeakness[],
  name: string,
  run: () => Promise<void>
): void {
  const weakness = weaknesses.find((weakness) => suite.without?.includes(weakness))
  if (weakness === undefined) suite.test(name, run)
  else suite.test(`skipped (${weakness}): ${name}`, async () => {})
}
