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

const BOUNDS: Omit<Bounds, 'healthyFrom'> = {
  storeTimeout: 1000,
  slack: 3000,
  // What the library waits until it undoes what it has left half done.
  lateness: 1000,
  maxPerOwner: 3
}
/** How long a store is healthy until it is looked at, and how often, because a busy machine takes longer to undo what is left. */
const SETTLING = 4000
const LOOKS = 5
/** The most milliseconds between two faults. */
const CALM = 1000
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
  const { storeTimeout, maxPerOwner } = BOUNDS
  const system = await System.start(settings.store, { secret, storeTimeout, maxPerOwner }, recorder)
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
    return { ...settings, ...(await lookAtAll(system, workload, recorder)) }
  } finally {
    stopWatching()
    await system.end()
  }
}

/** Reads everything and judges. What is found at first and not in the end was still to be undone. */
async function lookAtAll(
  system: System,
  workload: Workload,
  recorder: Recorder
): Promise<Pick<CampaignResult, 'history' | 'violations'>> {
  for (let look = 1; ; look++) {
    await pause(SETTLING)
    const healthyFrom = performance.now()
    await workload.readAll(() => system.workers)
    const history = recorder.history({ ...BOUNDS, healthyFrom })
    const violations = judge(history)
    if (violations.length === 0 || look === LOOKS) return { history, violations }
  }
}

/** Breaks one thing after the other. */
async function breakThings(system: System, faults: readonly FaultName[], random: Random, end: number): Promise<void> {
  while (performance.now() < end) {
    await pause(random.between(0, CALM))
    if (faults.length > 0) await inject(random.pick(faults), { system, random, storeTimeout: BOUNDS.storeTimeout })
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
