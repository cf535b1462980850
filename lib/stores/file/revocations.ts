import type { Revocation, RevocationList, RevocationPage } from '../../../types/revocations.ts'
import { prepareDirectories } from './directories.ts'
import { Disk } from './disk.ts'
import { explain } from './errors.ts'
import type { HeldLock } from './lock.ts'
import { FileLocks, lockDirectories } from './lock.ts'
import { sweepLocks } from './lock-sweep.ts'
import type { FileRevocationsOptions } from './options.ts'
import { readFileRevocationsOptions } from './options.ts'
import { encodeRevocation } from './revocation-line.ts'
import type { LogPage } from './revocation-log.ts'
import { RevocationLog, START } from './revocation-log.ts'
import { SessionPlaces } from './session-places.ts'
import type { TimeLimit } from './time-limit.ts'

const NAME = 'FileRevocations'
const LOCK = 'revocations'
/** Seconds. A lock whose holder cannot be judged is taken over after half of it. */
const LOCK_TIMEOUT = 3.5
/** How long a call waits for the lock, in milliseconds. */
const PATIENCE = 3000
/** From how many bytes on the file is searched for entries that are over. */
const SMALLEST_SEARCH = 262_144

/** An entry that is to be added, and what its caller waits for. */
interface Waiting {
  readonly entry: Revocation
  resolve(known: Revocation | undefined): void
  reject(error: unknown): void
}

/**
 * A list of what has ended early, in a file: for one machine, with any number of processes. It tells nothing by itself: the processes
 * ask every second. An entry is on the disk when `add` resolves; a process may be killed at any time.
 *
 * The constructor throws `ERR_SESSION_OPTION_UNKNOWN` and `ERR_SESSION_OPTION_INVALID`, the latter also if other users may enter the
 * directory. The methods throw errors of the disk, which name what failed and have the code of the system (`ENOSPC`, `EROFS`, …) and
 * the original error as `cause`.
 *
 * @example
 * ```ts
 * import { FileRevocations } from 'fastify-typed-session/stores/file'
 *
 * const revocations = new FileRevocations({ directory: '/var/lib/shop/revocations' })
 * await app.register(session, { secret: process.env.SESSION_SECRET, revocations })
 * ```
 */
export class FileRevocations implements RevocationList {
  readonly #directory: string
  readonly #clock: () => number
  readonly #locks: FileLocks
  readonly #log: RevocationLog
  readonly #places: SessionPlaces = new SessionPlaces()
  /** Those that share the next write: a disk takes as long for many entries as for one. */
  readonly #waiting: Waiting[] = []
  #turn: Promise<void> = Promise.resolve()
  /** That of the file when it was last read, in bytes. */
  #size = 0
  #searchAt: number = SMALLEST_SEARCH
  #hasSwept = false

  constructor(options: FileRevocationsOptions) {
    const { directory, clock } = readFileRevocationsOptions(options)
    prepareDirectories(directory, lockDirectories(directory), NAME)
    this.#directory = directory
    this.#clock = clock
    this.#locks = new FileLocks(directory, LOCK_TIMEOUT)
    this.#log = new RevocationLog(directory, new Disk(true))
  }

  add(entry: Revocation): Promise<Revocation | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, resolve, reject })
      if (this.#waiting.length > 1) return
      this.#turn = this.#turn.then(() => this.#addWaiting())
    })
  }

  async since(position: string = START): Promise<RevocationPage> {
    try {
      const page = await this.#log.read(position)
      if (page === undefined) return { entries: [], position: START, hasMore: false }
      this.#places.note(page)
      return { entries: this.#unexpired(page), position: page.position, hasMore: page.hasMore }
    } catch (error) {
      throw explain('read what is new', this.#directory, error, NAME)
    }
  }

  /** Never rejects. */
  async #addWaiting(): Promise<void> {
    let batch: Waiting[] | undefined
    try {
      // Before it takes the lock, so that nobody waits for that.
      await this.#catchUp()
      await this.#locks.run(
        LOCK,
        async (lock) => {
          batch = this.#waiting.splice(0)
          const answers = await this.#write(batch, lock)
          for (const [index, { resolve }] of batch.entries()) resolve(answers[index])
        },
        this.#newLimit()
      )
      void this.#tidy()
    } catch (error) {
      for (const { reject } of batch ?? this.#waiting.splice(0)) {
        reject(explain('add an entry', this.#directory, error, NAME))
      }
    }
  }

  /** Adds what is not there, in one write. Returns for each what is there already. */
  async #write(batch: readonly Waiting[], lock: HeldLock): Promise<(Revocation | undefined)[]> {
    const page = await this.#catchUp()
    if (page === undefined) await this.#log.replace(nothing(), lock)
    const added = new Map<string, Revocation>()
    const answers: (Revocation | undefined)[] = []
    // A line that somebody has begun ends here.
    let lines = page?.isTorn === true ? '\n' : ''
    for (const { entry } of batch) {
      const known = entry.kind === 'session' ? (added.get(entry.id) ?? (await this.#find(entry.id))) : undefined
      answers.push(known)
      if (known !== undefined) continue
      if (entry.kind === 'session') added.set(entry.id, entry)
      lines += encodeRevocation(entry)
    }
    if (lines === '') return answers
    await lock.assertMayWrite()
    await this.#log.append(lines)
    return answers
  }

  /** Reads what others, or this object, have added. Returns the last page; undefined if there is no file yet. */
  async #catchUp(): Promise<LogPage | undefined> {
    for (;;) {
      const { position } = this.#places
      const page = await this.#log.read(position)
      if (page === undefined || (page.after === START && position !== START)) {
        this.#places.clear()
        this.#searchAt = SMALLEST_SEARCH
      }
      if (page === undefined) return undefined
      this.#size = page.size
      // A call of `since` may have learnt a part of it meanwhile.
      if (this.#places.note(page) && !page.hasMore) return page
    }
  }

  async #find(id: string): Promise<Revocation | undefined> {
    const position = this.#places.of(id)
    const page = position === undefined ? undefined : await this.#log.read(position)
    const entry = page?.entries[0]?.entry
    return entry !== undefined && entry.until >= this.#now() ? entry : undefined
  }

  /** A failure does not matter: what is left only takes room. */
  async #tidy(): Promise<void> {
    try {
      if (!this.#hasSwept) {
        this.#hasSwept = true
        // The lock of `FileStore.prune`.
        await this.#locks.runIfFree('prune', () => sweepLocks(this.#directory, this.#locks))
      }
      if (this.#size >= this.#searchAt) await this.#removeWhatIsOver()
    } catch {}
  }

  /** Writes the file anew, if at least half of it is over. */
  async #removeWhatIsOver(): Promise<void> {
    this.#searchAt = 2 * this.#size
    const before = this.#size
    let rest = 0
    for await (const lines of this.#linesOfRest()) rest += Buffer.byteLength(lines)
    if (rest > before / 2) return
    await this.#locks.run(LOCK, (lock) => this.#log.replace(this.#linesOfRest(), lock), this.#newLimit())
  }

  /** What is not over, a page at a time. */
  async *#linesOfRest(): AsyncGenerator<string> {
    for (let page = await this.#log.read(START); page !== undefined; ) {
      yield this.#unexpired(page).map(encodeRevocation).join('')
      page = page.hasMore ? await this.#log.read(page.position) : undefined
    }
  }

  #unexpired({ entries }: LogPage): Revocation[] {
    const now = this.#now()
    return entries.filter(({ entry }) => entry.until >= now).map(({ entry }) => entry)
  }

  #newLimit(): TimeLimit {
    return this.#locks.begin({ deadline: performance.now() + PATIENCE })
  }

  #now(): number {
    return Math.floor(this.#clock() / 1000)
  }
}

async function* nothing(): AsyncGenerator<string> {}
