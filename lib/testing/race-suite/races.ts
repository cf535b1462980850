import type { StoreWeakness } from '../store-contract/suite.ts'
import { register } from '../store-contract/suite.ts'
import type { RaceSuite, Site, SiteOptions } from './site.ts'
import { withSite } from './site.ts'

type Run = (site: Site) => Promise<void>

/** Registers the tests of a suite. Each test gets a new site. */
export interface Races {
  test(name: string, run: Run): void
  /** Skips the test if the store has one of the weaknesses. */
  testUnless(weaknesses: readonly StoreWeakness[], name: string, run: Run, options?: SiteOptions): void
}

/** Returns the functions that register the tests of a suite. */
export function racesOf(suite: RaceSuite): Races {
  const testUnless: Races['testUnless'] = (weaknesses, name, run, options = {}) => {
    register(suite, weaknesses, name, () => withSite(suite, options, run))
  }
  return { testUnless, test: (name, run) => testUnless([], name, run) }
}
