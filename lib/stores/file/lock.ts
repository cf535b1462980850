import { createHash, randomBytes } from 'node:crypto'
import { link, lstat, open, readdir, rm, stat, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ProcessIdentity, Verdict } from './process-identity.ts'
import { identifyProcess, judgeProcess } from './process-identity.ts'

const DAY = 86_400
const LONGEST_PAUSE = 25

/** Whoever holds a lock, or could. */
interface Holder extends ProcessIdentity {
  /** Random; no other process and no other `FileLocks` has it. */
  readonly token: string
}

interface Ticket {
  readonly holder: Holder
  readonly path: string
  readonly inode: bigint
}

interface Sighting {
  readonly holder: Holder
  /** Changes whenever the holder takes or releases any lock: a sign of life. */
  readonly changedAt: bigint
}

interface Wait {
  readonly deadline: number
  /** The lock as it is since the time `since`. */
  first?: Sighting
  since?: number
}

/** A lock while it is held. */
export interface HeldLock {
  /**
   * Throws when the lock was taken over meanwhile, which happens to a process that did not move for long and that others
   * could not tell from a dead one. To be called last before what the lock is for.
   */
  assertHeld(): Promise<void>
}

/**
 * Locks between processes, as files of a directory. A process has one file that says who it is (`processes/`), and a lock is a
 * hard link to it (`locks/`): made in one step with its contents, and without needing space on a full disk.
 *
 * Within a process callers queue in memory, so that one of them at a time looks at the file. The lock of a dead process is
 * removed at once, that of a living one never; where nobody can tell, when its holder showed no sign of life for half of
 * `timeout`. Whoever removes a lock first locks the right to remove that lock of that holder, so that of two who found it
 * dead none removes the fresh lock of the other.
 */
export class FileLocks {
  readonly #locks: string
  readonly #processes: string
  readonly #directory: string
  readonly #timeout: number
  readonly #identify: () => Promise<ProcessIdentity>
  /** Who waits for a name that somebody of this process has; an empty list when nobody does. */
  readonly #queues: Map<string, (() => void)[]> = new Map()
  #ticket: Promise<Ticket> | undefined

  /** `timeout`: milliseconds that `run` waits. `identify` is for tests. */
  constructor(directory: string, timeout: number, identify: () => Promise<ProcessIdentity> = identifyProcess) {
    this.#directory = directory
    ;[this.#locks, this.#processes] = lockDirectories(directory)
    this.#timeout = timeout
    this.#identify = identify
  }

  /** Calls `work` while nobody else holds the lock. Throws when that could not be had in time. */
  run<T>(name: string, work: (lock: HeldLock) => Promise<T>): Promise<T> {
    return this.#run(name, performance.now() + this.#timeout, work)
  }

  /** Removes what dead processes left behind; where nobody can tell, what has not moved for `maxAge` seconds. */
  async sweep(maxAge: number = DAY): Promise<void> {
    const { holder: self } = await this.#enter()
    const judge = async ({ holder, changedAt }: Sighting): Promise<Verdict | undefined> => {
      const verdict = await judgeProcess(holder, self)
      const age = Date.now() / 1000 - Number(changedAt / 1_000_000_000n)
      return verdict === 'dead' || (verdict === 'unknown' && age > maxAge) ? verdict : undefined
    }
    for (const name of await readdir(this.#locks)) {
      const deadline = performance.now() + this.#timeout
      await this.#queue(name, deadline, async () => {
        const sighting = await this.#look(join(this.#locks, name))
        const verdict = sighting && (await judge(sighting))
        if (sighting !== undefined && verdict !== undefined) await this.#remove(name, sighting, verdict, deadline)
      })
    }
    for (const name of await readdir(this.#processes)) {
      const path = join(this.#processes, name)
      const sighting = await this.#look(path)
      // Should it be somebody's after all, they make themselves another one.
      if (sighting !== undefined && (await judge(sighting)) !== undefined) await rm(path, { force: true })
    }
  }

  /** Removes the file that says who this process is. The next lock makes another one. */
  async close(): Promise<void> {
    const ticket = this.#ticket
    this.#ticket = undefined
    if (ticket !== undefined) await rm((await ticket).path, { force: true })
  }

  #run<T>(name: string, deadline: number, work: (lock: HeldLock) => Promise<T>): Promise<T> {
    return this.#queue(name, deadline, async () => {
      const { inode } = await this.#acquire(name, deadline)
      const isHeld = (): Promise<boolean> => this.#isHeld(name, inode)
      try {
        return await work({
          assertHeld: async () => {
            if (!(await isHeld())) throw new Error(`A lock in ${this.#directory} was lost: ${LOST}`)
          }
        })
      } finally {
        if (await isHeld()) await unlink(join(this.#locks, name))
      }
    })
  }

  async #queue<T>(name: string, deadline: number, work: () => Promise<T>): Promise<T> {
    const waiting = this.#queues.get(name)
    if (waiting === undefined) this.#queues.set(name, [])
    else await this.#wait(waiting, deadline)
    try {
      return await work()
    } finally {
      const next = this.#queues.get(name)?.shift()
      if (next === undefined) this.#queues.delete(name)
      else next()
    }
  }

  #wait(waiting: (() => void)[], deadline: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const proceed = (): void => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(proceed), 1)
        reject(this.#tooLate('another request of this process'))
      }, deadline - performance.now())
      waiting.push(proceed)
    })
  }

  async #acquire(name: string, deadline: number): Promise<Ticket> {
    const wait: Wait = { deadline }
    let ticket = await this.#try(name, wait)
    for (let pause = 1; ticket === undefined; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      await delay(pause * (0.5 + Math.random() / 2))
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
    // Ours, and nobody of this process has it: it could not be removed when it was released.
    if (sighting.holder.token === ticket.holder.token) return ticket
    const now = performance.now()
    if (wait.first === undefined || !isSameSighting(wait.first, sighting)) {
      wait.first = sighting
      wait.since = now
    }
    const verdict = await judgeProcess(sighting.holder, ticket.holder)
    const hasStoodStill = verdict === 'unknown' && now - (wait.since as number) >= this.#timeout / 2
    if (verdict === 'dead' || hasStoodStill) await this.#remove(name, sighting, verdict, wait.deadline)
    else if (now >= wait.deadline) throw this.#tooLate(`process ${sighting.holder.pid}`)
    return undefined
  }

  /** Removes a lock that was left behind, unless somebody else was faster. */
  async #remove(name: string, seen: Sighting, verdict: Verdict, deadline: number): Promise<void> {
    await this.#run(nameClaim(name, seen), deadline, async () => {
      const now = await this.#look(join(this.#locks, name))
      if (now === undefined) return
      // The dead do nothing more; but the link count, and so the time of change, moves with each of their locks removed.
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
      // Was it the file that says who we are? Then the next round makes another one; otherwise this throws.
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

  /** Who holds a lock now; undefined when nobody does. */
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

  #tooLate(holder: string): Error {
    return new Error(`A lock in ${this.#directory} was not free within ${this.#timeout} ms. It is held by ${holder}.`)
  }
}

/** The directories that have to be there: the locks, and the files of those who hold them. */
export function lockDirectories(directory: string): [locks: string, processes: string] {
  return [join(directory, 'locks'), join(directory, 'processes')]
}

const LOST = 'this process stood still for so long that another one took it over. Nothing was written.'

function isSameSighting(a: Sighting, b: Sighting): boolean {
  return a.holder.token === b.holder.token && a.changedAt === b.changedAt
}

/** The right to remove one lock of one holder is itself a lock, since whoever has it may die as well. */
function nameClaim(name: string, { holder }: Sighting): string {
  return `claim-${createHash('sha256').update(`${name} ${holder.token}`).digest('hex')}`
}

/** A file that does not say who made it is of nobody, of whom nothing is known. */
function parseHolder(text: string): Holder {
  try {
    const holder = JSON.parse(text)
    // Not 0 and not below: that would ask for a whole group of processes.
    return holder.pid > 0 ? holder : NOBODY
  } catch {
    return NOBODY
  }
}

const NOBODY: Holder = { token: '', machine: '', pid: 0, started: undefined }
