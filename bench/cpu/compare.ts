import type { RouteName, SystemName } from '../children/setting.ts'
import { ROUTES } from '../children/setting.ts'
import type { Group, Pair } from '../plan.ts'
import type { Measured } from './measure.ts'
import { TWIN } from './measure.ts'
import type { Figure, Rounds, Verdict } from './ratio.ts'
import { areTwinsAlike, judge, overheadOf, ratioOf } from './ratio.ts'

type ByRoute<Value> = Readonly<Record<RouteName, Value>>

export interface Comparison {
  readonly system: SystemName
  readonly peer: SystemName
  /** As both are. */
  readonly ratios: ByRoute<Figure>
  /** Without the headers that only this package sends: its base is a bare server that sends them too. */
  readonly withoutHeaders: ByRoute<Figure>
  readonly limits?: ByRoute<number>
  readonly verdicts?: ByRoute<Verdict>
}

/** What the report needs of a group. */
export interface GroupResult {
  readonly twin: SystemName
  readonly twins: ByRoute<Figure>
  /** Microseconds above the bare server. */
  readonly overheads: Readonly<Partial<Record<SystemName, ByRoute<Figure>>>>
  readonly comparisons: readonly Comparison[]
}

export function compare(group: Group, measured: Measured): GroupResult {
  const rounds = (key: SystemName | typeof TWIN, route: RouteName): Rounds => measured.get(key)?.get(route) ?? []
  const ratio = (key: SystemName | typeof TWIN, peer: SystemName, base: SystemName = 'bare') =>
    byRoute((route) => ratioOf(rounds(key, route), rounds(base, route), rounds(peer, route), rounds('bare', route)))
  const twins = ratio(TWIN, group.twin)
  const compared = ({ system, peer, limits }: Pair): Comparison => {
    const ratios = ratio(system, peer)
    const withoutHeaders = ratio(system, peer, 'bare-headers')
    if (limits === undefined) return { system, peer, ratios, withoutHeaders }
    const verdicts = byRoute((route) => judge(ratios[route], limits[route], areTwinsAlike(twins[route])))
    return { system, peer, ratios, withoutHeaders, limits, verdicts }
  }
  const systems = [...measured.keys()].filter((key) => key !== TWIN && key !== 'bare') as SystemName[]
  return {
    twin: group.twin,
    twins,
    overheads: Object.fromEntries(
      systems.map((system) => [system, byRoute((route) => overheadOf(rounds(system, route), rounds('bare', route)))])
    ),
    comparisons: group.pairs.map(compared)
  }
}

function byRoute<Value>(of: (route: RouteName) => Value): ByRoute<Value> {
  return Object.fromEntries(ROUTES.map((route) => [route, of(route)])) as unknown as ByRoute<Value>
}
