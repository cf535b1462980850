import type { StoredRecord, StoreStep } from '../../../types/store.ts'
import { isSession } from '../../data/no-session.ts'
import { unlessUnreadable } from '../../errors.ts'
import type { SessionFiles } from './session-files.ts'
import type { Sessions } from './sessions.ts'
import type { TimeLimit } from './time-limit.ts'

/** How many files one step looks at. */
const STEP = 500

/** Goes through all files step by step, in the order of their names. A cursor is the key of the last file that was looked at. */
export class FileWalk {
  readonly #files: SessionFiles
  readonly #sessions: Sessions

  constructor(files: SessionFiles, sessions: Sessions) {
    this.#files = files
    this.#sessions = sessions
  }

  async count(cursor: string | undefined): Promise<StoreStep<number>> {
    const { found, next } = await this.entries(cursor, STEP)
    return { found: found.length, next }
  }

  async entries(cursor: string | undefined, limit: number): Promise<StoreStep<StoredRecord[]>> {
    const found: StoredRecord[] = []
    const next = await this.#visit(cursor, async (key) => {
      const record = await this.#sessions.find(key).catch(unlessUnreadable)
      if (record !== undefined && isSession(record)) found.push(record)
      return found.length < limit
    })
    return { found, next }
  }

  async remove(cursor: string | undefined, limit: TimeLimit): Promise<StoreStep<number>> {
    let found = 0
    const next = await this.#visit(cursor, async (key) => {
      if (await this.#sessions.remove(key, limit)) found++
      return true
    })
    return { found, next }
  }

  /** Visits files until there are none, `visit` returns false, or the step is over. Returns where the next one begins. */
  async #visit(cursor: string | undefined, visit: (key: string) => Promise<boolean>): Promise<string | undefined> {
    let count = 0
    for await (const key of this.#files.keys(cursor)) {
      if (!(await visit(key)) || ++count === STEP) return key
    }
    return undefined
  }
}
