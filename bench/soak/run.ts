import type { EventEmitter } from 'node:events'
import type { SoakApp } from './app.ts'
import type { Sample } from './sample.ts'
import { takeSample } from './sample.ts'
import { Visitor } from './visitor.ts'

const VISITORS = 20
/** Of all requests: before the first sample, caches fill and V8 compiles. */
const WARM_UP = 0.1

/** Runs with the clock of the system, and can be put forward. */
export class SoakClock {
  #ahead = 0

  readonly now = (): number => Date.now() + this.#ahead

  skip(seconds: number): void {
    this.#ahead += seconds * 1000
  }
}

/** One run. */
export interface Soak {
  readonly soaked: SoakApp
  readonly requests: number
  /** Lets all sessions expire, and removes them. */
  readonly expire: () => unknown
  /** What else can gather listeners: clients and pools. */
  readonly emitters?: readonly EventEmitter[]
  /** How often the traffic stops for a sample. Default 20. */
  readonly count?: number
  readonly onSample?: (sample: Sample) => void
}

/** Sends mixed requests of twenty visitors at a time, and takes samples while nothing is under way. */
export async function soak({ soaked, requests, expire, emitters = [], count = 20, onSample }: Soak): Promise<Sample[]> {
  const visitors = Array.from({ length: VISITORS }, (_, index) => new Visitor(soaked, index + 1))
  const samples: Sample[] = []
  const drive = async (wanted: number): Promise<number> => {
    let sent = 0
    const work = async (visitor: Visitor): Promise<void> => {
      while (sent < wanted) {
        const more = await visitor.act()
        sent += more
      }
    }
    try {
      await Promise.all(visitors.map(work))
    } finally {
      // Also after a wrong reply: the server closes only without connections.
      await Promise.all(visitors.map((visitor) => visitor.leave()))
    }
    await quiet(soaked)
    await expire()
    return sent
  }
  await drive(requests * WARM_UP)
  let total = 0
  for (let left = count; left > 0; left--) {
    total += await drive((requests - total) / left)
    const sample = await takeSample(total, [soaked.app.server, ...emitters])
    samples.push(sample)
    onSample?.(sample)
  }
  return samples
}

/** Waits until no request is under way and no connection is open. */
async function quiet({ app, slow }: SoakApp): Promise<void> {
  const connections = (): Promise<number> =>
    new Promise((resolve, reject) =>
      app.server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
    )
  while (slow.size > 0 || (await connections()) > 0) await new Promise((resolve) => setTimeout(resolve, 5))
}
