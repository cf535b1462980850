import type { FastifyReply } from 'fastify'
import type { CommitReason } from '../../types/diagnostics.ts'
import type { EndReason } from '../../types/endings.ts'
import type { MaybePromise } from '../../types/store.ts'
import { StoreUnavailableError } from '../errors.ts'
import type { Extensions } from '../format/extensions.ts'
import type { IdentifiedRecord } from '../format/record.ts'
import { withTimeout } from '../format/timeouts.ts'
import type { Settings } from '../options.ts'
import type { DataSchema } from '../schema/data-schema.ts'
import type { EndResult, SaveResult, Transport } from '../transport/transport.ts'
import { chain, rescue } from '../util/maybe-async.ts'
import { candidatesIn } from './candidates.ts'
import type { Changes } from './changes.ts'
import { assertChangesStorable, toRecord, toSnapshot } from './changes.ts'
import type { Plan } from './decide.ts'
import { goesOnElsewhere } from './device-binding.ts'
import type { SessionState } from './state.ts'

/** The result of a plan. */
export type Outcome =
  /** The reply has nothing new to say. */
  | { readonly kind: 'nothing'; readonly reason: CommitReason }
  /**
   * The session is saved. `value`: of the cookie, if one is to be sent. `isOptional`: whether it only says when the session was
   * last active, or is under the newest key, so that the browser can go on without it.
   */
  | {
      readonly kind: 'saved'
      readonly reason: CommitReason
      readonly value: string | undefined
      readonly isOptional: boolean
    }
  /** The session has ended, so that the browser can forget its cookie. `value`: of a cookie that takes its place. */
  | { readonly kind: 'ended'; readonly reason: CommitReason; readonly value: string | undefined }
  /** Another request has ended the session. `hasLost`: whether this one wanted to save more than its activity. */
  | { readonly kind: 'gone'; readonly hasLost: boolean }
  /** The store did not take the note that the session was active, without which it goes on. `error`: why. */
  | { readonly kind: 'unnoted'; readonly error: unknown }
  /** The headers are sent, so the cookie that the session needs cannot be. `hasLost`: as above. */
  | { readonly kind: 'late'; readonly hasLost: boolean }

type SavePlan = Extract<Plan, { kind: 'create' | 'update' | 'rename' | 'replace' | 'touch' }>

/** Carries plans out through the transport. */
export class SessionSaver {
  readonly #transport: Transport
  readonly #settings: Settings
  readonly #schema: DataSchema | undefined
  readonly #now: () => number

  /** `now`: seconds since 1970. */
  constructor(transport: Transport, settings: Settings, now: () => number) {
    this.#transport = transport
    this.#settings = settings
    this.#schema = settings.schema
    this.#now = now
  }

  /**
   * Throws what the transport throws, `ERR_SESSION_VALUE` for data that JSON cannot hold, and `ERR_SESSION_SCHEMA` for data that the
   * schema refuses.
   */
  carryOut(plan: Plan, state: SessionState, changes: Changes, reply: FastifyReply): MaybePromise<Outcome> {
    switch (plan.kind) {
      case 'nothing':
        assertChangesStorable(state, changes, false)
        return plan.reason === 'gone' ? { kind: 'gone', hasLost: true } : plan
      case 'forget':
        assertChangesStorable(state, changes, false)
        // An older cookie of the browser must not open now, nor the session that the one with an old id has become.
        return chain(this.delete(state, 'destroyed'), () => this.#ended(state, plan.reason))
      case 'end':
        return plan.reason === 'destroyed' ? this.#destroy(state) : this.#deleteIfEmpty(state, changes)
      default:
        return this.#save(plan, state, changes, reply)
    }
  }

  /** Ends the session where the transport has it, and those that it outranks. */
  delete(state: SessionState, reason: EndReason): MaybePromise<void> {
    const persisted = state.persisted ?? state.unreadable
    if (persisted !== undefined) {
      return chain(this.#transport.delete(persisted, reason), (result) => {
        state.ended(result)
        return this.#deleteLosers(state)
      })
    }
    const isRefused = goesOnElsewhere(state.openReason) || state.openReason === 'unsupported'
    return isRefused ? this.#deleteRefused(state) : this.#deleteLosers(state)
  }

  /** Ends the session so that a new one can take its place. */
  retire(state: SessionState): MaybePromise<void> {
    if (state.unreadable !== undefined) return this.delete(state, 'replaced')
    const { persisted } = state
    if (persisted === undefined) return undefined
    return chain(this.#transport.retire(persisted), (result) => state.retired(result))
  }

  /**
   * Who logs out with an old id logs out of the login that has a new one, and with a session that cannot be opened here, or without
   * the proof of its device, of it.
   */
  async #deleteRefused(state: SessionState): Promise<void> {
    const { values } = candidatesIn(state.request.raw.headers.cookie as string, this.#settings.cookieName)
    for (const value of values) await this.#transport.deleteRefused(value)
    state.ended('ended')
  }

  #destroy(state: SessionState): MaybePromise<Outcome> {
    return chain(this.delete(state, 'destroyed'), () => this.#ended(state, 'destroyed'))
  }

  /** Otherwise the next request of this browser would be in one of them: whoever logs out would be somebody else. */
  #deleteLosers({ losers }: SessionState): MaybePromise<void> {
    if (losers.length === 0) return undefined
    return Promise.all(losers.map((loser) => this.#transport.delete(loser, 'destroyed'))).then(() => undefined)
  }

  /** Where the cookies of `losers` still open, and the browser may keep them, an empty session outranks them. */
  #ended(state: SessionState, reason: 'destroyed' | 'emptied' | 'stale'): Outcome {
    const [newest] = state.losers
    if (newest === undefined || !state.ending.copyStillOpens) return { kind: 'ended', reason, value: undefined }
    const now = this.#now()
    const lastSeenAt = Math.max(now, newest.lastSeenAt + 1)
    const empty = {
      id: this.#transport.newId(),
      createdAt: now,
      lastSeenAt,
      permanent: false,
      ownerId: undefined,
      extensions: this.#longestTimeouts(),
      json: '{}'
    }
    return { kind: 'ended', reason, value: this.#transport.seal(empty) }
  }

  /** The extensions of a session that no session outlives. */
  #longestTimeouts(): Extensions {
    const { idleTimeout, maxIdleTimeout, absoluteTimeout, maxAbsoluteTimeout } = this.#settings
    const idle = maxIdleTimeout > idleTimeout ? maxIdleTimeout : undefined
    const absolute = maxAbsoluteTimeout > absoluteTimeout ? maxAbsoluteTimeout : undefined
    return withTimeout(withTimeout(undefined, 'idleTimeout', idle), 'absoluteTimeout', absolute)
  }

  #deleteIfEmpty(state: SessionState, changes: Changes): MaybePromise<Outcome> {
    assertChangesStorable(state, changes, false)
    const record = toRecord(state, changes)
    const result = this.#transport.deleteIfEmpty(record, state.persisted as IdentifiedRecord)
    return chain<'saved' | EndResult, Outcome>(result, (result) => {
      if (result === 'gone') return { kind: 'gone', hasLost: true }
      if (result === 'saved') {
        // Without a base: what other requests have written is not known here, so that nothing of it can be kept.
        state.saved(record, undefined)
        return { kind: 'nothing', reason: 'changed' }
      }
      state.ended(result)
      // What follows in this request is another session.
      state.renew()
      return chain(this.#deleteLosers(state), () => this.#ended(state, 'emptied'))
    })
  }

  #save(plan: SavePlan, state: SessionState, changes: Changes, reply: FastifyReply): MaybePromise<Outcome> {
    const { persisted } = state
    const hasLost = plan.kind !== 'touch'
    assertChangesStorable(state, changes, hasLost)
    if (hasLost && changes.hasChanged && state.session !== undefined) this.#schema?.assert(state.session)
    if (changes.hasChanged && (state.isForeign || this.#schema === undefined)) state.changeForeign()
    if (state.policy.touch || state.touched) state.seen(this.#transport.activityUntil(this.#now()))
    const record = toRecord(state, changes)
    // Now: while the store saves, the handler may go on and change the data. Of data that only have the same JSON as before, such as a
    // date in an object, none is taken: what they hold beside it may be anything.
    const isPlain = hasLost || changes.keys !== undefined
    const snapshot = isPlain ? toSnapshot(state, changes) : undefined
    const needsCookie = this.#transport.needsCookie(record, persisted)
    const isLate = reply.raw.headersSent
    if (isLate && needsCookie) return { kind: 'late', hasLost }
    const isDue = !isLate && (state.needsRekey || state.touched)
    const isOptional = !state.touchCalled && !state.isAdopting && (plan.kind === 'touch' || !needsCookie)
    // Before the record is saved: a cookie that is too large must not leave a record behind.
    const value = isDue || needsCookie ? this.#transport.seal(record) : undefined
    return rescue<SaveResult, Outcome>(
      () => this.#write(plan, record, state),
      (result) => {
        if (result === 'gone') return { kind: 'gone', hasLost }
        state.saved(record, persisted, snapshot)
        return { kind: 'saved', reason: plan.reason, value, isOptional }
      },
      (error) => {
        // Nobody has asked for it, so a request that only reads does not fail.
        const isDispensable = plan.kind === 'touch' && !state.touchCalled
        if (!isDispensable || !(error instanceof StoreUnavailableError)) throw error
        state.leaveUnnoted()
        return { kind: 'unnoted', error }
      }
    )
  }

  #write({ kind }: SavePlan, record: IdentifiedRecord, state: SessionState): MaybePromise<SaveResult> {
    const { persisted, unreadable, request } = state
    if (unreadable !== undefined) {
      return chain<EndResult, SaveResult>(this.#transport.delete(unreadable, 'replaced'), () =>
        this.#transport.create(record, request)
      )
    }
    if (persisted === undefined) return this.#transport.create(record, request)
    switch (kind) {
      case 'rename':
        return this.#transport.changeId(record, persisted, request)
      case 'replace':
        return this.#transport.replace(record, persisted, request)
      default:
        return this.#transport.update(record, persisted)
    }
  }
}
