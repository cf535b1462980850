import type { MaybePromise, SessionStore } from '../../types/store.ts'
import { applyChanges, diffMembers, withAllMembers } from '../data/json-members.ts'
import { parseChanged } from '../data/storable.ts'
import { ConflictError, GoneError, goneError } from '../errors.ts'
import { withDeviceChange } from '../format/device.ts'
import type { Extensions } from '../format/extensions.ts'
import { withoutJudgement } from '../format/extensions.ts'
import type { IdentifiedRecord } from '../format/record.ts'
import { haveSameTimeouts, withTimeoutsChange } from '../format/timeouts.ts'
import type { Versioned } from '../schema/data-schema.ts'
import type { StoreOperation } from '../stores/guarded.ts'
import type { KeyedQueue } from '../util/keyed-queue.ts'
import { chain, settled } from '../util/maybe-async.ts'
import type { CreationSettings } from './create-record.ts'
import { changesBetween } from './patched-record.ts'
import { pause } from './pause.ts'
import { assertFits } from './size-limit.ts'
import { keyOf, StoreRecord } from './store-record.ts'
import { MAX_ATTEMPTS } from './succession.ts'
import type { SaveResult, Transaction, TransactionResult } from './transport.ts'
import { keptUntil } from './waiting.ts'

/** Changes the latest data of stored sessions: a commit of a version that another request has replaced is tried again. */
export class StoreTransactions {
  readonly #begin: () => StoreOperation
  readonly #settings: CreationSettings
  readonly #queue: KeyedQueue

  /** `begin`: begins an operation. `queue`: changes of one record wait for each other there. */
  constructor(begin: () => StoreOperation, settings: CreationSettings, queue: KeyedQueue) {
    this.#begin = begin
    this.#settings = settings
    this.#queue = queue
  }

  /** See `Transport.transact`. */
  run(transaction: Transaction): MaybePromise<TransactionResult> {
    const { persisted, json, change } = transaction
    if (persisted !== undefined) return this.#runStored(transaction, persisted)
    // No other request can know a session that was never saved.
    const data: Record<string, unknown> = JSON.parse(json)
    return chain(settled(change(data)), () => ({ data }))
  }

  /**
   * Only in the version that was looked at: another request may migrate the data, too, and then change them, or change what else the
   * session says in its extensions.
   */
  async updateLatest(record: IdentifiedRecord, persisted: IdentifiedRecord): Promise<SaveResult> {
    const operation = this.#begin()
    const mine = changesBetween(persisted, record)
    try {
      await operation.inTime(
        this.#queue.run(keyOf(persisted), () =>
          this.#transact(operation, persisted, async (latest) => applyChanges(latest, mine), record)
        )
      )
      return 'saved'
    } catch (error) {
      if (error instanceof GoneError) return 'gone'
      throw error
    }
  }

  async #runStored(
    { migratedJson, json, hasNewId, save, change }: Transaction,
    persisted: IdentifiedRecord
  ): Promise<TransactionResult> {
    // The data go under the new id alone: an attacker may know the old one (session fixation).
    const base = hasNewId ? await save() : persisted
    if (base === undefined) {
      // The session was empty, so that it has ended.
      const data: Record<string, unknown> = JSON.parse(json)
      await change(data)
      return { data }
    }
    const mine = diffMembers(hasNewId ? base.json : (migratedJson ?? base.json), json)
    const operation = this.#begin()
    const record = await operation.inTime(
      this.#queue.run(keyOf(base), () =>
        this.#transact(operation, base, async (latest) => {
          const data = parseChanged(latest, mine)
          await operation.uncounted(() => change(data))
          return JSON.stringify(data)
        })
      )
    )
    return { data: JSON.parse(record.json), written: { base, record } }
  }

  /**
   * `change`: gets the data, as JSON in the present version of the schema. `after`: what else of `base` to change; it is written in any
   * case.
   */
  async #transact(
    store: SessionStore,
    base: IdentifiedRecord,
    change: (json: string) => Promise<string>,
    after?: IdentifiedRecord
  ): Promise<IdentifiedRecord> {
    const key = keyOf(base)
    const permanent = after === undefined || after.permanent === base.permanent ? undefined : after.permanent
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const record = await store.load(key)
      if (record === undefined) throw goneError()
      const latest = new StoreRecord(base, record)
      const present = this.#presentOf(latest)
      const json = await change(present.json)
      if (json === record.json && after === undefined) return latest
      assertFits(json, record.json, this.#settings)
      const extensions = after === undefined ? present.extensions : withChanges(present.extensions, base, after)
      const lastSeenAt = Math.max(record.lastSeenAt, after?.lastSeenAt ?? 0)
      const difference = diffMembers(record.json, json)
      const changes = {
        ...(latest.needsRekey ? withAllMembers(record.json, difference) : difference),
        permanent,
        lastSeenAt: after && lastSeenAt,
        extensions: extensions === latest.extensions ? undefined : (extensions ?? '')
      }
      const until = keptUntil({ ...record, lastSeenAt, extensions, json }, this.#settings)
      const last = haveSameTimeouts(latest.extensions, extensions) ? Math.max(record.expiresAt, until) : until
      const result = await store.commit(key, changes, last, record.version)
      if (result === 'gone') throw goneError()
      if (result === 'committed') return { ...latest, extensions, json }
      await pause(attempt)
    }
    throw new ConflictError('Others changed the session again and again, so session.update() has given up. Try again.')
  }

  /** The data of a record as a change to them leaves them. Throws `ERR_SESSION_GONE` if the schema of this server refuses them. */
  #presentOf({ json, extensions }: Versioned): Versioned {
    const { schema } = this.#settings
    if (schema === undefined) return { json, extensions: withoutJudgement(extensions) }
    const present = schema.present({ json, extensions })
    if (present === undefined) throw goneError()
    return present
  }
}

/** Returns `latest` with what a request has changed of the device and the timeouts of `before`. */
function withChanges(latest: Extensions, before: IdentifiedRecord, after: IdentifiedRecord): Extensions {
  return withTimeoutsChange(withDeviceChange(latest, before, after), before, after)
}
