import type { Bounds, Entry, History, Interruption, Operation } from './history.ts'
import type { Performed, Target } from './perform.ts'
import { perform } from './perform.ts'

/** Keeps what was asked and what was answered, by one clock. */
export class Recorder {
  readonly #entries: Entry[] = []
  readonly #interruptions: Interruption[] = []
  #lastNumber = 0

  get operations(): number {
    return this.#entries.length
  }

  /** Returns a number that no other operation has. */
  nextNumber(): number {
    return ++this.#lastNumber
  }

  /** Asks for an operation, and keeps it. Returns undefined if the application has not got the request. */
  async ask(target: Target, operation: Operation, cookie = ''): Promise<Performed | undefined> {
    const invokedAt = performance.now()
    const performed = await perform(target, operation, cookie)
    if (performed === undefined) return undefined
    const { outcome } = performed
    this.#entries.push({ process: target.process, operation, invokedAt, answeredAt: performance.now(), outcome })
    return performed
  }

  /** Notes that a process stood still, or the observer, if it has no name; for ever, without `to`. */
  interrupted(process: string | undefined, from: number, to: number = Number.POSITIVE_INFINITY): void {
    this.#interruptions.push({ process, from, to })
  }

  history(bounds: Bounds): History {
    return { entries: this.#entries, interruptions: this.#interruptions, bounds }
  }
}
