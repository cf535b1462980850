import type { FastifyReply, FastifyRequest } from 'fastify'
import type { OpenReason, OpenRefusal } from '../../types/diagnostics.ts'
import type { MaybePromise } from '../../types/store.ts'
import type { Trace } from '../diagnostics/trace.ts'
import { StoreUnavailableError } from '../errors.ts'
import { isBound, isOffered } from '../format/device.ts'
import type { LoadedRecord } from '../format/record.ts'
import type { Settings } from '../options.ts'
import { checkExpiry, refreshAfterOf } from '../transport/expiry.ts'
import type { Transport } from '../transport/transport.ts'
import { chain } from '../util/maybe-async.ts'
import type { Adopter } from './adopt.ts'
import { candidatesIn } from './candidates.ts'
import type { DeviceGate } from './device-gate.ts'
import type { SessionDefaults, SessionIds } from './ids.ts'
import type { LoadResult } from './load-result.ts'
import { createResult, nothing } from './load-result.ts'
import type { RoutePolicies, RoutePolicy } from './route-config.ts'
import type { RequestSlots } from './slots.ts'
import type { StaleCookies } from './stale-cookies.ts'
import { SessionState } from './state.ts'

/** Why a genuine cookie leads to nothing, and never will again. */
const ENDED: readonly OpenReason[] = ['not-found', 'revoked']

/** Finds the session of a request by its Cookie header, at the moment that the transport chooses, and begins its state. */
export class SessionLoader {
  readonly #settings: Settings
  readonly #slots: RequestSlots
  readonly #policies: RoutePolicies
  readonly #transport: Transport
  readonly #trace: Trace
  readonly #defaults: SessionDefaults
  readonly #now: () => number
  /** The cookie's name and `=`. */
  readonly #start: string
  readonly #stale: StaleCookies
  readonly #adopter: Adopter | undefined
  readonly #answered: WeakSet<FastifyRequest> = new WeakSet()

  constructor(
    settings: Settings,
    slots: RequestSlots,
    policies: RoutePolicies,
    transport: Transport,
    trace: Trace,
    ids: SessionIds,
    stale: StaleCookies,
    device: DeviceGate,
    now: () => number,
    adopter: Adopter | undefined
  ) {
    this.#settings = settings
    this.#slots = slots
    this.#policies = policies
    this.#transport = transport
    this.#trace = trace
    this.#defaults = { ids, permanent: settings.permanent, extensions: settings.schema?.extensions, device }
    this.#stale = stale
    this.#adopter = adopter
    this.#now = now
    this.#start = `${settings.cookieName}=`
  }

  /** At the start of a request. */
  atStart(request: FastifyRequest): MaybePromise<unknown> {
    if (this.#adopter !== undefined && this.#mayAdopt(request)) return this.#adopt(this.#adopter, request)
    try {
      const state = this.#transport.loadAtStart(this.#loadIfSent, request)
      return state instanceof Promise ? state.catch((error) => this.#serveWithout(request, error)) : undefined
    } catch (error) {
      return this.#serveWithout(request, error)
    }
  }

  /**
   * At the first access. A session that the store is still to be asked for reads as empty, because a log or an error handler may
   * look at it. If it is not going to be asked any more, the session keeps nothing; otherwise it refuses to be changed.
   *
   * A state whose `reply` has failed is that of a session that nobody may read: the store has failed at this access.
   */
  atAccess(request: FastifyRequest): SessionState {
    const state = this.atHand(request)
    if (state !== undefined) return state
    const enabled = (this.#isSent(request) || this.#mayAdopt(request)) && !this.#answered.has(request)
    return this.#begin(request, { ...this.#policies.of(request), enabled }, nothing('not-loaded'), this.#now())
  }

  /** Like `atAccess`, but undefined if the store is still to be asked. */
  atHand(request: FastifyRequest): SessionState | undefined {
    // Readers of other cookies take time.
    if (this.#mayAdopt(request) && !this.#answered.has(request)) return undefined
    try {
      const state = this.#transport.loadAtAccess(this.#load, request) ?? this.#loadWithoutStore(request)
      return state === undefined || state instanceof Promise ? undefined : state
    } catch (error) {
      // A log that looks at the request when it comes must not end the process. The store is asked again later.
      if (this.#slots.replyOf(request) === null && !this.#answered.has(request)) return undefined
      const state = this.#failed(request, error)
      if (state.policy.anonymousOnStoreError) this.#trace.survived(request, error)
      return state
    }
  }

  /** Forgets, and returns, the state of a session that was accessed before it was loaded. */
  forget(request: FastifyRequest): SessionState | undefined {
    const state = this.#slots.stateOf(request)
    if (state?.openReason !== 'not-loaded') return undefined
    this.#slots.forgetState(request)
    return state
  }

  /** Begins a session that is empty and keeps nothing, without a look at the cookies. */
  setAside(request: FastifyRequest): void {
    this.#begin(request, { ...this.#policies.of(request), enabled: false }, nothing('token'), this.#now())
  }

  /** A reply or an error is under way: a session that is not loaded by now is not going to be. */
  giveUp(request: FastifyRequest): void {
    this.#answered.add(request)
    const state = this.#slots.stateOf(request)
    if (state?.openReason === 'store-unavailable') state.reply.retry()
    if (state?.policy.enabled) this.forget(request)
  }

  #loadWithoutStore(request: FastifyRequest): MaybePromise<SessionState> | undefined {
    const hasNone = this.#slots.replyOf(request) !== null && !this.#isSent(request)
    return hasNone || !this.#policies.of(request).enabled ? this.#load(request) : undefined
  }

  /** Whether the session is still to come, from a cookie of another library. */
  #mayAdopt(request: FastifyRequest): boolean {
    return this.#adopter?.concerns(request) === true && this.#policies.of(request).enabled
  }

  async #adopt(adopter: Adopter, request: FastifyRequest): Promise<unknown> {
    try {
      const found = await adopter.find(request)
      return this.#begin(request, this.#policies.of(request), found, this.#now())
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error
      return this.#serveWithout(request, error)
    }
  }

  #isSent(request: FastifyRequest): boolean {
    return request.raw.headers.cookie?.includes(this.#start) === true
  }

  /** At the end of a request that did not access its session: only if its activity or its key is due, or its cookie was cleared. */
  atEnd(request: FastifyRequest, isCleared: () => boolean): SessionState | undefined {
    const { cookie } = request.raw.headers
    return cookie === undefined ? undefined : this.#loadAtEnd(request, !this.#isFresh(cookie), isCleared)
  }

  /** After that end: only if the cookie was cleared since. */
  afterEnd(request: FastifyRequest, isCleared: () => boolean): SessionState | undefined {
    return request.raw.headers.cookie === undefined ? undefined : this.#loadAtEnd(request, false, isCleared)
  }

  #loadAtEnd(request: FastifyRequest, isDue: boolean, isCleared: () => boolean): SessionState | undefined {
    try {
      const state = this.#transport.loadAtEnd(this.#loadIfEnabled, request, isDue, isCleared)
      return state === undefined || state instanceof Promise || (state.isNew && !state.isStale) ? undefined : state
    } catch (error) {
      // Nobody has asked for it, so the request does not fail.
      this.#trace.unnoted(request, error)
      return this.#failed(request, error)
    }
  }

  readonly #loadIfSent = (request: FastifyRequest): MaybePromise<SessionState> | undefined =>
    this.#isSent(request) ? this.#load(request) : undefined

  readonly #loadIfEnabled = (request: FastifyRequest): MaybePromise<SessionState> | undefined =>
    this.#policies.of(request).enabled ? this.#load(request) : undefined

  readonly #load = (request: FastifyRequest): MaybePromise<SessionState> => {
    const policy = this.#policies.of(request)
    const now = this.#now()
    if (!policy.enabled) return this.#begin(request, policy, nothing('disabled'), now)
    const { values, isCut } = candidatesIn(
      request.raw.headers.cookie ?? '',
      this.#settings.cookieName,
      this.#transport.readStamp
    )
    const found = this.#open(values, 0, nothing(isCut ? 'too-many-cookies' : 'no-cookie'), now)
    return chain(found, (found) => {
      const extensions = found.record?.extensions
      if (isBound(extensions) || isOffered(extensions)) {
        return this.#begin(request, policy, this.#defaults.device.admit(found, request, policy, now), now)
      }
      const isStale = found.record === undefined && ENDED.includes(found.reason) && values.length === 1
      return this.#begin(request, policy, isStale ? { ...found, isStale } : found, now)
    })
  }

  /** Opens the cookies from a position on. `found`: what those before it stand for. */
  #open(values: readonly string[], at: number, found: LoadResult, now: number): MaybePromise<LoadResult> {
    const value = values[at]
    if (value === undefined) return found
    const next = (loaded: LoadedRecord | OpenRefusal): MaybePromise<LoadResult> =>
      this.#open(values, at + 1, this.#judge(value, loaded, found, now), now)
    const loaded = this.#transport.load(value)
    return loaded instanceof Promise ? loaded.then(next) : next(loaded)
  }

  /** The first that opens and has not expired wins. If none does, the reason is that of the first. */
  #judge(value: string, loaded: LoadedRecord | OpenRefusal, found: LoadResult, now: number): LoadResult {
    const refusal = typeof loaded === 'string' ? loaded : checkExpiry(loaded, this.#settings, now)
    if (typeof loaded === 'string' || refusal !== undefined) {
      // If none opens, a session that begins would replace the one that has a new id.
      const isTold = found.reason === 'no-cookie' || (refusal === 'renamed' && found.record === undefined)
      return isTold ? nothing(refusal as OpenRefusal) : found
    }
    if (found.record !== undefined) return { ...found, losers: [...found.losers, loaded] }
    const needsRekey = !value.startsWith(this.#transport.currentPrefix) || loaded.needsRekey === true
    const isDue = this.#isDue(this.#transport.notedIn(value, loaded), loaded, now)
    return createResult('opened', loaded, needsRekey, isDue)
  }

  #isDue(notedAt: number, { extensions }: LoadedRecord, now: number): boolean {
    const dueAt = notedAt + refreshAfterOf(extensions, this.#settings)
    return now >= dueAt && this.#transport.activityUntil(now) >= dueAt
  }

  /** Whether no cookie in a header is due, by a look at a few characters. When in doubt, no. */
  #isFresh(header: string): boolean {
    let at = header.indexOf(this.#start)
    while (at > 0 && header[at - 1] !== ' ' && header[at - 1] !== ';') at = header.indexOf(this.#start, at + 1)
    if (at === -1) return true
    const valueAt = at + this.#start.length
    if (!header.startsWith(this.#transport.currentPrefix, valueAt)) return false
    return this.#now() - this.#transport.readUsualStamp(header, valueAt) < this.#settings.refreshAfter
  }

  #begin(request: FastifyRequest, policy: RoutePolicy, found: LoadResult, now: number): SessionState {
    const seenAt = found.isDue ? this.#transport.activityUntil(now) : now
    const state = new SessionState(request, policy, found, this.#defaults, now, seenAt)
    this.#slots.setState(request, state)
    const { fastifyReply } = state
    if (found.isStale && fastifyReply !== null && !isOver(fastifyReply)) this.#stale.enter(request, fastifyReply)
    this.#trace.opened(request, found.reason, state)
    return state
  }

  /** The store has failed, so nobody knows whose session it is. Returns on a route with `onStoreError: 'anonymous'`. */
  #serveWithout(request: FastifyRequest, error: unknown): undefined {
    const { policy } = this.#beginWithout(request)
    if (!policy.anonymousOnStoreError) throw error
    this.#trace.survived(request, error)
    return undefined
  }

  /** The same later. A handler that catches the error may access the session again. */
  #failed(request: FastifyRequest, error: unknown): SessionState {
    const state = this.#beginWithout(request)
    const isServed = state.policy.anonymousOnStoreError || this.#answered.has(request)
    if (!isServed) state.reply.fail('store-unavailable', error)
    return state
  }

  #beginWithout(request: FastifyRequest): SessionState {
    const policy = { ...this.#policies.of(request), enabled: false }
    return this.#begin(request, policy, nothing('store-unavailable'), this.#now())
  }
}

/** Whether a reply clears no cookie any more. */
function isOver({ raw }: FastifyReply): boolean {
  return raw.headersSent || raw.destroyed
}
