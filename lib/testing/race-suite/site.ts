import { randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { LimitedSessionOptions } from '../../../types/options.ts'
import type { SessionStore } from '../../../types/store.ts'
import { range } from '../range.ts'
import type { StoreSuite } from '../store-contract/suite.ts'
import { createApp } from './app.ts'
import { Browser } from './browser.ts'
import { Gates } from './gates.ts'

/** The idle timeout of a site, in seconds. */
export const IDLE = 600

const START = 1_763_640_000

/** What `testRaces` needs to know about the store and the test runner. */
export interface RaceSuite extends Omit<StoreSuite, 'open'> {
  /**
   * Returns the store of one application. Each test has two applications and calls this once for each, with the same `clock`.
   * `other` is the store of the first application. Return `other` if the store keeps its sessions in the memory of this
   * process; for a server or files, a second store on the same data tests more. The store may hold data of earlier tests.
   *
   * @example
   * ```ts
   * import { test } from 'node:test'
   *
   * testRaces({ test, open: (clock, other) => other ?? new MemoryStore({ clock }) })
   * ```
   */
  open(clock: () => number, other?: SessionStore): SessionStore | Promise<SessionStore>
}

/** What a test may set of the plugin. */
export type SiteOptions = Pick<LimitedSessionOptions, 'maxPerOwner' | 'maxPerOwnerPolicy'> | { maxPerOwner?: undefined }

/** Two applications that share their sessions, and what a test needs to use them. */
export interface Site {
  readonly app: FastifyInstance
  readonly browser: Browser
  /** The user who logs in: a different one in each test. */
  readonly user: string
  /** Returns another browser, which has a cookie if a token is given. */
  visit(token?: string): Browser
  /** Moves the clock. */
  advance(seconds: number): void
}

/** Runs a test with a new site. Closes the applications and the stores afterwards, even if the test fails. */
export async function withSite(
  suite: RaceSuite,
  options: SiteOptions,
  run: (site: Site) => Promise<void>
): Promise<void> {
  let milliseconds = START * 1000 + 500
  const clock = (): number => milliseconds
  const gates = new Gates()
  const secret = randomBytes(32)
  const user = `user ${randomBytes(8).toString('hex')}`
  const apps: FastifyInstance[] = []
  const stores: SessionStore[] = []
  try {
    for (const _ of range(2)) {
      const store = await suite.open(clock, stores[0])
      stores.push(store)
      const settings = { secret, store, clock, idleTimeout: IDLE, storeTimeout: 20, ...options }
      apps.push(await createApp(settings, gates, user))
    }
    const [app] = apps as [FastifyInstance]
    const visit = (token?: string): Browser => new Browser(apps, gates, token)
    const advance = (seconds: number): void => {
      milliseconds += seconds * 1000
    }
    await run({ app, visit, browser: visit(), user, advance })
  } finally {
    await Promise.all(apps.map((app) => app.close()))
    for (const store of new Set(stores)) await suite.close?.(store)
  }
}
