import type { StoreSuite } from '../../lib/testing/store-contract/suite.ts'

/** The tests that a suite registers, by name. They have not run yet. */
export function collect(register: (test: StoreSuite['test']) => void): Map<string, () => Promise<void>> {
  const tests = new Map<string, () => Promise<void>>()
  register((name, run) => tests.set(name, run))
  return tests
}

/** Waits for a later turn, in which other promises have made progress. */
export function later(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
