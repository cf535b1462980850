import { setTimeout as pause } from 'node:timers/promises'
import { Owner } from './owner.ts'
import type { Target } from './perform.ts'
import type { Random } from './random.ts'
import type { Recorder } from './recorder.ts'

export interface WorkloadSettings {
  /** How many owners there are at a time. */
  readonly owners: number
  readonly browsersPerOwner: number
  /** How many requests an owner makes. Then another one comes. */
  readonly requestsPerOwner: number
  /** The most milliseconds between two requests of a browser. */
  readonly think: number
}

/** How long a browser waits that has met no application, in milliseconds. */
const RETRY = 50

/** Owners who come, send requests from several browsers at once, and go. */
export class Workload {
  readonly #settings: WorkloadSettings
  readonly #recorder: Recorder
  readonly #random: Random
  readonly #owners: Owner[] = []

  constructor(settings: WorkloadSettings, recorder: Recorder, random: Random) {
    this.#settings = settings
    this.#recorder = recorder
    this.#random = random
  }

  /** Sends requests to the applications that `targets` returns, until `isOver`. */
  async run(targets: () => readonly Target[], isOver: () => boolean): Promise<void> {
    const places = Array.from({ length: this.#settings.owners }, async () => {
      while (!isOver()) await this.#live(this.#newOwner(), targets, isOver)
    })
    await Promise.all(places)
  }

  /** Reads everything that anybody has known, and all lists. */
  async readAll(targets: () => readonly Target[]): Promise<void> {
    const waiting = [...this.#owners]
    const read = async (): Promise<void> => {
      for (let owner = waiting.pop(); owner !== undefined; owner = waiting.pop()) {
        const target = this.#random.pick(targets())
        await owner.readAll(target)
        await owner.list(target)
      }
    }
    await Promise.all(Array.from({ length: this.#settings.owners }, read))
  }

  #newOwner(): Owner {
    const number = this.#owners.length + 1
    const owner = new Owner(
      `owner ${number}`,
      number % 2 === 0 ? 'steady' : 'busy',
      this.#random.fork(),
      this.#recorder
    )
    this.#owners.push(owner)
    return owner
  }

  async #live(owner: Owner, targets: () => readonly Target[], isOver: () => boolean): Promise<void> {
    const { browsersPerOwner, requestsPerOwner, think } = this.#settings
    const random = this.#random.fork()
    let left = requestsPerOwner
    const browse = async (): Promise<void> => {
      while (left-- > 0 && !isOver()) {
        const live = targets()
        const isAnswered = live.length > 0 && (await owner.act(random.pick(live)))
        await pause(isAnswered ? random.next() * think : RETRY)
      }
    }
    await Promise.all(Array.from({ length: browsersPerOwner }, browse))
  }
}
