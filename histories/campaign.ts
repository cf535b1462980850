import { setTimeout as pause } from 'node:timers/promises'
import { judge } from './checks/index.ts'
import type { FaultName } from './faults.ts'
import { inject, isOfNetwork } from './faults.ts'
import type { Bounds, History, Violation } from './history.ts'
import { Random } from './random.ts'
import { Recorder } from './recorder.ts'
import type { StoreName } from './system.ts'
import { System } from './system.ts'
import { Workload } from './workload.ts'

export interface CampaignSettings {
  readonly store: StoreName
  /** None: the store is healthy. */
  readonly faults: readonly FaultName[]
  /** For how long there are faults. */
  readonly seconds: number
  readonly seed: number
}

export interface CampaignResult extends CampaignSettings {
  readonly history: History
  readonly violations: readonly Violation[]
}

const STORE_TIMEOUT = 1000
const MAX_PER_OWNER = 3
/** How much longer than its deadlines a request may take when the machine is busy. */
const SLACK = 3000
/** How long after its 503 a write may be applied: what the library waits until it undoes what it has left half done. */
const LATENESS = 1000
/** How long a store is healthy until everything must have been undone. */
const SETTLING = 5000
/** The most milliseconds between two faults. */
const CALM = 500
/** How late a timer of this process is before it counts as a standstill, and how often it looks. */
const LATE = 100
const LOOK = 50

const WORKLOAD = { owners: 6, browsersPerOwner: 4, requestsPerOwner: 150, think: 80 }

/** Runs a workload while faults happen, then looks at everything when they are over, and judges the history. */
export async function runCampaign(settings: CampaignSettings): Promise<CampaignResult> {
  const recorder = new Recorder()
  const random = new Random(settings.seed)
  const workload = new Workload(WORKLOAD, recorder, random.fork())
  const secret = 'of a run on one machine, which ends with it'
  const application = { secret, storeTimeout: STORE_TIMEOUT, maxPerOwner: MAX_PER_OWNER }
  const system = await System.start(settings.store, application, recorder)
  const stopWatching = watchStandstills(recorder)
  try {
    const end = performance.now() + settings.seconds * 1000
    let isOver = false
    const load = workload.run(
      () => system.workers,
      () => isOver
    )
    const kinds = [settings.faults.filter(isOfNetwork), settings.faults.filter((fault) => !isOfNetwork(fault))]
    await Promise.all(kinds.map((faults) => breakThings(system, faults, random.fork(), end)))
    isOver = true
    await load
    await pause(SETTLING)
    const healthyFrom = performance.now()
    await workload.readAll(() => system.workers)
    const bounds: Bounds = {
      storeTimeout: STORE_TIMEOUT,
      slack: SLACK,
      lateness: LATENESS,
      maxPerOwner: MAX_PER_OWNER,
      healthyFrom
    }
    const history = recorder.history(bounds)
    return { ...settings, history, violations: judge(history) }
  } finally {
    stopWatching()
    await system.end()
  }
}

/** Breaks one thing after the other. */
async function breakThings(system: System, faults: readonly FaultName[], random: Random, end: number): Promise<void> {
  while (performance.now() < end) {
    await pause(random.between(0, CALM))
    if (faults.length > 0) await inject(random.pick(faults), { system, random, storeTimeout: STORE_TIMEOUT })
  }
}

/** Notes when this process, whose clock is that of the history, has no time on the processor. */
function watchStandstills(recorder: Recorder): () => void {
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    if (now - last > LOOK + LATE) recorder.interrupted(undefined, last, now)
    last = now
  }, LOOK)
  return () => clearInterval(timer)
}
