export type { RaceSuite } from './race-suite.ts'
export { testRaces } from './race-suite.ts'
export type { StoreSuite, StoreWeakness } from './store-contract.ts'
export { testStore } from './store-contract.ts'
