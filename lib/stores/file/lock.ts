import { createHash, randomBytes } from 'node:crypto'
import { link, lstat, open, readdir, rm, stat, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KeyedQueue } from '../../util/keyed-queue.ts'
import type { ProcessIdentity, Verdict } from './process-identity.ts'
import { identifyProcess, judgeProcess } from './process-identity.ts'

const DAY = 86_400
/** Milliseconds between two attempts to take a lock that another process holds. */
const LONGEST_PAUSE = 25

/** The owner of a lock: one `FileLocks` in one process. */
interface Holder extends ProcessIdentity {
  /** Random and unique to one `FileLocks`. */
  readonly token: string
}

/** The file that identifies this `FileLocks`. */
interface Ticket {
  readonly holder: Holder
  readonly path: string
  readonly inode: bigint
}

/** A lock file as it was at one moment. */
interface Sighting {
  readonly holder: Holder
  /**
   * The ctime in nanoseconds. It changes whenever the holder takes or releases any lock, which proves that the holder is alive.
   */
  readonly changedAt: bigint
}

/** One attempt to take a lock that another process holds. Times are milliseconds of `performance.now()`. */
interface Wait {
  readonly deadline: number
  /** The lock as it was first seen without a change since. */
  first?: Sighting
  since?: number
}

/** A lock while it is held. */
export interface HeldLock {
  /**
   * Throws if another process has taken the lock over. That happens to a process that stood still for long, where the other
   * process could not tell whether it was dead. Call it as the last step before the change that the lock protects.
   */
  assertHeld(): Promise<void>
}

/**
 * Locks between processes, as files of a directory. Each process has one file that identifies it (`processes/`); a lock is a
 * hard link to that file (`locks/`). A link is made in one step together with its contents, and needs no space on a full disk.
 *
 * Callers of one process queue in memory, so that only one of them at a time looks at the lock file. A lock of a dead process
 * is removed at once, a lock of a living process never. Where the holder cannot be judged, its lock is removed when it has
 * shown no sign of life for half of `timeout`.
 *
 * Two processes that find the same dead lock must not remove it both: the second would remove the new lock of the first.
 * Therefore a process first takes another lock, the right to remove that lock of that holder.
 */
export class FileLocks {
  readonly #locks: string
  readonly #processes: string
  readonly #directory: string
  readonly #timeout: number
  readonly #identify: () => Promise<ProcessIdentity>
  readonly #queue: KeyedQueue = new KeyedQueue()
  #ticket: Promise<Ticket> | undefined

  /** `timeout`: how many seconds `run` waits for a lock. `identify` is for tests. */
  constructor(directory: string, timeout: number, identify: () => Promise<ProcessIdentity> = identifyProcess) {
    this.#directory = directory
    ;[this.#locks, this.#processes] = lockDirectories(directory)
    this.#timeout = timeout
    this.#identify = identify
  }

  /** Calls `work` while it holds the lock, and returns what `work` returns. Throws if the lock is not free in time. */
  run<T>(name: string, work: (lock: HeldLock) => Promise<T>): Promise<T> {
    return this.#run(name, this.#newDeadline(), work)
  }

  /**
   * Removes the locks and files of dead processes. Where a process cannot be judged, removes what has not changed for `maxAge`
   * seconds.
   */
  async sweep(maxAge: number = DAY): Promise<void> {
    const { holder: self } = await this.#enter()
    const judge = async ({ holder, changedAt }: Sighting): Promise<Verdict | undefined> => {
      const verdict = await judgeProcess(holder, self)
      const age = Date.now() / 1000 - Number(changedAt / 1_000_000_000n)
      return verdict === 'dead' || (verdict === 'unknown' && age > maxAge) ? verdict : undefined
    }
    for (const name of await readdir(this.#locks)) {
      const deadline = this.#newDeadline()
      await this.#inTurn(name, deadline, async () => {
        const sighting = await this.#look(join(this.#locks, name))
        const verdict = sighting && (await judge(sighting))
        if (sighting !== undefined && verdict !== undefined) await this.#remove(name, sighting, verdict, deadline)
      })
    }
    for (const name of await readdir(this.#processes)) {
      const path = join(this.#processes, name)
      const sighting = await this.#look(path)
      // If its process is alive after all, it makes another file.
      if (sighting !== undefined && (await judge(sighting)) !== undefined) await rm(path, { force: true })
    }
  }

  /** Removes the file that identifies this process. The next lock makes another one. */
  async close(): Promise<void> {
    const ticket = this.#ticket
    this.#ticket = undefined
    if (ticket !== undefined) await rm((await ticket).path, { force: true })
  }

  #run<T>(name: string, deadline: number, work: (lock: HeldLock) => Promise<T>): Promise<T> {
    return this.#inTurn(name, deadline, async () => {
      const { inode } = await this.#acquire(name, deadline)
      const isHeld = (): Promise<boolean> => this.#isHeld(name, inode)
      try {
        return await work({
          assertHeld: async () => {
            if (!(await isHeld())) throw new Error(`A lock in ${this.#directory} was lost. ${LOST}`)
          }
        })
      } finally {
        if (await isHeld()) await unlink(join(this.#locks, name))
      }
    })
  }

  /** Calls `work` after the earlier calls of this process under the same name, or never if they last beyond the deadline. */
  #inTurn<T>(name: string, deadline: number, work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let isTooLate = false
      const timer = setTimeout(() => {
        isTooLate = true
        reject(this.#tooLate('Another request of this process'))
      }, deadline - performance.now())
      const step = async (): Promise<void> => {
        clearTimeout(timer)
        if (!isTooLate) resolve(await work())
      }
      this.#queue.run(name, step).catch(reject)
    })
  }

  async #acquire(name: string, deadline: number): Promise<Ticket> {
    const wait: Wait = { deadline }
    let ticket = await this.#try(name, wait)
    for (let pause = 1; ticket === undefined; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      const milliseconds = pause * (0.5 + Math.random() / 2)
      await new Promise((resolve) => setTimeout(resolve, milliseconds))
      ticket = await this.#try(name, wait)
    }
    return ticket
  }

  async #try(name: string, wait: Wait): Promise<Ticket | undefined> {
    const path = join(this.#locks, name)
    const ticket = await this.#enter()
    if (await this.#link(ticket, path)) return ticket
    const sighting = await this.#look(path)
    if (sighting === undefined) return undefined
    // A lock of this process that no caller holds: it could not be removed when it was released.
    if (sighting.holder.token === ticket.holder.token) return ticket
    const now = performance.now()
    if (wait.first === undefined || !isSameSighting(wait.first, sighting)) {
      wait.first = sighting
      wait.since = now
    }
    const verdict = await judgeProcess(sighting.holder, ticket.holder)
    const hasStoodStill = verdict === 'unknown' && now - (wait.since as number) >= (this.#timeout * 1000) / 2
    if (verdict === 'dead' || hasStoodStill) await this.#remove(name, sighting, verdict, wait.deadline)
    else if (now >= wait.deadline) throw this.#tooLate(`Process ${sighting.holder.pid}`)
    return undefined
  }

  /** Removes an abandoned lock, unless another process has replaced or removed it meanwhile. */
  async #remove(name: string, seen: Sighting, verdict: Verdict, deadline: number): Promise<void> {
    await this.#run(nameClaim(name, seen), deadline, async () => {
      const now = await this.#look(join(this.#locks, name))
      if (now === undefined) return
      // A dead process changes nothing, but its file changes (its link count) with each of its locks that is removed.
      const isSame = verdict === 'dead' ? now.holder.token === seen.holder.token : isSameSighting(now, seen)
      if (isSame) await unlink(join(this.#locks, name))
    })
  }

  async #link(ticket: Ticket, path: string): Promise<boolean> {
    try {
      await link(ticket.path, path)
      return true
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EEXIST') return false
      if (code !== 'ENOENT') throw error
      // This throws if the directory is missing. Otherwise the file of this process is, and the next attempt makes another one.
      await stat(this.#locks)
      this.#ticket = undefined
      return false
    }
  }

  async #isHeld(name: string, inode: bigint): Promise<boolean> {
    try {
      return (await lstat(join(this.#locks, name), { bigint: true })).ino === inode
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
      throw error
    }
  }

  /** Reads a lock file; undefined if there is none. */
  async #look(path: string): Promise<Sighting | undefined> {
    try {
      const handle = await open(path)
      try {
        const { ctimeNs } = await handle.stat({ bigint: true })
        return { holder: parseHolder(await handle.readFile('utf8')), changedAt: ctimeNs }
      } finally {
        await handle.close()
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  #enter(): Promise<Ticket> {
    if (this.#ticket === undefined) {
      const ticket = this.#makeTicket()
      ticket.catch(() => {
        this.#ticket = undefined
      })
      this.#ticket = ticket
    }
    return this.#ticket
  }

  async #makeTicket(): Promise<Ticket> {
    const holder = { token: randomBytes(16).toString('hex'), ...(await this.#identify()) }
    const path = join(this.#processes, holder.token)
    try {
      await writeFile(path, `${JSON.stringify(holder)}\n`, { flag: 'wx', mode: 0o600 })
      return { holder, path, inode: (await stat(path, { bigint: true })).ino }
    } catch (error) {
      await rm(path, { force: true }).catch(() => {})
      throw error
    }
  }

  #newDeadline(): number {
    return performance.now() + this.#timeout * 1000
  }

  #tooLate(holder: string): Error {
    return new Error(
      `A lock in ${this.#directory} was not released within ${this.#timeout} s (lockTimeout). ${holder} holds it.`
    )
  }
}

/** The directories that `FileLocks` needs: for the locks, and for the files of the processes. They must exist. */
export function lockDirectories(directory: string): [locks: string, processes: string] {
  return [join(directory, 'locks'), join(directory, 'processes')]
}

const LOST = 'This process stood still for so long that another process took the lock over. Nothing was written.'

function isSameSighting(a: Sighting, b: Sighting): boolean {
  return a.holder.token === b.holder.token && a.changedAt === b.changedAt
}

/** The right to remove one lock of one holder. It is a lock itself, since the process that has it may die as well. */
function nameClaim(name: string, { holder }: Sighting): string {
  return `claim-${createHash('sha256').update(`${name} ${holder.token}`).digest('hex')}`
}

/** Returns the holder that a lock file names; `NOBODY`, a process that cannot be judged, if the file cannot be parsed. */
function parseHolder(text: string): Holder {
  try {
    const holder = JSON.parse(text)
    // 0 and negative numbers stand for a group of processes: see kill(2).
    return holder.pid > 0 ? holder : NOBODY
  } catch {
    return NOBODY
  }
}

const NOBODY: Holder = { token: '', machine: '', pid: 0, started: undefined }
