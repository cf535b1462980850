import t from 'tap'
import { createApplication } from '../../histories/application.ts'
import { CHECKS, judge } from '../../histories/checks/index.ts'
import type { Bounds, Violation } from '../../histories/history.ts'
import type { Target } from '../../histories/perform.ts'
import { Random } from '../../histories/random.ts'
import { Recorder } from '../../histories/recorder.ts'
import { Workload } from '../../histories/workload.ts'
import type { SessionStore } from '../../lib/index.ts'
import { MemoryStore } from '../../lib/index.ts'
import type { Mutant } from '../helpers/mutant-stores.ts'
import { MUTANTS } from '../helpers/mutant-stores.ts'

const STORE_TIMEOUT = 100
const LATENESS = 50
/** However busy the machine is, in milliseconds. */
const PATIENCE = 10_000
const OWNERS = { owners: 4, browsersPerOwner: 3, requestsPerOwner: 60, think: 2 }
const OPERATIONS = 600
/** It takes requests that meet each other, which not every run has. */
const SEEDS = [1, 2, 3, 4, 5]

interface Run extends Pick<Mutant, 'spoil' | 'lasts'> {
  readonly store: SessionStore
  readonly slack?: number
  readonly seed?: number
}

/** Sends requests to two applications with one store, and judges what they answered. */
async function run({ store, spoil, slack = PATIENCE, seed = 1, lasts = 0 }: Run): Promise<Violation[]> {
  const settings = {
    secret: 'known to everybody, so for tests only',
    store,
    storeTimeout: STORE_TIMEOUT,
    maxPerOwner: 3
  }
  const apps = await Promise.all([createApplication(settings), createApplication(settings)])
  for (const app of apps) spoil?.(app)
  const targets = apps.map(
    (app, index): Target => ({
      process: `app ${index}`,
      async post(path, body, cookie) {
        const headers = { 'content-type': 'application/json', cookie }
        const reply = await app.inject({ method: 'POST', url: path, body, headers })
        return { status: reply.statusCode, setCookie: [reply.headers['set-cookie'] ?? []].flat(), body: reply.body }
      }
    })
  )
  const recorder = new Recorder()
  const end = performance.now() + lasts
  const workload = new Workload(OWNERS, recorder, new Random(seed))
  await workload.run(
    () => targets,
    () => recorder.operations >= OPERATIONS && performance.now() >= end
  )
  const healthyFrom = performance.now()
  await workload.readAll(() => targets)
  await Promise.all(apps.map((app) => app.close()))
  const bounds: Bounds = { storeTimeout: STORE_TIMEOUT, slack, lateness: LATENESS, maxPerOwner: 3, healthyFrom }
  return judge(recorder.history(bounds))
}

t.test('a store that keeps its promises breaks no check', async (t) => {
  t.same(await run({ store: new MemoryStore({ pruneInterval: 0 }) }), [])
})

for (const { name, check, says, open, ...how } of MUTANTS) {
  t.test(`the check ${check} notices a store that ${name}`, async (t) => {
    for (const seed of SEEDS) {
      const found = await run({ store: open(), slack: check === 'deadlines' ? 0 : PATIENCE, seed, ...how })
      if (found.some((violation) => violation.check === check && says.test(violation.text))) return
    }
    t.fail('not noticed')
  })
}

t.test('each check has a mutant', async (t) => {
  t.same(new Set(MUTANTS.map(({ check }) => check)), new Set(Object.keys(CHECKS)))
})
