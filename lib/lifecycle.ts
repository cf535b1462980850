import type { FastifyReply, FastifyRequest } from 'fastify'
import type { CommitReason, OpenReason } from '../types/diagnostics.ts'
import type { CookieAttributes } from '../types/options.ts'
import type { SessionSize } from '../types/session.ts'
import { MAX_SECONDS, readStamp } from './codec/envelope.ts'
import type { CookieWriter, FoundCookie, SerializeCookie } from './cookie.ts'
import { ATTRIBUTE_NAMES, createCookieWriter, findCookie, MAX_COOKIE_BYTES, resolveAttributes } from './cookie.ts'
import { DisabledError, InvalidOptionError, InvalidValueError, TooLargeError } from './errors.ts'
import { copyToRaw, isShareable, putCookie, varyByCookie } from './headers.ts'
import { assertMembersStorable, assertStorable, isSameJson, measureKeys, toJson } from './json.ts'
import { judgeLifetime, lastSecond } from './lifetime.ts'
import type { Settings } from './options.ts'
import type { RandomPool } from './random.ts'
import { routePolicy } from './route-config.ts'
import type { RequestSession } from './session.ts'
import type { Trace } from './trace.ts'
import type { Transport } from './transport/transport.ts'
import type { VisitHost } from './visit.ts'
import { Visit } from './visit.ts'

const ID_BYTES = 16

/** Browsers send a few cookies of one name; hundreds, each to be decrypted in vain, are an attack. */
const MAX_CANDIDATES = 8

const HAS_NOTHING_TO_SEND: readonly CommitReason[] = ['unchanged', 'empty', 'disabled']

/** What nobody misses when it comes after the reply. */
const HARMLESS_WHEN_LATE: readonly CommitReason[] = [...HAS_NOTHING_TO_SEND, 'restamped', 'rekeyed']

/** Where a registration keeps a request's visit and reply: two symbols, decorated with null. */
export interface Slots {
  readonly visit: symbol
  readonly reply: symbol
}

type Slotted = FastifyRequest & Record<symbol, Visit | FastifyReply | null>

/** The whole life of a session in a request: opened when it is first looked at, committed before the headers go. */
export class Lifecycle implements VisitHost {
  readonly permanent: boolean
  readonly #settings: Settings
  readonly #slots: Slots
  /** The cookie's name and `=`. */
  readonly #start: string
  readonly #transport: Transport
  readonly #writer: CookieWriter
  readonly #serialize: SerializeCookie
  readonly #random: RandomPool
  readonly #trace: Trace

  constructor(
    settings: Settings,
    slots: Slots,
    transport: Transport,
    serialize: SerializeCookie,
    random: RandomPool,
    trace: Trace
  ) {
    this.permanent = settings.permanent
    this.#settings = settings
    this.#slots = slots
    this.#start = `${settings.cookieName}=`
    this.#transport = transport
    this.#serialize = serialize
    this.#writer = createCookieWriter(settings.cookieName, settings.cookie, serialize)
    this.#random = random
    this.#trace = trace
  }

  /** The session of a request, for whoever looks at it. */
  look(request: FastifyRequest): RequestSession {
    const visit = this.#visitOf(request) ?? this.#open(request)
    if (!visit.looked || visit.isOver) {
      visit.looked = true
      if (this.#trace.isHeard) this.#watch(visit)
    }
    return visit.session
  }

  /** The first cookie of our name that opens and has not expired, or a new session and the reason for it. */
  #open(request: FastifyRequest): Visit {
    const policy = routePolicy(request)
    const header = policy.enabled ? request.raw.headers.cookie : undefined
    const now = this.now()
    let reason: OpenReason = policy.enabled ? 'no-cookie' : 'disabled'
    let visit: Visit | undefined
    let cookie = this.#nextCookie(header, 0)
    for (let tried = 0; cookie !== undefined && visit === undefined && tried < MAX_CANDIDATES; tried++) {
      const opened = this.#transport.open(cookie.text)
      const refusal = typeof opened === 'string' ? opened : judgeLifetime(opened, this.#settings, now)
      if (typeof opened === 'object' && refusal === undefined) {
        reason = 'opened'
        visit = new Visit(this, request, policy, reason, opened)
        visit.outdated = !cookie.text.startsWith(this.#transport.current)
        if (policy.touch && now - opened.stampedAt >= this.#settings.refreshAfter) {
          visit.touched = true
          visit.stampedAt = now
        }
      } else if (refusal !== undefined && reason === 'no-cookie') {
        reason = refusal
      }
      if (visit === undefined) cookie = this.#nextCookie(header, cookie.end)
    }
    visit ??= new Visit(this, request, policy, reason, undefined)
    ;(request as Slotted)[this.#slots.visit] = visit
    this.#trace.opened(request, reason, visit.knownId)
    return visit
  }

  /** Says what the reply has to say about the session. Runs a second time when another onSend hook fails. */
  finish(request: FastifyRequest, reply: FastifyReply): undefined | Promise<void> {
    const visit = this.#visitOf(request) ?? this.#openIfDue(request)
    if (visit === undefined) {
      this.#trace.committed(request, reply, undefined, 'untouched')
      return undefined
    }
    if (visit.looked) varyByCookie(reply)
    // After a failure Fastify comes back with the error reply, whose handler may have mended the session, or not.
    const hasFailed = visit.failure !== undefined
    visit.failure = undefined
    try {
      return this.#save(visit, reply)
    } catch (error) {
      visit.failure = error instanceof TooLargeError ? 'too-large' : 'not-storable'
      this.#trace.committed(request, reply, visit.openReason, visit.failure)
      if (hasFailed) return undefined
      throw error
    }
  }

  /** A session that nobody looked at is opened only to renew its stamp or its key. */
  #openIfDue(request: FastifyRequest): Visit | undefined {
    const { cookie } = request.raw.headers
    if (cookie === undefined || this.#isFresh(cookie) || !routePolicy(request).enabled) return undefined
    const visit = this.#open(request)
    return visit.isNew ? undefined : visit
  }

  /** Whether nothing is due, for the usual header, by looking at a few of its characters; when in doubt, no. */
  #isFresh(header: string): boolean {
    let at = header.indexOf(this.#start)
    while (at > 0 && header[at - 1] !== ' ' && header[at - 1] !== ';') at = header.indexOf(this.#start, at + 1)
    if (at === -1) return true
    const valueAt = at + this.#start.length
    if (!header.startsWith(this.#transport.current, valueAt)) return false
    return this.now() - readStamp(header, valueAt) < this.#settings.refreshAfter
  }

  #save(visit: Visit, reply: FastifyReply): undefined | Promise<void> {
    const reason = this.#decide(visit)
    const { held } = visit
    this.#warnOfIgnoredWrites(visit)
    if (reason === 'destroyed' || reason === 'emptied') {
      if (reason === 'emptied') assertMembersStorable(visit.session)
      return whenDone(held && this.#transport.drop(held), () => {
        visit.held = undefined
        this.#clear(visit, reply, reason)
      })
    }
    const isOnlyDue = reason === 'restamped' || reason === 'rekeyed'
    if (HAS_NOTHING_TO_SEND.includes(reason) || (isOnlyDue && isShareable(reply))) {
      assertMembersStorable(visit.session)
      this.#repeat(visit, reply, isOnlyDue ? 'unchanged' : reason)
      return undefined
    }
    if (!isOnlyDue) assertStorable(visit.session)
    if (visit.policy.touch || visit.touched) visit.stampedAt = Math.max(visit.stampedAt, this.now())
    const envelope = visit.envelope()
    return whenDone(this.#transport.seal(envelope, held), (text) => {
      visit.held = envelope
      visit.outdated = false
      visit.touched = false
      this.#set(visit, reply, reason, text)
    })
  }

  #decide(visit: Visit): CommitReason {
    const { held, session } = visit
    if (!visit.policy.enabled) return 'disabled'
    if (visit.status === 'destroyed') return visit.commitReason === 'destroyed' ? 'unchanged' : 'destroyed'
    visit.json = toJson(session)
    if (visit.json === '{}' && visit.ownerId === undefined) return held === undefined ? 'empty' : 'emptied'
    if (held === undefined) return 'created'
    if (held.id !== visit.id) return 'renewed'
    if (held.permanent !== visit.permanent || held.ownerId !== visit.ownerId) return 'changed'
    if (!isSameJson(held.json, visit.json)) return 'changed'
    if (visit.outdated) return 'rekeyed'
    return visit.touched ? 'restamped' : 'unchanged'
  }

  #set(visit: Visit, reply: FastifyReply, reason: CommitReason, text: string): void {
    const maxAge = visit.permanent ? visit.expiresAt() - this.now() : undefined
    const secure = this.#isSecure(visit)
    const isExposed = secure && visit.request.protocol !== 'https'
    if (isExposed) this.#trace.insecure(visit.request)
    this.#put(visit, reply, isExposed ? 'insecure-transport' : reason, this.#writerOf(visit).set(text, secure, maxAge))
  }

  /** Clears what the browser sent, were it ever so forged, or what this reply has set already. */
  #clear(visit: Visit, reply: FastifyReply, reason: CommitReason): void {
    const hasCookie = visit.line !== undefined || this.#nextCookie(visit.request.raw.headers.cookie, 0) !== undefined
    if (hasCookie) this.#put(visit, reply, reason, this.#writerOf(visit).clear(this.#isSecure(visit)))
    else this.#conclude(visit, reply, reason)
  }

  /** Nothing new to say: what was said before on this reply must still be there, whatever became of its headers. */
  #repeat(visit: Visit, reply: FastifyReply, reason: CommitReason): void {
    const lasting = visit.commitReason ?? reason
    if (visit.line !== undefined) this.#put(visit, reply, lasting, visit.line)
    else this.#conclude(visit, reply, lasting)
  }

  #put(visit: Visit, reply: FastifyReply, reason: CommitReason, line: string): void {
    if (reply.raw.headersSent) {
      if (line !== visit.line) this.#tellLoss(visit)
      return
    }
    putCookie(reply, line, visit.line)
    visit.line = line
    this.#conclude(visit, reply, reason)
  }

  #conclude(visit: Visit, reply: FastifyReply, reason: CommitReason): void {
    visit.commitReason = reason
    this.#trace.committed(visit.request, reply, visit.openReason, reason, visit.knownId)
  }

  /** A handler that goes on after its reply, or that hijacked it, may have changed what can no longer be sent. */
  #checkForLateChanges(visit: Visit): void {
    visit.isOver = true
    // Without headers the client went away before there was a reply: nothing came too late.
    if (visit.failure !== undefined || this.#replyOf(visit.request)?.raw.headersSent === false) return
    let reason: CommitReason
    try {
      reason = this.#decide(visit)
    } catch {
      reason = 'not-storable'
    }
    if (!HARMLESS_WHEN_LATE.includes(reason)) this.#tellLoss(visit)
  }

  #watch(visit: Visit): void {
    const raw = this.#replyOf(visit.request)?.raw
    if (visit.isOver || raw?.writableEnded) setImmediate(() => this.#checkForLateChanges(visit))
    raw?.on('close', () => this.#checkForLateChanges(visit))
  }

  #tellLoss(visit: Visit): void {
    if (!visit.isTold) this.#trace.lost(visit.request, visit.knownId)
    visit.isTold = true
  }

  #warnOfIgnoredWrites(visit: Visit): void {
    const { policy, status, hasData, ownerId } = visit
    const isDestroyed = status === 'destroyed'
    const reason = policy.enabled ? 'destroyed' : 'disabled'
    const isIgnored = policy.enabled ? isDestroyed && hasData : isDestroyed || hasData || ownerId !== undefined
    if (isIgnored && !visit.isTold) this.#trace.ignored(visit.request, reason)
    visit.isTold ||= isIgnored
  }

  #isSecure(visit: Visit): boolean {
    const { secure } = visit.attributes ?? this.#settings.cookie
    return secure === 'auto' ? visit.request.protocol === 'https' : secure
  }

  #writerOf({ attributes }: Visit): CookieWriter {
    return attributes === undefined
      ? this.#writer
      : createCookieWriter(this.#settings.cookieName, attributes, this.#serialize)
  }

  #nextCookie(header: string | undefined, from: number): FoundCookie | undefined {
    return header === undefined ? undefined : findCookie(header, this.#settings.cookieName, from)
  }

  #visitOf(request: FastifyRequest): Visit | null {
    return (request as Slotted)[this.#slots.visit] as Visit | null
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
    return this.#random.text(ID_BYTES)
  }

  expiresAt(createdAt: number, stampedAt: number): number {
    return lastSecond({ createdAt, stampedAt }, this.#settings)
  }

  async commit(visit: Visit): Promise<void> {
    const reply = this.#replyOf(visit.request)
    if (!visit.policy.enabled || reply === null) {
      throw new DisabledError(
        'session.commit() has nothing to write to: the route has `config: { session: false }`, or the call came from an onRequest hook that was added before the session plugin was registered.'
      )
    }
    const previous = visit.line
    varyByCookie(reply)
    await this.#save(visit, reply)
    if (!reply.raw.headersSent) copyToRaw(reply, previous)
  }

  size(visit: Visit): SessionSize {
    visit.json = toJson(visit.session)
    return {
      bytes: this.#transport.measure(visit.envelope()),
      limit: MAX_COOKIE_BYTES,
      keys: measureKeys(visit.json)
    }
  }

  setCookieAttributes(visit: Visit, given: Partial<CookieAttributes>): void {
    if (typeof given !== 'object' || given === null) {
      throw new InvalidValueError('session.options() takes an object with cookie attributes.')
    }
    const known = Object.entries(given).filter(([name, value]) => ATTRIBUTE_NAMES.includes(name) && value !== undefined)
    const base = visit.attributes ?? this.#settings.cookie
    visit.attributes = resolveAttributes(this.#settings.cookieName, { ...base, ...Object.fromEntries(known) })
  }
}

function whenDone<T>(value: T | Promise<T>, then: (value: T) => void): undefined | Promise<void> {
  if (value instanceof Promise) return value.then(then)
  then(value)
  return undefined
}
