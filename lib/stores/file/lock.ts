import { createHash } from 'node:crypto'
import { link, lstat, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { StoreCall } from '../../../types/store.ts'
import { BoundedMap } from '../../util/bounded-map.ts'
import { KeyedQueue } from '../../util/keyed-queue.ts'
import { codeOf, unlessMissing } from './disk.ts'
import type { Holder, Sighting } from './sighting.ts'
import { isSameSighting, look } from './sighting.ts'
import type { ThreadIdentity, Verdict } from './thread-identity.ts'
import { identifyThread, judgeThread } from './thread-identity.ts'
import type { Ticket } from './ticket.ts'
import { OwnTicket } from './ticket.ts'
import { TimeLimit } from './time-limit.ts'

/** Milliseconds between two attempts to take a lock that another thread or process holds. */
const LONGEST_PAUSE = 25
/** How many locks of holders that cannot be judged are remembered. */
const MOST_STANDING = 1000

/** A lock while it is held. */
export interface HeldLock {
  /**
   * Throws if the caller has given up, or if another process has taken the lock over. The latter happens to a process that stood
   * still for long, where the other process could not tell whether it was dead. Call it as the last step before the change that
   * the lock protects.
   */
  assertMayWrite(): Promise<void>
}

/**
 * Locks between threads and processes, as files of a directory. Each `FileLocks` has one file that identifies it
 * (`processes/`); a lock is a hard link to that file (`locks/`). A link is made in one step together with its contents, and needs
 * no space on a full disk.
 *
 * Callers of one `FileLocks` queue in memory, so that only one of them at a time looks at the lock file. A lock of a dead thread
 * or process is removed at once, a lock of a living one never. Where the holder cannot be judged, its lock is removed when it has
 * shown no sign of life for half of `timeout`.
 *
 * Two that find the same dead lock must not remove it both: the second would remove the new lock of the first. Therefore one first
 * takes another lock, the right to remove that lock of that holder.
 */
export class FileLocks {
  readonly #directory: string
  readonly #locks: string
  readonly #timeout: number
  readonly #ticket: OwnTicket
  readonly #queue: KeyedQueue = new KeyedQueue()
  /** The locks of holders that cannot be judged, each as it was first seen without a change since. */
  readonly #standing: BoundedMap<{ readonly first: Sighting; readonly since: number }> = new BoundedMap(MOST_STANDING)

  /** `timeout`: how many seconds a call waits for its locks. `identify` is for tests. */
  constructor(directory: string, timeout: number, identify: () => Promise<ThreadIdentity> = identifyThread) {
    const [locks, processes] = lockDirectories(directory)
    this.#directory = directory
    this.#locks = locks
    this.#timeout = timeout
    this.#ticket = new OwnTicket(processes, identify)
  }

  /** Begins a call, which may take several locks. */
  begin(call?: StoreCall): TimeLimit {
    return new TimeLimit(this.#timeout, call)
  }

  /** Calls `work` while it holds the lock, and returns what `work` returns. Throws if the lock is not free in time. */
  run<T>(name: string, work: (lock: HeldLock) => Promise<T>, limit: TimeLimit = this.begin()): Promise<T> {
    return this.#inTurn(name, limit, async () => {
      const { inode } = await this.#acquire(name, limit)
      const assertMayWrite = async (): Promise<void> => {
        if (!(await this.#isHeld(name, inode))) throw new Error(`A lock in ${this.#directory} was lost. ${LOST}`)
        limit.assertMayWrite()
      }
      return this.#release(name, inode, work({ assertMayWrite }))
    })
  }

  /**
   * Calls `work` while it holds the lock, and returns what `work` returns; undefined at once if another `FileLocks` holds it. For
   * work that lasts long: nobody waits for it. Two calls of one `FileLocks` must not overlap.
   */
  async runIfFree<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
    const limit = this.begin()
    // The first attempt may remove the lock of a dead holder.
    const ticket = (await this.#try(name, limit)) ?? (await this.#try(name, limit))
    return ticket && this.#release(name, ticket.inode, work())
  }

  /** Removes a lock if `judge` returns a verdict that allows it. */
  removeIf(name: string, judge: (sighting: Sighting) => Promise<Verdict | undefined>): Promise<void> {
    const limit = this.begin()
    return this.#inTurn(name, limit, async () => {
      const sighting = await look(join(this.#locks, name))
      const verdict = sighting && (await judge(sighting))
      if (sighting !== undefined && verdict !== undefined) await this.#remove(name, sighting, verdict, limit)
    })
  }

  /** Returns what the locks of this `FileLocks` say of their holder. */
  async holder(): Promise<Holder> {
    return (await this.#ticket.get()).holder
  }

  /** Removes the file that identifies this `FileLocks`. The next lock makes another one. */
  close(): Promise<void> {
    return this.#ticket.remove()
  }

  /** Calls `work` after the earlier calls here under the same name, or never if they last beyond the limit. */
  #inTurn<T>(name: string, limit: TimeLimit, work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let isTooLate = false
      const watch = (): NodeJS.Timeout => setTimeout(giveUp, limit.left)
      const giveUp = (): void => {
        if (limit.left > 0) {
          timer = watch()
          return
        }
        isTooLate = true
        reject(limit.exceeded(this.#directory, 'Another request of this process'))
      }
      let timer = watch()
      const step = async (): Promise<void> => {
        clearTimeout(timer)
        if (!isTooLate) resolve(await work())
      }
      this.#queue.run(name, step).catch(reject)
    })
  }

  async #acquire(name: string, limit: TimeLimit): Promise<Ticket> {
    let ticket = await this.#try(name, limit)
    for (let pause = 1; ticket === undefined; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      const milliseconds = pause * (0.5 + Math.random() / 2)
      await new Promise((resolve) => setTimeout(resolve, milliseconds))
      ticket = await this.#try(name, limit)
    }
    return ticket
  }

  async #try(name: string, limit: TimeLimit): Promise<Ticket | undefined> {
    const path = join(this.#locks, name)
    const ticket = await this.#ticket.get()
    if (await this.#link(ticket, path)) return ticket
    const sighting = await look(path)
    if (sighting === undefined) return undefined
    // A lock of this object that no caller holds: it could not be removed when it was released.
    if (sighting.holder.token === ticket.holder.token) return ticket
    const verdict = await judgeThread(sighting.holder, ticket.holder)
    const isAbandoned = verdict === 'dead' || (verdict === 'unknown' && this.#standsStill(name, sighting))
    if (isAbandoned) await this.#remove(name, sighting, verdict, limit)
    else if (limit.left <= 0) throw limit.exceeded(this.#directory, `Process ${sighting.holder.pid}`)
    return undefined
  }

  /** Whether a lock has not changed for half of the timeout. What counts is the time since any call has seen it. */
  #standsStill(name: string, sighting: Sighting): boolean {
    const now = performance.now()
    const seen = this.#standing.get(name)
    if (seen !== undefined && isSameSighting(seen.first, sighting))
      return now - seen.since >= (this.#timeout * 1000) / 2
    this.#standing.set(name, { first: sighting, since: now })
    return false
  }

  /** Removes an abandoned lock, unless another thread or process has replaced or removed it meanwhile. */
  async #remove(name: string, seen: Sighting, verdict: Verdict, limit: TimeLimit): Promise<void> {
    const remove = async (): Promise<void> => {
      const now = await look(join(this.#locks, name))
      if (now === undefined) return
      // The dead change nothing, but their file changes (its link count) with each of their locks that is removed.
      const isSame = verdict === 'dead' ? now.holder.token === seen.holder.token : isSameSighting(now, seen)
      if (isSame) await unlink(join(this.#locks, name))
    }
    await this.run(nameClaim(name, seen), remove, limit)
  }

  async #link(ticket: Ticket, path: string): Promise<boolean> {
    try {
      await link(ticket.path, path)
      return true
    } catch (error) {
      const code = codeOf(error)
      if (code === 'EEXIST') return false
      if (code !== 'ENOENT') throw error
      // This throws if the directory is missing. Otherwise the ticket is, and the next attempt makes another one.
      await stat(this.#locks)
      this.#ticket.forget()
      return false
    }
  }

  async #release<T>(name: string, inode: bigint, work: Promise<T>): Promise<T> {
    try {
      return await work
    } finally {
      if (await this.#isHeld(name, inode)) await unlink(join(this.#locks, name))
    }
  }

  async #isHeld(name: string, inode: bigint): Promise<boolean> {
    const stats = await unlessMissing(lstat(join(this.#locks, name), { bigint: true }))
    return stats?.ino === inode
  }
}

/** The directories that `FileLocks` needs: for the locks, and for the tickets. They must exist. */
export function lockDirectories(directory: string): [locks: string, processes: string] {
  return [join(directory, 'locks'), join(directory, 'processes')]
}

const LOST = 'This process stood still for so long that another process took the lock over. Nothing was written.'

/** The right to remove one lock of one holder. It is a lock itself, since the process that has it may die as well. */
function nameClaim(name: string, { holder }: Sighting): string {
  return `claim-${createHash('sha256').update(`${name} ${holder.token}`).digest('hex')}`
}
