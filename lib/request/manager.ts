import type { FastifyReply, FastifyRequest } from 'fastify'
import type { CommitReason, OpenReason } from '../../types/diagnostics.ts'
import type { MaybePromise } from '../../types/store.ts'
import { COOKIE, copyToRaw, varyBy } from '../cookie/headers.ts'
import type { SerializeCookie } from '../cookie/serializer.ts'
import { parseStored } from '../data/storable.ts'
import type { Trace } from '../diagnostics/trace.ts'
import type { Signals } from '../endings/signals.ts'
import {
  ConflictError,
  DisabledError,
  goneError,
  LimitError,
  SchemaAsyncError,
  SchemaError,
  StoreUnavailableError,
  TooLargeError,
  tokenError
} from '../errors.ts'
import type { LoadedRecord } from '../format/record.ts'
import type { Settings } from '../options.ts'
import type { HandleAliases } from '../owners/handle-aliases.ts'
import type { OwnerSessions } from '../owners/sessions.ts'
import type { AcceptedData, DataSchema, InvalidData } from '../schema/data-schema.ts'
import { secondsOf } from '../transport/clock.ts'
import type { Transport } from '../transport/transport.ts'
import { KeyedQueue } from '../util/keyed-queue.ts'
import { chain } from '../util/maybe-async.ts'
import type { Adopter } from './adopt.ts'
import { assertNotFailed, assertStoreAvailable, attempt } from './attempt.ts'
import { detectChanges } from './changes.ts'
import { decide } from './decide.ts'
import type { DeviceGate } from './device-gate.ts'
import { SessionIds } from './ids.ts'
import { isUndecided, LateWrites } from './late-writes.ts'
import { SessionLoader } from './load.ts'
import { RequestSignals } from './request-signals.ts'
import type { RoutePolicies } from './route-config.ts'
import { SessionSaver } from './save.ts'
import { isReserved, RequestSession } from './session.ts'
import { SessionActions } from './session-actions.ts'
import { emptyData, fillData } from './session-data.ts'
import type { RequestSlots } from './slots.ts'
import { StaleCookies } from './stale-cookies.ts'
import type { SessionState } from './state.ts'
import { createUnloaded } from './unloaded-session.ts'
import { ReplyCookie } from './write-cookie.ts'

/** Why a session does not depend on the Cookie header: nobody looks at that. */
const COOKIELESS: readonly OpenReason[] = ['disabled', 'not-loaded', 'token']

/** Why a session is empty and keeps nothing. */
const UNKEPT: readonly OpenReason[] = [...COOKIELESS, 'store-unavailable']

/** The session in each request: loaded, handed out, and saved before the headers are sent. */
export class SessionManager {
  readonly #slots: RequestSlots
  readonly #trace: Trace
  readonly #now: () => number
  readonly #loader: SessionLoader
  readonly #saver: SessionSaver
  readonly #cookie: ReplyCookie
  readonly #actions: SessionActions
  readonly #signals: RequestSignals
  readonly #lateWrites: LateWrites
  readonly #stale: StaleCookies
  readonly #adopter: Adopter | undefined
  readonly #schema: DataSchema | undefined
  /** Saves of one request wait for each other: a `commit()` that the handler does not wait for may be under way. */
  readonly #saves: KeyedQueue<SessionState> = new KeyedQueue(undefined, new WeakMap())

  constructor(
    settings: Settings,
    slots: RequestSlots,
    policies: RoutePolicies,
    transport: Transport,
    serialize: SerializeCookie,
    trace: Trace,
    aliases: HandleAliases,
    sessions: OwnerSessions,
    signals: Signals,
    device: DeviceGate,
    adopter?: Adopter
  ) {
    const now = secondsOf(settings.clock)
    const ids = new SessionIds(transport, aliases)
    this.#slots = slots
    this.#schema = settings.schema
    this.#trace = trace
    this.#now = now
    this.#stale = new StaleCookies(settings)
    this.#adopter = adopter
    this.#loader = new SessionLoader(
      settings,
      slots,
      policies,
      transport,
      trace,
      ids,
      this.#stale,
      device,
      now,
      adopter
    )
    this.#saver = new SessionSaver(transport, settings, now)
    this.#cookie = new ReplyCookie(settings, serialize, this.#stale, trace)
    this.#signals = new RequestSignals(signals)
    this.#actions = new SessionActions(
      settings,
      transport,
      this.#saver,
      this.#saves,
      sessions,
      (state) => this.#commit(state),
      (state, value) => this.#sendCookie(state, value),
      this.#signals,
      trace,
      now
    )
    this.#lateWrites = new LateWrites(trace)
  }

  /** Called when a request starts. */
  start(request: FastifyRequest, reply: FastifyReply): MaybePromise<unknown> {
    this.#slots.setReply(request, reply)
    const early = this.#loader.forget(request)
    if (early !== undefined) this.#lateWrites.warnOfEarly(early)
    return this.#loader.atStart(request)
  }

  /** Called when a request fails, before its error handler. */
  fail(request: FastifyRequest): void {
    this.#loader.giveUp(request)
  }

  /** The Authorization header says who sends the request: its session is not used, and stays as it is. */
  setAside(request: FastifyRequest): void {
    const state = this.#slots.stateOf(request)
    if (state?.session === undefined) {
      this.#loader.setAside(request)
      return
    }
    emptyData(state.session)
    state.setAside(this.#now())
    this.#trace.opened(request, state.openReason, state)
  }

  /** Returns `request.session`, unless it is not loaded or nothing of it is kept. */
  loadedOf(request: FastifyRequest): object | undefined {
    const state = this.#slots.stateOf(request) ?? this.#loader.atHand(request)
    return state === undefined || UNKEPT.includes(state.openReason) ? undefined : this.sessionOf(request)
  }

  /** Returns `request.session`. */
  sessionOf(request: FastifyRequest): object {
    const state = this.#slots.stateOf(request) ?? this.#loader.atAccess(request)
    if (!state.accessed || state.reply.isClosed) {
      assertLoaded(state)
      state.access()
      if (this.#trace.hasListeners) this.#lateWrites.watch(state)
    }
    return state.session ?? this.#expose(state)
  }

  /** The reply has to fail, because nobody waits for what has failed. */
  failLater(request: FastifyRequest): void {
    this.#slots.stateOf(request)?.reply.owe()
  }

  /** Called before the reply is sent; a second time when another onSend hook fails. */
  finish(request: FastifyRequest, reply: FastifyReply, payload?: unknown): MaybePromise<void> {
    if (this.#slots.replyOf(request) === null) this.#loader.giveUp(request)
    const isCleared = (): boolean => this.#cookie.isClearedByHand(reply, undefined)
    const state = this.#slots.stateOf(request) ?? this.#loader.atEnd(request, isCleared)
    if (state?.isStale && !this.#stale.mayClear(request, reply)) state.keepCookie()
    if (state !== undefined && isEndable(state) && this.#cookie.isClearedByHand(reply, state.reply.setCookieHeader)) {
      return this.#end(state).then(
        () => this.finish(request, reply, payload),
        (error) => this.#fail(state, reply, undefined, error)
      )
    }
    if (state === undefined || (!state.accessed && !state.touched && !state.needsRekey && !state.isStale)) {
      const isUnknown = state?.openReason === 'store-unavailable'
      this.#trace.committed(request, reply, state?.openReason, isUnknown ? 'store-unavailable' : 'untouched', state)
      return undefined
    }
    if (state.accessed && !COOKIELESS.includes(state.openReason)) varyBy(reply, COOKIE, payload)
    // After a failure Fastify comes back with the error reply. Its handler may have mended the session, but no store.
    const earlier = state.reply.failure
    if (earlier === 'store-unavailable') return this.#leave(state, reply)
    state.reply.retry()
    try {
      const saved = chain(state.leaving, () => this.#save(state, reply))
      return saved instanceof Promise ? saved.catch((error) => this.#fail(state, reply, earlier, error)) : saved
    } catch (error) {
      return this.#fail(state, reply, earlier, error)
    }
  }

  /** Called by the last onSend hook of a route: decides anew if hooks after `finish` have used the session or cleared its cookie. */
  finishAgain(request: FastifyRequest, reply: FastifyReply, payload?: unknown): MaybePromise<void> {
    const isCleared = (): boolean => this.#cookie.isClearedByHand(reply, undefined)
    const state = this.#slots.stateOf(request) ?? this.#loader.afterEnd(request, isCleared)
    if (state === undefined || state.reply.failure !== undefined) return undefined
    const hasMore = this.#cookie.isClearedByHand(reply, state.reply.setCookieHeader)
      ? isEndable(state) || state.reply.setCookieHeader !== undefined
      : state.accessed && (state.reply.reason === undefined || isUndecided(state))
    return hasMore ? this.finish(request, reply, payload) : undefined
  }

  async #end(state: SessionState): Promise<void> {
    state.access()
    emptyData(state.session ?? {})
    await this.#actions.destroy(state)
  }

  #expose(state: SessionState): RequestSession {
    const isToCome = state.openReason === 'not-loaded' && state.policy.enabled
    const session = isToCome ? createUnloaded(state, this.#actions) : new RequestSession(state, this.#actions)
    const data = this.#dataOf(state)
    if (data !== undefined && !fillData(session, data, isReserved)) {
      this.#trace.opened(state.request, 'reserved-key', state)
    }
    state.expose(session, data)
    return session
  }

  /** The loaded data. A stored session that cannot be read counts as none, so that its visitor can log in and out. */
  #dataOf(state: SessionState): LoadedRecord['data'] | undefined {
    try {
      const { loaded } = state
      const data = loaded?.data
      if (this.#schema === undefined || loaded === undefined || this.#schema.isCurrent(loaded.extensions)) return data
      return this.#accept(state, this.#schema.open(loaded))
    } catch (error) {
      this.#trace.unreadable(state.request, error, state)
      state.loadedUnusable('unreadable', this.#now())
      return undefined
    }
  }

  #accept(state: SessionState, opened: AcceptedData | InvalidData): LoadedRecord['data'] | undefined {
    if (opened.kind === 'accepted') {
      state.accept(opened)
      return parseStored(opened.json)
    }
    this.#trace.invalid(state.request, opened.info, state)
    state.loadedUnusable('invalid-data', this.#now())
    return undefined
  }

  #save(state: SessionState, reply: FastifyReply): MaybePromise<void> {
    return this.#saves.run(state, () => {
      assertNotFailed(state)
      const changes = detectChanges(state)
      const plan = decide(state, changes)
      this.#lateWrites.warnOfIgnored(state, plan)
      return chain(this.#saver.carryOut(plan, state, changes, reply), (outcome) => {
        if (outcome.kind === 'saved') this.#signals.saved(state)
        const concluded = this.#adopter?.conclude(outcome, plan, state, reply)
        return chain(concluded, () => this.#cookie.write(outcome, state, reply, this.#now))
      })
    })
  }

  /** Nothing more is saved of a request in which the store has failed. What it has saved before stays, and its cookie is sent. */
  #leave(state: SessionState, reply: FastifyReply): undefined {
    if (state.reply.isOwed) return this.#fail(state, reply, undefined, state.reply.error)
    if (state.reply.isAnswered && state.reply.setCookieHeader === undefined) return undefined
    state.reply.answer()
    if (reply.statusCode < 500) this.#lateWrites.warnOfUnsaved(state)
    this.#cookie.write({ kind: 'nothing', reason: 'store-unavailable' }, state, reply, this.#now)
    return undefined
  }

  #commit(state: SessionState): Promise<void> {
    return this.#answerNow(state, (reply) => attempt(state, () => this.#save(state, reply)))
  }

  #sendCookie(state: SessionState, value: string): Promise<void> {
    const outcome = { kind: 'saved', reason: 'created', value, isOptional: false } as const
    return this.#answerNow(state, (reply) => this.#cookie.write(outcome, state, reply, this.#now))
  }

  /** Runs what tells the reply of a session, so that a hijacked reply has it, too. */
  async #answerNow(state: SessionState, write: (reply: FastifyReply) => MaybePromise<void>): Promise<void> {
    const reply = state.fastifyReply
    assertStoreAvailable(state)
    if (state.openReason === 'token') throw tokenError('session.commit()')
    if (!state.policy.enabled || reply === null) {
      throw new DisabledError(
        'session.commit() has nothing to write to: the route has `config: { session: false }`, or the call came from an onRequest hook that was added before the session plugin was registered.'
      )
    }
    const previous = state.reply.setCookieHeader
    varyBy(reply, COOKIE)
    await write(reply)
    const isIgnored = state.goesOnElsewhere && Object.keys(state.session as object).length > 0
    if (state.reply.reason === 'gone' || isIgnored) throw goneError()
    if (!reply.raw.headersSent) copyToRaw(reply, previous)
  }

  /** The request fails with what the session failed with, but only once. */
  #fail(state: SessionState, reply: FastifyReply, earlier: CommitReason | undefined, error: unknown): undefined {
    const failure = failureOf(error)
    state.reply.fail(failure, error)
    state.reply.answer()
    this.#trace.committed(state.request, reply, state.openReason, failure, state)
    const isSurvived = failure === 'store-unavailable' && state.policy.anonymousOnStoreError
    if (isSurvived) this.#trace.survived(state.request, error)
    else if (earlier === undefined || earlier === 'gone') {
      // Fastify keeps the status of an error that it is answering already.
      if (failure === 'store-unavailable' && reply.statusCode >= 400) reply.code(503)
      throw error
    }
    return undefined
  }
}

/**
 * Throws the error of a store that has failed when the session was to be loaded: it must not pass for an empty one. After the reply
 * it harms nobody, and a log or a hook that looks at it must not end the process.
 */
function assertLoaded(state: SessionState): void {
  const raw = state.fastifyReply?.raw
  const isOver = raw?.writableEnded || raw?.destroyed
  if (state.openReason === 'store-unavailable' && !isOver) assertNotFailed(state)
}

/** Whether a cookie that is cleared by hand ends the session: that of the browser, and not one that this request begins. */
function isEndable({ persisted, isNew, hasRenewed, isDestroyed }: SessionState): boolean {
  return persisted !== undefined && !isNew && !hasRenewed && !isDestroyed
}

function failureOf(error: unknown): CommitReason {
  if (error instanceof StoreUnavailableError) return 'store-unavailable'
  if (error instanceof LimitError) return 'over-limit'
  if (error instanceof ConflictError) return 'conflict'
  if (error instanceof SchemaError || error instanceof SchemaAsyncError) return 'invalid-data'
  return error instanceof TooLargeError ? 'too-large' : 'not-storable'
}
