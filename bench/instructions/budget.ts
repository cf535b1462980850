import type { RouteName, SystemName } from '../children/setting.ts'
import { ROUTES } from '../children/setting.ts'

/** The systems of the check: the three modes of this package, and the sketch as their measure. */
export const CHECKED: readonly SystemName[] = ['sketch', 'signed', 'encrypted', 'memory']

/** More than its budget by this much fails; less by this much can be taken off the budget. */
const TOLERANCE = 0.03

/**
 * What a request may cost, as a multiple of what it costs with the sketch. Node.js, Fastify, V8 and the processor that valgrind
 * imitates change both, so that a ratio outlives their updates.
 */
export type Budget = Readonly<Partial<Record<SystemName, Readonly<Record<RouteName, number>>>>>

/** By major version of Node.js. */
export type Budgets = Readonly<Record<string, Budget>>

export interface BudgetVerdict {
  readonly system: SystemName
  readonly route: RouteName
  readonly ratio: number
  readonly budget: number
  readonly verdict: 'over' | 'kept' | 'under'
}

type InstructionsOf = (system: SystemName, route: RouteName) => number

/** Returns what systems cost now, as a budget. */
export function budgetOf(instructionsOf: InstructionsOf): Budget {
  const ours = CHECKED.filter((system) => system !== 'sketch')
  return Object.fromEntries(
    ours.map((system) => [
      system,
      Object.fromEntries(
        ROUTES.map((route) => [route, round(instructionsOf(system, route) / instructionsOf('sketch', route))])
      )
    ])
  )
}

/** Compares what systems cost now with a budget. What has no budget is over it. */
export function judgeBudget(now: Budget, budget: Budget): BudgetVerdict[] {
  return Object.entries(now).flatMap(([name, ratios]) => {
    const system = name as SystemName
    return ROUTES.map((route): BudgetVerdict => {
      const ratio = ratios[route]
      const allowed = budget[system]?.[route] ?? 0
      const verdict = ratio > allowed * (1 + TOLERANCE) ? 'over' : ratio < allowed * (1 - TOLERANCE) ? 'under' : 'kept'
      return { system, route, ratio, budget: allowed, verdict }
    })
  })
}

function round(ratio: number): number {
  return Math.round(ratio * 1000) / 1000
}
