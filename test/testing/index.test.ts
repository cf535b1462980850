import t from 'tap'
import * as testing from '../../lib/testing/index.ts'
import { testRaces } from '../../lib/testing/race-suite.ts'
import { testStore } from '../../lib/testing/store-contract.ts'

t.test('/testing exports the suites and nothing else', async (t) => {
  t.same({ ...testing }, { testStore, testRaces })
})
