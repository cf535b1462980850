import { setTimeout as pause } from 'node:timers/promises'
import type { StoreCall } from '../../../types/store.ts'
import { KeyedQueue } from '../../util/keyed-queue.ts'
import { assertInTime } from '../assert-in-time.ts'
import { watchTime } from '../patience.ts'
import { explain, isBusy } from './errors.ts'
import type { Handle } from './options.ts'
import { Reserve } from './reserve.ts'
import { assertNoTransaction } from './transaction.ts'

/** The longest pause between two attempts to get a lock, in milliseconds. */
const LONGEST_PAUSE = 8

/**
 * Runs the steps of a store or a list, which are synchronous, in turn. While another connection holds a lock, a step is tried again after
 * pauses in which the process does other work. `what` is for the message of an error.
 */
export class SqliteAccess {
  readonly #database: Handle
  readonly #owner: string | undefined
  readonly #reserve: Reserve
  /** Those who wait form a line, so that one of them tries: the others cost nothing. Reading waits for no writer. */
  readonly #lines: KeyedQueue<'read' | 'write'> = new KeyedQueue()

  /** `owner`: the class whose steps they are, for the message of an error. */
  constructor(database: Handle, owner?: string) {
    this.#database = database
    this.#owner = owner
    this.#reserve = new Reserve(database)
  }

  /** Runs the first step at once. Opening a file may need space on the disk. */
  open<T>(step: () => T): T {
    try {
      assertNoTransaction(this.#database)
      const opened = this.#reserve.spend(step)
      this.#reserve.make()
      return opened
    } catch (error) {
      throw explain('begin', error, this.#owner)
    }
  }

  read<T>(what: string, step: () => T): Promise<T> {
    return this.#run('read', what, undefined, step)
  }

  /** Throws if the time of the call is over, or if the disk has only the reserve left. */
  write<T>(what: string, call: StoreCall | undefined, step: () => T): Promise<T> {
    return this.#run('write', what, call, () => {
      assertInTime(call)
      this.#reserve.assert()
      return step()
    })
  }

  /** Throws if the time of the call is over. */
  remove<T>(what: string, call: StoreCall | undefined, step: () => T): Promise<T> {
    return this.#run('write', what, call, () => {
      assertInTime(call)
      return this.#reserve.spend(step)
    })
  }

  /** Tries once, even if the time of the call is over. */
  removeLate<T>(what: string, call: StoreCall | undefined, step: () => T): Promise<T> {
    return this.#run('write', what, call, () => this.#reserve.spend(step))
  }

  async #run<T>(line: 'read' | 'write', what: string, call: StoreCall | undefined, step: () => T): Promise<T> {
    const isOver = watchTime(call)
    let lock: unknown
    const tryOnce = (): { result: T } | undefined => {
      try {
        assertNoTransaction(this.#database)
        return { result: step() }
      } catch (error) {
        if (!isBusy(error) || isOver()) throw explain(what, error, this.#owner)
        lock = error
        return undefined
      }
    }
    const insist = async (): Promise<{ result: T }> => {
      for (;;) {
        await pause(Math.random() * LONGEST_PAUSE)
        if (isOver()) throw explain(what, lock, this.#owner)
        const done = tryOnce()
        if (done !== undefined) return done
      }
    }
    const { result } = await this.#lines.run(line, () => tryOnce() ?? insist())
    return result
  }
}
