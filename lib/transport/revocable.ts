import type { OpenRefusal } from '../../types/diagnostics.ts'
import type { EndReason } from '../../types/endings.ts'
import type { MaybePromise } from '../../types/store.ts'
import type { RandomPool } from '../crypto/random.ts'
import type { Found } from '../endings/signals.ts'
import type { CookieFormat } from '../format/format.ts'
import type { IdentifiedRecord, LoadedRecord } from '../format/record.ts'
import type { Revocations } from '../revocations/revocations.ts'
import type { CookieTransportSettings } from './cookie.ts'
import { CookieTransport } from './cookie.ts'
import type { EndedRefusal, EndResult, SaveResult } from './transport.ts'

/** The data travel in the cookie, and a list that the processes share says which cookies open nothing any more. */
export class RevocableTransport extends CookieTransport {
  readonly #random: RandomPool
  readonly #revocations: Revocations

  constructor(format: CookieFormat, settings: CookieTransportSettings, random: RandomPool, revocations: Revocations) {
    super(format, settings, random)
    this.#random = random
    this.#revocations = revocations
  }

  override newId(): string {
    return this.#revocations.newId(this.#random)
  }

  override load(text: string): LoadedRecord | OpenRefusal {
    const record = super.load(text)
    if (typeof record === 'string') return record
    this.#revocations.assertCurrent()
    return this.#revocations.judge(record.id, record.ownerId) ?? record
  }

  override activityUntil(now: number): number {
    return this.#revocations.activityUntil(now)
  }

  override latest(persisted: IdentifiedRecord): IdentifiedRecord | EndedRefusal {
    this.#revocations.assertCurrent()
    return this.#revocations.judge(persisted.id, persisted.ownerId) ?? persisted
  }

  /** One that began before all sessions of its owner ended does not outlive them because it is saved later. */
  override create(record: IdentifiedRecord): SaveResult {
    this.#revocations.assertCurrent()
    return this.#hasEnded(record) ? 'gone' : super.create(record)
  }

  /** A request can begin before another one has ended its session. */
  override update(record: unknown, persisted: IdentifiedRecord): SaveResult {
    return this.#hasEnded(persisted) ? 'gone' : super.update(record, persisted)
  }

  override changeId(record: IdentifiedRecord, persisted: IdentifiedRecord): MaybePromise<SaveResult> {
    return this.#succeed(record, persisted)
  }

  override replace(record: IdentifiedRecord, persisted: IdentifiedRecord): MaybePromise<SaveResult> {
    return this.#succeed(record, persisted)
  }

  override async retire(persisted: IdentifiedRecord): Promise<EndResult> {
    if (this.update(undefined, persisted) === 'gone') return 'gone'
    return (await this.#revocations.replace(persisted, undefined)) ? 'ended' : 'gone'
  }

  override async deleteIfEmpty(_record: IdentifiedRecord, persisted: IdentifiedRecord): Promise<EndResult> {
    return this.#hasEnded(persisted) ? 'gone' : this.delete(persisted, 'emptied')
  }

  override async delete(persisted: IdentifiedRecord, reason: EndReason): Promise<EndResult> {
    await this.#revocations.end(persisted, reason)
    return 'ended'
  }

  /** Whoever logs out with an old id logs out of the login that has a new one. */
  override async deleteRefused(text: string): Promise<void> {
    const record = super.load(text)
    if (typeof record !== 'string') await this.#revocations.end(record, 'destroyed')
  }

  override lookUp(handle: string, ownerId: string | undefined): Found {
    return this.#revocations.judge(handle, ownerId)
  }

  override close(): Promise<void> {
    return this.#revocations.close()
  }

  /** The new cookie is sent only if this request has ended the old one. What another request has ended stays ended. */
  async #succeed(record: IdentifiedRecord, persisted: IdentifiedRecord): Promise<SaveResult> {
    const { id, ownerId } = record
    const hasExpired = super.update(record, persisted) === 'gone'
    // All sessions of the owner may have ended but this one, under its new id.
    if (hasExpired || this.#hasEnded(persisted, id) || this.#hasEnded(record)) return 'gone'
    const isSameLogin = ownerId === persisted.ownerId
    const successor = isSameLogin && ownerId !== undefined ? id : undefined
    if (!(await this.#revocations.replace(persisted, successor))) return 'gone'
    // Its new id is from a later time than an end of all sessions that this process has not heard of.
    if (!isSameLogin || !(await this.#revocations.hasEndedWithOthers(persisted.id, ownerId, id))) return 'saved'
    // Whoever is still connected follows the login to its new id.
    await this.#revocations.end(record, 'revoked')
    return 'gone'
  }

  #hasEnded({ id, ownerId }: IdentifiedRecord, alias?: string): boolean {
    return this.#revocations.judge(id, ownerId, alias) !== undefined
  }
}
