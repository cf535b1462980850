import type { FastifyReply, FastifyRequest } from 'fastify'
import type { CommitReason, OpenReason, OpenRefusal } from '../../types/diagnostics.ts'
import type { CookieAttributes } from '../../types/options.ts'
import type { SessionSize } from '../../types/session.ts'
import { ATTRIBUTE_NAMES, resolveAttributes } from '../cookie/attributes.ts'
import { copyToRaw, isShareable, varyByCookie } from '../cookie/headers.ts'
import type { FoundCookie } from '../cookie/read.ts'
import { findCookie } from '../cookie/read.ts'
import type { SerializeCookie } from '../cookie/serializer.ts'
import { applyChanges, diffMembers } from '../data/json-members.ts'
import { measureKeys, toJson } from '../data/storable.ts'
import type { Trace } from '../diagnostics/trace.ts'
import {
  ConflictError,
  DisabledError,
  GoneError,
  goneError,
  InvalidOptionError,
  InvalidValueError,
  LimitError,
  NotLoadedError,
  StoreUnavailableError,
  TooLargeError,
  unavailableError
} from '../errors.ts'
import type { IdentifiedRecord, LoadedRecord } from '../format/record.ts'
import { MAX_SECONDS, readLastSeenAt } from '../format/record.ts'
import type { Settings } from '../options.ts'
import type { HandleAliases } from '../owners/handle-aliases.ts'
import { checkExpiry, expiresAt } from '../transport/expiry.ts'
import type { SaveResult, Transport } from '../transport/transport.ts'
import { chain } from '../util/maybe-async.ts'
import type { RoutePolicies, RoutePolicy } from './route-config.ts'
import type { ChangeData, RequestSession, Values } from './session.ts'
import type { SessionHost } from './state.ts'
import { SessionState } from './state.ts'
import type { HandshakeHost } from './websocket.ts'
import { ReplyCookie } from './write-cookie.ts'

/** Browsers send a few cookies of one name; hundreds, each to be decrypted in vain, are an attack. */
const MAX_CANDIDATES = 8

const HAS_NOTHING_TO_SEND: readonly CommitReason[] = ['unchanged', 'empty', 'disabled', 'store-unavailable']

/** Nothing but the note of the last activity, or the key, is to be renewed. */
const IS_ONLY_DUE: readonly CommitReason[] = ['restamped', 'rekeyed']

/** What nobody misses when it comes after the reply. */
const HARMLESS_WHEN_LATE: readonly CommitReason[] = [...HAS_NOTHING_TO_SEND, ...IS_ONLY_DUE]

/** Where a registration keeps a request's visit and reply: two symbols, decorated with null. */
export interface Slots {
  readonly visit: symbol
  readonly reply: symbol
}

type Slotted = FastifyRequest & Record<symbol, SessionState | FastifyReply | null>

/** A look through the cookies of a request. */
interface Search {
  readonly request: FastifyRequest
  readonly policy: RoutePolicy
  readonly header: string | undefined
  readonly now: number
  /** Why there is no session, so far: what was wrong with the first cookie. */
  reason: OpenReason
  tried: number
}

/** The whole life of a session in a request: opened when it is first looked at, committed before the headers go. */
export class SessionManager implements SessionHost, HandshakeHost {
  readonly permanent: boolean
  readonly #settings: Settings
  readonly #slots: Slots
  readonly #policies: RoutePolicies
  /** The cookie's name and `=`. */
  readonly #start: string
  readonly #transport: Transport
  readonly #cookie: ReplyCookie
  readonly #trace: Trace
  readonly #renamed: HandleAliases

  constructor(
    settings: Settings,
    slots: Slots,
    policies: RoutePolicies,
    transport: Transport,
    serialize: SerializeCookie,
    trace: Trace,
    renamed: HandleAliases
  ) {
    this.#renamed = renamed
    this.permanent = settings.permanent
    this.#settings = settings
    this.#slots = slots
    this.#policies = policies
    this.#start = `${settings.cookieName}=`
    this.#transport = transport
    this.#cookie = new ReplyCookie(settings, serialize, trace)
    this.#trace = trace
  }

  /** Notes the reply of a request and opens, where that takes a while, what its cookies stand for. */
  start(request: FastifyRequest, reply: FastifyReply): undefined | Promise<unknown> {
    ;(request as Slotted)[this.#slots.reply] = reply
    if (!this.#transport.loadsBeforeHandler) return undefined
    if (!request.raw.headers.cookie?.includes(this.#start)) return undefined
    const policy = this.#policies.of(request)
    const fail = (error: unknown): undefined => this.#outlive(request, policy, error)
    try {
      const opened = this.#open(request, policy)
      return opened instanceof Promise ? opened.then(undefined, fail) : undefined
    } catch (error) {
      return fail(error)
    }
  }

  /** There is no telling whose session it is, so it is nobody's, and nothing of it is kept. */
  #outlive(request: FastifyRequest, policy: RoutePolicy, error: unknown): undefined {
    this.#begin(request, { ...policy, enabled: false }, 'store-unavailable', undefined)
    if (!policy.anonymousOnStoreError) throw error
    this.#trace.survived(request, error)
    return undefined
  }

  /** The session of a request, for whoever looks at it. */
  look(request: FastifyRequest): RequestSession {
    const visit = this.#visitOf(request) ?? this.#openNow(request)
    if (!visit.looked || visit.isOver) {
      visit.looked = true
      if (this.#trace.hasListeners) this.#watch(visit)
    }
    return visit.session
  }

  #openNow(request: FastifyRequest): SessionState {
    const policy = this.#policies.of(request)
    if (this.#transport.loadsBeforeHandler && policy.enabled && this.#replyOf(request) === null) {
      throw new NotLoadedError(
        `request.${this.#settings.decorator} is loaded from the store by the end of the onRequest hook of the session plugin. Look at it in a later hook, or register the session plugin first.`
      )
    }
    const visit = this.#open(request, policy)
    // What takes a while was opened early, so there was no cookie of ours to wait for.
    if (visit instanceof Promise) {
      visit.catch(() => {})
      throw new NotLoadedError(`request.${this.#settings.decorator} has a cookie now that it did not come with.`)
    }
    return visit
  }

  /** The first cookie of our name that opens and has not expired, or a new session and the reason for it. */
  #open(request: FastifyRequest, policy: RoutePolicy): SessionState | Promise<SessionState> {
    const header = policy.enabled ? request.raw.headers.cookie : undefined
    const reason = policy.enabled ? 'no-cookie' : 'disabled'
    return this.#try({ request, policy, header, now: this.now(), reason, tried: 0 }, 0)
  }

  #try(search: Search, from: number): SessionState | Promise<SessionState> {
    const cookie = search.tried < MAX_CANDIDATES ? this.#nextCookie(search.header, from) : undefined
    if (cookie === undefined) return this.#begin(search.request, search.policy, search.reason, undefined)
    search.tried++
    const opened = this.#transport.open(cookie.text)
    return opened instanceof Promise
      ? opened.then((result) => this.#judge(search, cookie, result))
      : this.#judge(search, cookie, opened)
  }

  #judge(
    search: Search,
    cookie: FoundCookie,
    opened: LoadedRecord | OpenRefusal
  ): SessionState | Promise<SessionState> {
    const { request, policy, now } = search
    const refusal = typeof opened === 'string' ? opened : checkExpiry(opened, this.#settings, now)
    if (refusal !== undefined) {
      if (search.reason === 'no-cookie') search.reason = refusal
      return this.#try(search, cookie.end)
    }
    // Text would have been a refusal.
    const visit = this.#begin(request, policy, 'opened', opened as LoadedRecord)
    visit.outdated = !cookie.text.startsWith(this.#transport.current)
    if (policy.touch && now - readLastSeenAt(cookie.text) >= this.#settings.refreshAfter) {
      visit.touched = true
      visit.lastSeenAt = Math.max(visit.lastSeenAt, now)
    }
    return visit
  }

  #begin(
    request: FastifyRequest,
    policy: RoutePolicy,
    reason: OpenReason,
    opened: LoadedRecord | undefined
  ): SessionState {
    const visit = new SessionState(this, request, policy, reason, opened)
    ;(request as Slotted)[this.#slots.visit] = visit
    this.#trace.opened(request, reason, visit)
    return visit
  }

  /** Says what the reply has to say about the session. Runs a second time when another onSend hook fails. */
  finish(request: FastifyRequest, reply: FastifyReply): void | Promise<void> {
    const visit = this.#visitOf(request) ?? this.#openIfDue(request)
    if (visit === undefined || isUntouched(visit)) {
      const isUnknown = visit?.openReason === 'store-unavailable'
      this.#trace.committed(request, reply, visit?.openReason, isUnknown ? 'store-unavailable' : 'untouched', visit)
      return undefined
    }
    if (visit.looked && visit.openReason !== 'disabled') varyByCookie(reply)
    // After a failure Fastify comes back with the error reply, whose handler may have mended the session, or not.
    const earlier = visit.failure
    if (earlier === 'store-unavailable') return undefined
    visit.failure = undefined
    try {
      const saved = this.#saveInTurn(visit, reply)
      return saved instanceof Promise ? saved.catch((error) => this.#fail(visit, reply, earlier, error)) : saved
    } catch (error) {
      return this.#fail(visit, reply, earlier, error)
    }
  }

  /** The request fails with what the session failed with, but only once. */
  #fail(visit: SessionState, reply: FastifyReply, earlier: CommitReason | undefined, error: unknown): undefined {
    visit.failure = failureOf(error)
    this.#trace.committed(visit.request, reply, visit.openReason, visit.failure, visit)
    if (visit.failure === 'store-unavailable' && visit.policy.anonymousOnStoreError)
      this.#trace.survived(visit.request, error)
    else if (earlier === undefined || earlier === 'gone') throw error
    return undefined
  }

  /** A session that nobody looked at is opened only to renew its stamp or its key. */
  #openIfDue(request: FastifyRequest): SessionState | undefined {
    const { cookie } = request.raw.headers
    if (cookie === undefined || this.#transport.loadsBeforeHandler || this.#isFresh(cookie)) return undefined
    const policy = this.#policies.of(request)
    if (!policy.enabled) return undefined
    const visit = this.#open(request, policy) as SessionState
    return visit.isNew ? undefined : visit
  }

  /** Whether nothing is due, for the usual header, by looking at a few of its characters; when in doubt, no. */
  #isFresh(header: string): boolean {
    let at = header.indexOf(this.#start)
    while (at > 0 && header[at - 1] !== ' ' && header[at - 1] !== ';') at = header.indexOf(this.#start, at + 1)
    if (at === -1) return true
    const valueAt = at + this.#start.length
    if (!header.startsWith(this.#transport.current, valueAt)) return false
    return this.now() - readLastSeenAt(header, valueAt) < this.#settings.refreshAfter
  }

  /** A commit that nobody waited for may be under way: what is to be done is decided after it. */
  #saveInTurn(visit: SessionState, reply: FastifyReply): void | Promise<void> {
    if (visit.saving !== undefined) return visit.saving.then(() => this.#saveInTurn(visit, reply))
    const saved = this.#save(visit, reply)
    if (saved instanceof Promise) {
      const release = (): void => {
        visit.saving = undefined
      }
      visit.saving = saved.then(release, release)
    }
    return saved
  }

  #save(visit: SessionState, reply: FastifyReply): void | Promise<void> {
    const reason = this.#decide(visit)
    const { held } = visit
    this.#warnOfIgnoredWrites(visit)
    if (reason === 'destroyed') {
      return chain(held && this.#transport.drop(held), () => this.#clear(visit, reply, reason))
    }
    if (reason === 'emptied' && held !== undefined) {
      visit.assertStorable(false)
      const envelope = visit.envelope()
      return chain(this.#transport.deleteIfEmpty(envelope, held), (result) => {
        if (result === 'ended') return this.#clear(visit, reply, reason)
        if (result === 'gone') return this.#giveUp(visit, reply, false)
        visit.held = envelope
        this.#cookie.repeat(visit, reply, 'changed')
      })
    }
    const isOnlyDue = IS_ONLY_DUE.includes(reason)
    if (HAS_NOTHING_TO_SEND.includes(reason) || (isOnlyDue && isShareable(reply))) {
      visit.assertStorable(false)
      this.#cookie.repeat(visit, reply, isOnlyDue ? 'unchanged' : reason)
      return undefined
    }
    if (!isOnlyDue) visit.assertStorable(true)
    if (visit.policy.touch || visit.touched) visit.lastSeenAt = Math.max(visit.lastSeenAt, this.now())
    const envelope = visit.envelope()
    const isLate = reply.raw.headersSent
    if (isLate && this.#hasToSend(visit, envelope)) {
      if (!isOnlyDue) this.#warnOnce(visit)
      return undefined
    }
    const isDue = !isLate && (visit.outdated || visit.touched)
    const text = isDue || this.#hasToSend(visit, envelope) ? this.#transport.seal(envelope) : undefined
    const base = visit.restarted ? undefined : held
    return chain(this.#transport.save(envelope, base, visit), (result: SaveResult) => {
      if (result === 'gone') return this.#giveUp(visit, reply, isOnlyDue)
      return chain(visit.restarted && held ? this.#transport.drop(held) : undefined, () => {
        visit.held = rebase(envelope, held, visit.held)
        if (held !== undefined && held.id !== envelope.id) this.#renamed.forget(visit.handle)
        visit.outdated = false
        visit.touched = false
        visit.restarted = false
        const maxAge = visit.permanent ? visit.expiresAt() - this.now() : undefined
        if (text !== undefined) this.#cookie.set(visit, reply, reason, text, maxAge)
        else if (visit.line !== undefined) this.#cookie.repeat(visit, reply, reason)
        else this.#cookie.conclude(visit, reply, reason)
      })
    })
  }

  /** Whether the session is lost without a new cookie. */
  #hasToSend({ held }: SessionState, envelope: IdentifiedRecord): boolean {
    if (held === undefined || this.#transport.isSelfContained) return true
    return held.id !== envelope.id || held.permanent !== envelope.permanent
  }

  #decide(visit: SessionState): CommitReason {
    const { held } = visit
    if (!visit.policy.enabled) return visit.openReason === 'store-unavailable' ? 'store-unavailable' : 'disabled'
    if (visit.status === 'destroyed') return visit.commitReason === 'destroyed' ? 'unchanged' : 'destroyed'
    const hasChanged = visit.compare()
    if (visit.isEmpty && visit.ownerId === undefined) return held === undefined ? 'empty' : 'emptied'
    if (held === undefined) return 'created'
    if (held.id !== visit.id) return 'renewed'
    if (held.permanent !== visit.permanent || held.ownerId !== visit.ownerId) return 'changed'
    if (hasChanged) return 'changed'
    if (visit.outdated) return 'rekeyed'
    return visit.touched ? 'restamped' : 'unchanged'
  }

  /** Ended by another request: the browser has been told by that one, and knows better than this one. */
  #giveUp(visit: SessionState, reply: FastifyReply, isOnlyDue: boolean): void {
    visit.failure = 'gone'
    if (!isOnlyDue) visit.warnOnce(() => this.#trace.ignored(visit.request, 'gone'))
    this.#cookie.conclude(visit, reply, 'gone')
  }

  /** Clears what the browser sent, were it ever so forged, or what this reply has set already. */
  #clear(visit: SessionState, reply: FastifyReply, reason: CommitReason): void {
    visit.held = undefined
    // Nobody who knew the session that has ended may come back to the one that follows it.
    if (reason === 'emptied') visit.renew()
    const hasCookie = visit.line !== undefined || this.#nextCookie(visit.request.raw.headers.cookie, 0) !== undefined
    // After the headers the cookie stays, which is a loss only where it still opens something.
    const mayStay = reply.raw.headersSent && !this.#transport.isSelfContained
    if (hasCookie && !mayStay) this.#cookie.clear(visit, reply, reason)
    else this.#cookie.conclude(visit, reply, reason)
  }

  /** A handler that goes on after its reply, or that hijacked it, may have changed what can no longer be sent. */
  #checkForLateChanges(visit: SessionState): void {
    visit.isOver = true
    // Without headers the client went away before there was a reply: nothing came too late.
    if (visit.failure !== undefined || this.#replyOf(visit.request)?.raw.headersSent === false) return
    let reason: CommitReason
    try {
      reason = this.#decide(visit)
    } catch {
      reason = 'not-storable'
    }
    const hasEnded = reason === 'destroyed' && visit.held === undefined && !this.#transport.isSelfContained
    if (!hasEnded && !HARMLESS_WHEN_LATE.includes(reason)) this.#warnOnce(visit)
  }

  #watch(visit: SessionState): void {
    const raw = this.#replyOf(visit.request)?.raw
    const check = (): void => this.#checkForLateChanges(visit)
    if (visit.isOver || raw?.writableEnded || raw?.destroyed) setImmediate(check)
    if (!visit.isOver) raw?.on('close', check)
  }

  #warnOnce(visit: SessionState): void {
    visit.warnOnce(() => this.#trace.lost(visit.request, visit))
  }

  #warnOfIgnoredWrites(visit: SessionState): void {
    const { enabled } = visit.policy
    const isDestroyed = visit.status === 'destroyed'
    if (enabled && !isDestroyed) return
    const isIgnored = visit.hasData || (!enabled && (isDestroyed || visit.ownerId !== undefined))
    const reason = visit.openReason === 'store-unavailable' ? 'store-unavailable' : 'disabled'
    if (isIgnored) visit.warnOnce(() => this.#trace.ignored(visit.request, enabled ? 'destroyed' : reason))
  }

  #nextCookie(header: string | undefined, from: number): FoundCookie | undefined {
    return header === undefined ? undefined : findCookie(header, this.#settings.cookieName, from)
  }

  #visitOf(request: FastifyRequest): SessionState | null {
    return (request as Slotted)[this.#slots.visit] as SessionState | null
  }

  #replyOf(request: FastifyRequest): FastifyReply | null {
    return (request as Slotted)[this.#slots.reply] as FastifyReply | null
  }

  // What a visit asks for.

  now(): number {
    const seconds = Math.floor(this.#settings.clock() / 1000)
    // With a time that is none, nothing would ever expire.
    if (!(seconds >= 0 && seconds <= MAX_SECONDS))
      throw new InvalidOptionError(`The clock of the session gave ${seconds} s.`)
    return seconds
  }

  newId(): string {
    return this.#transport.newId()
  }

  handleOf(id: string): string {
    return this.#transport.handleOf(id)
  }

  noteRename(visit: SessionState): void {
    if (visit.held !== undefined) this.#renamed.note(visit.handle, this.handleOf(visit.held.id))
  }

  async end(visit: SessionState): Promise<void> {
    const { held } = visit
    if (held === undefined) return
    await this.#transport.drop(held)
    visit.held = undefined
  }

  isShared(visit: SessionState): boolean {
    if (visit.openReason === 'store-unavailable') throw unavailableError(undefined)
    return this.#transport.amend !== undefined && visit.held !== undefined
  }

  async latest(visit: SessionState): Promise<IdentifiedRecord> {
    const latest = await this.#transport.latest(visit.held as IdentifiedRecord)
    if (latest !== undefined) return latest
    visit.commitReason = 'gone'
    throw goneError()
  }

  async amend(visit: SessionState, change: ChangeData): Promise<Values> {
    // Others know the session by the id that it had: what happens under a new one has to be there first.
    if (visit.held?.id !== visit.id) await this.commit(visit)
    const { held } = visit
    if (held === undefined) {
      // It began anew with nothing in it, so there is nothing that anybody else could know.
      const draft: Values = JSON.parse(toJson(visit.session))
      await change(draft)
      return draft
    }
    const mine = diffMembers(held.json, toJson(visit.session))
    const amend = this.#transport.amend as NonNullable<Transport['amend']>
    try {
      visit.held = await amend(held, async (json) => {
        const draft: Values = JSON.parse(applyChanges(json, mine))
        await change(draft)
        return toJson(draft)
      })
    } catch (error) {
      if (error instanceof GoneError) visit.commitReason = 'gone'
      throw error
    }
    if (visit.held.json !== held.json) visit.commitReason ??= 'changed'
    // What this request left alone is as somebody else may have left it.
    if (visit.permanent === held.permanent) visit.permanent = visit.held.permanent
    visit.lastSeenAt = Math.max(visit.lastSeenAt, visit.held.lastSeenAt)
    return JSON.parse(visit.held.json)
  }

  expiresAt(createdAt: number, lastSeenAt: number): number {
    return expiresAt({ createdAt, lastSeenAt }, this.#settings)
  }

  async commit(visit: SessionState): Promise<void> {
    const reply = this.#replyOf(visit.request)
    if (visit.openReason === 'store-unavailable') throw unavailableError(undefined)
    if (!visit.policy.enabled || reply === null) {
      throw new DisabledError(
        'session.commit() has nothing to write to: the route has `config: { session: false }`, or the call came from an onRequest hook that was added before the session plugin was registered.'
      )
    }
    const previous = visit.line
    varyByCookie(reply)
    await this.#saveInTurn(visit, reply)
    if (visit.commitReason === 'gone') throw goneError()
    if (!reply.raw.headersSent) copyToRaw(reply, previous)
  }

  size(visit: SessionState): SessionSize {
    const json = toJson(visit.session)
    return {
      bytes: this.#transport.measure(visit.envelopeOf(json)),
      limit: this.#transport.limit,
      keys: measureKeys(json)
    }
  }

  setCookieAttributes(visit: SessionState, given: Partial<CookieAttributes>): void {
    if (typeof given !== 'object' || given === null) {
      throw new InvalidValueError('session.options() takes an object with cookie attributes.')
    }
    const known = Object.entries(given).filter(([name, value]) => ATTRIBUTE_NAMES.includes(name) && value !== undefined)
    const base = visit.attributes ?? this.#settings.cookie
    visit.attributes = resolveAttributes(this.#settings.cookieName, { ...base, ...Object.fromEntries(known) })
  }
}

/** Whether nothing has to be said: nobody looked, and nothing is due. */
function isUntouched(visit: SessionState): boolean {
  return !visit.looked && !visit.touched && !visit.outdated
}

/** What was saved, with what an `update()` or a `reload()` has brought while it was on its way. */
function rebase(
  saved: IdentifiedRecord,
  base: IdentifiedRecord | undefined,
  held: IdentifiedRecord | undefined
): IdentifiedRecord {
  if (base === undefined || held === undefined || held === base) return saved
  return { ...saved, json: applyChanges(held.json, diffMembers(base.json, saved.json)) }
}

function failureOf(error: unknown): CommitReason {
  if (error instanceof StoreUnavailableError) return 'store-unavailable'
  if (error instanceof LimitError) return 'over-limit'
  if (error instanceof ConflictError) return 'conflict'
  return error instanceof TooLargeError ? 'too-large' : 'not-storable'
}
