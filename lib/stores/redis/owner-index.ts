import type { OwnerLimit, StoreCall } from '../../../types/store.ts'
import type { KeyNames } from './key-names.ts'
import { ADMIT, ENTRIES, EXTEND, UNLIST } from './owner-scripts.ts'
import { toEntry, toKey } from './record.ts'
import { END, IS_THERE } from './record-scripts.ts'
import type { ScriptRunner } from './runner.ts'

/**
 * The indexes of owners, and the records in them. Here an owner is its id as JSON, and an entry has the key of a record and its
 * time of creation.
 */
export class OwnerIndex {
  readonly #runner: ScriptRunner
  readonly #names: KeyNames

  constructor(runner: ScriptRunner, names: KeyNames) {
    this.#runner = runner
    this.#names = names
  }

  entries(owner: string): Promise<string[]> {
    return this.#runner.read(ENTRIES, this.#names.ofIndex(owner))
  }

  /** Adds an entry and ends the records that have to make room. Returns their keys; undefined if the limit refuses the entry. */
  async admit(
    owner: string,
    entry: string,
    until: number,
    limit: OwnerLimit | undefined,
    call: StoreCall | undefined
  ): Promise<readonly string[] | undefined> {
    const { max = 0, evict = false } = limit ?? {}
    const rule = [until, entry, max, evict ? 1 : 0, call?.replacing ?? '']
    const admit = (...stale: readonly (string | number)[]): Promise<string[]> =>
      this.#runner.write(ADMIT, this.#names.ofIndex(owner), [...rule, ...stale], call)
    let [result, ...entries] = await admit(0)
    if (result === 'full') [result, ...entries] = await admit(1, ...(await this.#findStale(owner, entries)))
    if (result === 'over-limit') return undefined
    await this.end(owner, entries, call)
    return entries.map(toKey)
  }

  /** Lists an entry until a later second. */
  async extend(owner: string, entry: string, until: number, call: StoreCall | undefined): Promise<void> {
    await this.#runner.write(EXTEND, this.#names.ofIndex(owner), [until, entry], call)
  }

  /**
   * Lists an entry again whose index has been lost: Redis has evicted it, for example. Nobody waits for that, and a failure is no
   * harm: the next activity tries again.
   */
  restore(owner: string, entry: string, until: number): void {
    this.extend(owner, entry, until, undefined).catch(() => {})
  }

  /** Ends the records of entries, then removes the entries. Returns how many of the records were live. */
  async end(owner: string, entries: readonly string[], call: StoreCall | undefined): Promise<number> {
    if (entries.length === 0) return 0
    const replies = await Promise.all(
      entries.map((entry) => this.#runner.write(END, this.#names.ofRecord(toKey(entry)), [owner], call))
    )
    await this.#runner.write(UNLIST, this.#names.ofIndex(owner), entries)
    return replies.filter(([wasLive]) => wasLive === '1').length
  }

  /** Removes the entry of an ended record, if the record had an owner. */
  async unlist(key: string, owner: string, createdAt: string): Promise<void> {
    if (owner === '') return
    try {
      await this.#runner.write(UNLIST, this.#names.ofIndex(owner), [toEntry(createdAt, key)])
    } catch {
      // The record has ended, so the call has succeeded. An entry without a record has no effect.
    }
  }

  /** Returns the entries that have no record, live or pending. */
  async #findStale(owner: string, entries: readonly string[]): Promise<string[]> {
    const replies = await Promise.all(
      entries.map((entry) => this.#runner.read(IS_THERE, this.#names.ofRecord(toKey(entry)), owner))
    )
    return entries.filter((_, index) => replies[index]?.[0] !== '1')
  }
}
