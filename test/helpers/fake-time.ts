import { setImmediate as turn } from 'node:timers/promises'
import type { Test } from 'tap'

interface Timer {
  readonly at: number
  readonly run: () => void
  unref(): Timer
}

/**
 * Time that moves by hand until the end of a test, for code that calls `performance.now()`, `setTimeout` and `clearTimeout`.
 * Files, sockets and processes go on in real time meanwhile.
 */
export class FakeTime {
  now = 1000
  /** How many timers were ever set. */
  timers = 0
  readonly #pending: Set<Timer> = new Set()

  constructor(t: Test) {
    const { clearTimeout: clearReal } = globalThis
    t.intercept(performance, 'now', { value: () => this.now })
    t.intercept(globalThis, 'setTimeout', {
      value: (run: () => void, milliseconds: number) => {
        const timer: Timer = { at: this.now + milliseconds, run, unref: () => timer }
        this.timers++
        this.#pending.add(timer)
        return timer
      }
    })
    t.intercept(globalThis, 'clearTimeout', {
      value: (timer: Timer | NodeJS.Timeout | undefined) => {
        // The test runner clears timers that it has set before.
        if (!this.#pending.delete(timer as Timer)) clearReal(timer as NodeJS.Timeout)
      }
    })
  }

  /** How many timers are set now. */
  get pending(): number {
    return this.#pending.size
  }

  /** Moves on by some milliseconds and runs each timer when it is due. */
  advance(milliseconds: number): void {
    const end = this.now + milliseconds
    for (let next = this.#nextUntil(end); next !== undefined; next = this.#nextUntil(end)) {
      this.now = Math.max(this.now, next.at)
      this.#pending.delete(next)
      next.run()
    }
    this.now = end
  }

  /** The process stands still for some milliseconds: timers run late. */
  stall(milliseconds: number): void {
    this.now += milliseconds
    this.advance(0)
  }

  #nextUntil(end: number): Timer | undefined {
    const due = [...this.#pending].filter(({ at }) => at <= end)
    return due.sort((a, b) => a.at - b.at)[0]
  }

  /** Lets time pass until the promise settles. */
  async pass<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false
    const settle = (): void => {
      isSettled = true
    }
    promise.then(settle, settle)
    while (!isSettled) {
      await turn()
      if (this.pending > 0) this.advance(1)
    }
    return promise
  }
}

/**
 * Resolves when the condition holds. Everybody else has turns meanwhile; a fake time stands still. Rejects after so many real
 * seconds.
 */
export async function when(condition: () => boolean | Promise<boolean>, seconds = 30): Promise<void> {
  const deadline = Date.now() + seconds * 1000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`This never came true: ${condition}`)
    await turn()
  }
}
