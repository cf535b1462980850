import type { CommitReason } from '../../types/diagnostics.ts'
import type { Trace } from '../diagnostics/trace.ts'
import { detectChanges } from './changes.ts'
import type { Plan } from './decide.ts'
import { decide } from './decide.ts'
import type { SessionState } from './state.ts'

/** What the user does not miss if it comes after the reply. */
const HARMLESS: readonly CommitReason[] = [
  'untouched',
  'unchanged',
  'empty',
  'disabled',
  'token',
  'store-unavailable',
  'not-loaded',
  'renamed',
  'device-unproven',
  'restamped',
  'stale',
  'rekeyed',
  'adopted',
  'migrated'
]

/** Why nothing of a session is saved. */
const IGNORING = [
  'destroyed',
  'disabled',
  'token',
  'store-unavailable',
  'not-loaded',
  'renamed',
  'device-unproven'
] as const

/** Warns of writes that nothing saves any more. */
export class LateWrites {
  readonly #trace: Trace

  constructor(trace: Trace) {
    this.#trace = trace
  }

  /** Looks for changes when the reply has ended: a handler may go on after it, or may have hijacked it. */
  watch(state: SessionState): void {
    const raw = state.fastifyReply?.raw
    const check = (): void => this.#check(state)
    if (state.reply.isClosed || raw?.writableEnded || raw?.destroyed) setImmediate(check)
    if (!state.reply.isClosed) raw?.on('close', check)
  }

  /** Warns that a session was used before it was loaded: what was read is not true, and what was written is lost. */
  warnOfEarly(state: SessionState): void {
    this.warnOfIgnored(state, { kind: 'nothing', reason: 'not-loaded' })
    this.#trace.seenTooEarly(state.request)
  }

  /** Warns of data in a session of which a plan saves none. */
  warnOfIgnored(state: SessionState, plan: Plan): void {
    const reason = state.isDestroyed && state.policy.enabled ? 'destroyed' : plan.reason
    if (!isIgnoring(reason)) return
    const hasData = state.session !== undefined && Object.keys(state.session).length > 0
    const isIgnored = hasData || (reason !== 'destroyed' && (state.isDestroyed || state.ownerId !== undefined))
    if (isIgnored) state.reply.warnOnce(() => this.#trace.ignored(state.request, reason))
  }

  /** Warns of changes that are not saved because the store has failed in this request, and the handler went on. */
  warnOfUnsaved(state: SessionState): void {
    if (isLost(state)) state.reply.warnOnce(() => this.#trace.ignored(state.request, 'store-unavailable'))
  }

  #check(state: SessionState): void {
    state.reply.close()
    // Without headers the client went away before there was a reply: nothing came too late.
    if (state.reply.isAnswered || state.fastifyReply?.raw.headersSent === false) return
    if (isLost(state)) state.reply.warnOnce(() => this.#trace.lost(state.request, state))
  }
}

function isIgnoring(reason: CommitReason): reason is (typeof IGNORING)[number] {
  return IGNORING.some((one) => one === reason)
}

/** Whether the reply is to say something about a session that it does not say yet. */
export function isUndecided(state: SessionState): boolean {
  return isToBeSaved(plannedReason(state))
}

function isLost(state: SessionState): boolean {
  const reason = plannedReason(state)
  // In a store it has ended already, and its cookie opens nothing.
  if (reason === 'destroyed' || reason === 'emptied') {
    return state.persisted !== undefined || state.ending.copyStillOpens
  }
  return isToBeSaved(reason)
}

/** Undefined for data that have no JSON. */
function plannedReason(state: SessionState): CommitReason | undefined {
  try {
    return decide(state, detectChanges(state)).reason
  } catch {
    return undefined
  }
}

function isToBeSaved(reason: CommitReason | undefined): boolean {
  return reason === undefined || !HARMLESS.includes(reason)
}
