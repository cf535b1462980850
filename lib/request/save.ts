import type { FastifyReply } from 'fastify'
import type { CommitReason } from '../../types/diagnostics.ts'
import type { MaybePromise } from '../../types/store.ts'
import type { IdentifiedRecord } from '../format/record.ts'
import type { EndResult, SaveResult, Transport } from '../transport/transport.ts'
import { chain } from '../util/maybe-async.ts'
import type { Changes } from './changes.ts'
import { assertChangesStorable, toRecord } from './changes.ts'
import type { Plan } from './decide.ts'
import type { SessionState } from './state.ts'

/** The result of a plan. */
export type Outcome =
  /** The reply has nothing new to say. */
  | { readonly kind: 'nothing'; readonly reason: CommitReason }
  /** The session is saved. `value`: of the cookie, if one must be sent. */
  | { readonly kind: 'saved'; readonly reason: CommitReason; readonly value: string | undefined }
  /** The session has ended, so that the browser can forget its cookie. */
  | { readonly kind: 'ended'; readonly reason: CommitReason }
  /** Another request has ended the session. `hasLost`: whether this one wanted to save more than its activity. */
  | { readonly kind: 'gone'; readonly hasLost: boolean }
  /** The headers are sent, so the cookie that the session needs cannot be. `hasLost`: as above. */
  | { readonly kind: 'late'; readonly hasLost: boolean }

type SavePlan = Extract<Plan, { kind: 'create' | 'update' | 'rename' | 'replace' | 'touch' }>

/** Carries plans out through the transport. */
export class SessionSaver {
  readonly #transport: Transport
  readonly #now: () => number

  /** `now`: seconds since 1970. */
  constructor(transport: Transport, now: () => number) {
    this.#transport = transport
    this.#now = now
  }

  /** Throws what the transport throws, and `ERR_SESSION_VALUE` for data that JSON cannot hold. */
  carryOut(plan: Plan, state: SessionState, changes: Changes, reply: FastifyReply): MaybePromise<Outcome> {
    switch (plan.kind) {
      case 'nothing':
        assertChangesStorable(state, changes, false)
        return plan
      case 'end':
        return plan.reason === 'destroyed' ? this.#destroy(state) : this.#deleteIfEmpty(state, changes)
      default:
        return this.#save(plan, state, changes, reply)
    }
  }

  /** Ends the session where the transport has it. */
  delete(state: SessionState): MaybePromise<void> {
    const persisted = state.persisted ?? state.unreadable
    if (persisted === undefined) return undefined
    return chain(this.#transport.delete(persisted), (result) => state.ended(result))
  }

  #destroy(state: SessionState): MaybePromise<Outcome> {
    return chain(this.delete(state), (): Outcome => ({ kind: 'ended', reason: 'destroyed' }))
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
      return { kind: 'ended', reason: 'emptied' }
    })
  }

  #save(plan: SavePlan, state: SessionState, changes: Changes, reply: FastifyReply): MaybePromise<Outcome> {
    const { persisted } = state
    const hasLost = plan.kind !== 'touch'
    if (hasLost) assertChangesStorable(state, changes, true)
    if (state.policy.touch || state.touched) state.seen(this.#now())
    const record = toRecord(state, changes)
    const needsCookie = this.#transport.needsCookie(record, persisted)
    const isLate = reply.raw.headersSent
    if (isLate && needsCookie) return { kind: 'late', hasLost }
    const isDue = !isLate && (state.needsRekey || state.touched)
    // Before the record is saved: a cookie that is too large must not leave a record behind.
    const value = isDue || needsCookie ? this.#transport.seal(record) : undefined
    return chain<SaveResult, Outcome>(this.#write(plan, record, state), (result) => {
      if (result === 'gone') return { kind: 'gone', hasLost }
      state.saved(record, persisted)
      return { kind: 'saved', reason: plan.reason, value }
    })
  }

  #write({ kind }: SavePlan, record: IdentifiedRecord, state: SessionState): MaybePromise<SaveResult> {
    const { persisted, unreadable, request } = state
    if (unreadable !== undefined) {
      return chain<EndResult, SaveResult>(this.#transport.delete(unreadable), () =>
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
