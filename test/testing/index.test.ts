import t from 'tap'
import { CookieJar } from '../../lib/testing/cookie-jar.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'
import * as testing from '../../lib/testing/index.ts'
import { testRaces } from '../../lib/testing/race-suite/index.ts'
import { readSession } from '../../lib/testing/read-session.ts'
import { testRevocations } from '../../lib/testing/revocation-contract/index.ts'
import { sessionCookie } from '../../lib/testing/session-cookie.ts'
import { testStore } from '../../lib/testing/store-contract/index.ts'

t.test('/testing exports the kit and the suites, and nothing else', async (t) => {
  const suites = { testRaces, testRevocations, testStore }
  t.same({ ...testing }, { CookieJar, createClient, FakeClock, readSession, sessionCookie, ...suites })
})
