import type { CpuRequest } from '../children/messages.ts'
import type { RouteName, Setting, SystemName } from '../children/setting.ts'
import { ROUTES } from '../children/setting.ts'
import type { Group } from '../plan.ts'
import type { Cores } from '../processes.ts'
import { Child } from '../processes.ts'
import type { Rounds } from './ratio.ts'

const REQUESTS_PER_SLICE = 1000

export interface Effort {
  /** How often every system gets a new process: two processes of one system are not equally fast. */
  readonly processes: number
  /** With each process. */
  readonly rounds: number
}

export const TWIN = 'twin'

/** The microseconds per request of every system. */
export type Measured = ReadonlyMap<SystemName | typeof TWIN, ReadonlyMap<RouteName, Rounds>>

export async function ask(child: Child, request: CpuRequest): Promise<number> {
  return (await child.ask(request)) as number
}

/** Starts the process of one system, which is warm when this resolves. */
export async function startServer(
  system: SystemName,
  setting: Setting,
  inFlight: number,
  cores: Cores | undefined
): Promise<Child> {
  const child = new Child(cores?.server, 'cpu.js', system, JSON.stringify(setting), String(inFlight))
  await child.reply()
  return child
}

/** The systems of a group: both of every pair, the bare servers, and the twin. */
function systemsOf({ pairs, twin }: Group): [SystemName | typeof TWIN, SystemName][] {
  const names = new Set<SystemName>(['bare', 'bare-headers', ...pairs.flatMap(({ system, peer }) => [system, peer])])
  return [...[...names].map((name) => [name, name] as const), [TWIN, twin] as const].map(([key, name]) => [key, name])
}

/** Measures all systems of a group on all routes. In a round each has one slice per route, in random order, on the same core. */
export async function measure(
  group: Group,
  setting: Setting,
  { processes, rounds }: Effort,
  cores: Cores | undefined
): Promise<Measured> {
  const measured = new Map(
    systemsOf(group).map(([key]) => [key, new Map(ROUTES.map((route) => [route, [] as number[]]))])
  )
  for (let generation = 0; generation < processes; generation++) {
    const running: [string, Child][] = []
    for (const [key, name] of shuffle(systemsOf(group))) {
      running.push([key, await startServer(name, setting, group.inFlight, cores)])
    }
    for (let round = 0; round < rounds; round++) {
      for (const route of ROUTES) {
        for (const [key, child] of shuffle(running)) {
          const spent = await ask(child, { ask: 'slice', route, requests: REQUESTS_PER_SLICE })
          measured
            .get(key as SystemName)
            ?.get(route)
            ?.push(spent)
        }
      }
    }
    for (const [, child] of running) await child.stop()
  }
  return measured
}

function shuffle<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}
