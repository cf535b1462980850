import { FIRST_VISIT } from './children/accounts.ts'
import type { PayloadName, RouteName, SystemName } from './children/protocol.ts'
import type { PlannedGroup, PlannedSystem } from './plan.ts'
import { BUSY_ENOUGH, CONNECTIONS, COOKIELESS } from './plan.ts'
import type { Cores, Server as RunningServer } from './processes.ts'
import { Driver, Server } from './processes.ts'
import type { Proof } from './prove.ts'
import { prove, readVisits } from './prove.ts'
import { median, spread } from './statistics.ts'

/** How often a slice is repeated until the server is busy. */
const ATTEMPTS = 6

export interface Effort {
  readonly rounds: number
  readonly slices: number
}

/** The cost of one route in one system, in microseconds of server CPU per request. */
export interface RouteResult {
  readonly total: number
  /** The difference to the bare server. Absent for bare servers. */
  readonly overhead?: number
  readonly spread: number
  /** The total as a multiple of the bare server's. */
  readonly ratio?: number
  /** The overhead in each round. Each round has new processes. */
  readonly rounds: readonly number[]
  readonly slices: number
  /** The number of slices that do not count because the server was not busy. */
  readonly discarded: number
  readonly requestsPerSecond: number
}

export interface SystemResult {
  readonly label: string
  readonly cookieBytes?: number
  readonly jsonBytes?: number
  /** The peak after all routes, as the median of the rounds, in megabytes. */
  readonly peakRss: number
  readonly routes: Partial<Record<RouteName, RouteResult>>
}

export type PayloadResult = Partial<Record<SystemName, SystemResult>>

interface Slice {
  readonly cpu: number
  readonly requestsPerSecond: number
}

/** The slices of one system on one route: `cycles[round][slice]`, undefined if the server was not busy in any attempt. */
interface Track {
  readonly cycles: (Slice | undefined)[][]
  discarded: number
}

interface Contestant {
  readonly plan: PlannedSystem
  readonly peaks: number[]
  readonly tracks: Map<RouteName, Track>
  proof: Proof | undefined
}

/** Measures a group of systems. Their servers take turns, slice by slice; each round has new processes. */
export async function measureGroup(
  group: PlannedGroup,
  routes: readonly RouteName[],
  payload: PayloadName,
  effort: Effort,
  cores: Cores | undefined
): Promise<PayloadResult> {
  const contestants = group.systems.map(
    (plan): Contestant => ({ plan, peaks: [], tracks: new Map(), proof: undefined })
  )
  for (let round = 0; round < effort.rounds; round++) {
    console.log(
      `${payload}, round ${round + 1} of ${effort.rounds}: ${group.systems.map(({ name }) => name).join(', ')}`
    )
    await measureRound(contestants, group, routes, payload, effort, cores)
  }
  return summarise(contestants, routes)
}

async function measureRound(
  contestants: readonly Contestant[],
  group: PlannedGroup,
  routes: readonly RouteName[],
  payload: PayloadName,
  effort: Effort,
  cores: Cores | undefined
): Promise<void> {
  const driver = await Driver.start(cores)
  const running: [Contestant, RunningServer][] = []
  for (const contestant of contestants) {
    const server = await Server.start(contestant.plan.name, payload, cores)
    if (!contestant.plan.isBare) contestant.proof = await prove(server)
    // Warms up all routes before the first measurement, because a new process is slow.
    await warmUp(driver, server, contestant.plan, routes, group.warmUpRequests)
    running.push([contestant, server])
  }
  for (const route of routes) {
    for (const [{ plan, tracks }, server] of running) {
      await warmUp(driver, server, plan, [route], group.warmUpRequests / 4)
      const track = tracks.get(route) ?? { cycles: [], discarded: 0 }
      track.cycles.push([])
      tracks.set(route, track)
    }
    for (let slice = 0; slice < effort.slices; slice++) {
      for (const [{ plan, tracks }, server] of running) {
        const track = tracks.get(route) as Track
        track.cycles
          .at(-1)
          ?.push(await takeSlice(driver, server, plan, route, plan.requestsPerSlice ?? group.requestsPerSlice, track))
      }
    }
    if (route === 'write') for (const [{ plan }, server] of running) await checkWrites(driver, server, plan)
  }
  for (const [{ peaks }, server] of running) {
    peaks.push((await server.sample()).peakRss / 2 ** 20)
    await driver.close(server)
    await server.stop()
  }
  await driver.stop()
}

/** The connections of the last route stay open. */
async function warmUp(
  driver: Driver,
  server: RunningServer,
  plan: PlannedSystem,
  routes: readonly RouteName[],
  requests: number
): Promise<void> {
  for (const route of routes) {
    await driver.close(server)
    await driver.open(server, CONNECTIONS, !plan.isBare && !COOKIELESS.includes(route))
    await driver.drive(server, route, requests)
  }
}

async function takeSlice(
  driver: Driver,
  server: RunningServer,
  plan: PlannedSystem,
  route: RouteName,
  requests: number,
  track: Track
): Promise<Slice | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = await server.sample()
    const { cookiesSet, milliseconds } = await driver.drive(server, route, requests)
    const after = await server.sample()
    const expected = cookiesOf(plan, route, requests)
    if (expected !== undefined && cookiesSet !== expected) {
      throw new Error(`${plan.name} set ${cookiesSet} cookies in ${requests} requests to /${route}, not ${expected}`)
    }
    const cpu = after.cpu - before.cpu
    if (cpu / (milliseconds * 1000) >= BUSY_ENOUGH) {
      return { cpu: cpu / requests, requestsPerSecond: (requests / milliseconds) * 1000 }
    }
    track.discarded++
  }
  return undefined
}

/** Returns the number of Set-Cookie lines that a slice must have; undefined if systems may differ. */
function cookiesOf(plan: PlannedSystem, route: RouteName, requests: number): number | undefined {
  if (plan.isBare || route === 'anon') return 0
  if (route === 'login') return requests
  if (route === 'write') return plan.isCookie ? requests : undefined
  return undefined
}

/** Checks that the session of a connection counted each of its requests. */
async function checkWrites(driver: Driver, server: RunningServer, plan: PlannedSystem): Promise<void> {
  if (plan.isBare) return
  const { cookie, sent } = await driver.drive(server, 'write', CONNECTIONS)
  const visits = await readVisits(server, cookie)
  if (visits !== FIRST_VISIT + sent) throw new Error(`${plan.name} counts ${visits} visits after ${sent} writes`)
}

function summarise(contestants: readonly Contestant[], routes: readonly RouteName[]): PayloadResult {
  const result: PayloadResult = {}
  for (const { plan, tracks, peaks, proof } of contestants) {
    const base = contestants.find((candidate) => candidate.plan.name === plan.base)
    const results: Partial<Record<RouteName, RouteResult>> = {}
    for (const route of routes) {
      const summary = summariseRoute(tracks.get(route) as Track, base?.tracks.get(route))
      if (summary !== undefined) results[route] = summary
    }
    result[plan.name] = { label: plan.label, ...proof, peakRss: median(peaks), routes: results }
  }
  return result
}

/** Returns undefined if no slice counts, because the machine was busy with other work. */
function summariseRoute(track: Track, base: Track | undefined): RouteResult | undefined {
  const slices = track.cycles.flat().filter((slice) => slice !== undefined)
  if (slices.length === 0) return undefined
  const totals = slices.map(({ cpu }) => cpu)
  const figures = {
    total: median(totals),
    slices: slices.length,
    discarded: track.discarded,
    requestsPerSecond: median(slices.map(({ requestsPerSecond }) => requestsPerSecond))
  }
  if (base === undefined) {
    const rounds = track.cycles.map((cycle) => median(cycle.flatMap((slice) => slice?.cpu ?? [])))
    return { ...figures, spread: spread(totals), rounds }
  }
  const pairs = track.cycles.map((cycle, round) =>
    cycle.flatMap((slice, index) => {
      const beside = base.cycles[round]?.[index]
      return slice === undefined || beside === undefined
        ? []
        : [{ over: slice.cpu - beside.cpu, times: slice.cpu / beside.cpu }]
    })
  )
  const overheads = pairs.flat().map(({ over }) => over)
  if (overheads.length === 0) return undefined
  return {
    ...figures,
    overhead: median(overheads),
    spread: spread(overheads),
    ratio: median(pairs.flat().map(({ times }) => times)),
    rounds: pairs.map((round) => median(round.map(({ over }) => over)))
  }
}
