import type { OpenRefusal } from '../../types/diagnostics.ts'
import type { EndReason } from '../../types/endings.ts'
import type { CookieAttributes } from '../../types/options.ts'
import type { SessionSize } from '../../types/session.ts'
import type { MaybePromise } from '../../types/store.ts'
import { ATTRIBUTE_NAMES, resolveAttributes } from '../cookie/attributes.ts'
import { diffMembers } from '../data/json-members.ts'
import { hasTheirs } from '../data/own-keys.ts'
import { assertStorable, measureKeys, parseChanged, parseStored, toJson } from '../data/storable.ts'
import type { Trace } from '../diagnostics/trace.ts'
import {
  ConflictError,
  DestroyedError,
  goneError,
  InvalidOptionError,
  InvalidValueError,
  unavailableError
} from '../errors.ts'
import type { Extensions } from '../format/extensions.ts'
import type { IdentifiedRecord } from '../format/record.ts'
import type { TimeoutName } from '../format/timeouts.ts'
import { withTimeoutsChange, withTimeoutsOf } from '../format/timeouts.ts'
import type { Settings } from '../options.ts'
import type { OwnerSessions } from '../owners/sessions.ts'
import type { AcceptedData, DataSchema } from '../schema/data-schema.ts'
import type { Timeouts } from '../transport/expiry.ts'
import { checkExpiry, expiresAt, timeoutsOf } from '../transport/expiry.ts'
import type { ChangeData, Transport } from '../transport/transport.ts'
import type { KeyedQueue } from '../util/keyed-queue.ts'
import { chain } from '../util/maybe-async.ts'
import { attempt, attemptEnd } from './attempt.ts'
import { recordWith } from './changes.ts'
import type { RequestSignals } from './request-signals.ts'
import type { SessionSaver } from './save.ts'
import type { DataSink, IsReserved, Values } from './session-data.ts'
import { emptyData, replaceData } from './session-data.ts'
import type { SessionState } from './state.ts'
import { assertTimeout } from './timeout.ts'
import type { Commit } from './update.ts'
import { SessionUpdater } from './update.ts'

/** What other libraries call the lifetime of a cookie. To ignore it would be a session that ends too early or too late. */
const LIFETIMES: readonly string[] = ['maxAge', 'expires']

/** Sends a cookie of a session that is saved already. */
type SendCookie = (state: SessionState, value: string) => Promise<void>

/** Data in the present version of the schema. */
interface PresentData {
  readonly json: string
  /** What the schema says of them, unless they were written under this version. */
  readonly accepted?: AcceptedData
}

/** A session to begin. */
interface Beginning {
  readonly id: string
  readonly ownerId: string
  /** Undefined: the option `permanent`. */
  readonly permanent: boolean | undefined
  /** The session has the timeouts of these. */
  readonly timeouts: Extensions
  readonly data: Values
  /** What goes on of the data of the session in whose place it begins. */
  readonly kept: Values
}

/** What a session can do in which the transport, the clock or the reply takes part. */
export class SessionActions {
  /** Saves what the request has changed so far. */
  readonly commit: Commit
  readonly schema: DataSchema | undefined
  readonly signals: RequestSignals
  readonly #sendCookie: SendCookie
  readonly #settings: Settings
  readonly #transport: Transport
  readonly #saver: SessionSaver
  readonly #saves: KeyedQueue<SessionState>
  readonly #sessions: OwnerSessions
  readonly #trace: Trace
  readonly #updater: SessionUpdater
  readonly #now: () => number

  /** `saves`: saves of one session wait for each other there. `now`: seconds since 1970. */
  constructor(
    settings: Settings,
    transport: Transport,
    saver: SessionSaver,
    saves: KeyedQueue<SessionState>,
    sessions: OwnerSessions,
    commit: Commit,
    sendCookie: SendCookie,
    signals: RequestSignals,
    trace: Trace,
    now: () => number
  ) {
    this.#trace = trace
    this.commit = commit
    this.schema = settings.schema
    this.signals = signals
    this.#sendCookie = sendCookie
    this.#settings = settings
    this.#transport = transport
    this.#saver = saver
    this.#saves = saves
    this.#sessions = sessions
    this.#updater = new SessionUpdater(transport, commit)
    this.#now = now
  }

  /** Seconds since 1970. */
  expiresAt(state: SessionState): number {
    return expiresAt(state, this.#settings)
  }

  timeoutsOf({ extensions }: SessionState): Timeouts {
    return timeoutsOf(extensions, this.#settings)
  }

  /** `seconds`: undefined for the timeout of the options. Throws `ERR_SESSION_VALUE`. */
  setTimeout(state: SessionState, name: TimeoutName, seconds: number | undefined): void {
    if (seconds !== undefined) assertTimeout(name, seconds, this.#settings)
    state.setTimeout(name, seconds)
  }

  /**
   * Begins a new session in the place of this one. If nothing goes on, the old one ends now; otherwise when the new one is saved.
   */
  async regenerate(state: SessionState, session: object, hasKept: boolean, keepsOwner: boolean): Promise<void> {
    state.regenerate(this.#now(), keepsOwner, hasTheirs(session))
    if (hasKept || state.ownerId !== undefined) return
    await this.#saves.run(state, () => attempt(state, () => this.#saver.retire(state)))
  }

  /** Ends the session where the transport has it. What follows in this request is another one. */
  async end(state: SessionState, reason: EndReason): Promise<void> {
    state.regenerate(this.#now(), false)
    await this.#delete(state, reason)
  }

  /**
   * Compares the session with what is true now, for a decision that depends on it: its expiry in every mode, and in a store the
   * record if it was loaded `freshness` seconds ago. If it is over, it is as if its cookie had opened nothing.
   */
  verify(
    state: SessionState,
    session: object,
    isReserved: IsReserved,
    freshness: number = this.#settings.freshness
  ): MaybePromise<void> {
    const { persisted } = state
    if (state.isDestroyed) return undefined
    const now = this.#now()
    if (state.ending.isGone) return this.#over(state, session, 'not-found', now)
    if (persisted === undefined) return undefined
    const isAlive = checkExpiry(state, this.#settings, now) === undefined
    if (isAlive && now - state.verifiedAt < freshness) return undefined
    return chain(this.#latestOf(state, persisted), (latest) => {
      if (typeof latest === 'string') return this.#over(state, session, latest, now)
      // Another request may have kept it alive, or given it other timeouts.
      state.seen(latest.lastSeenAt)
      const { createdAt, lastSeenAt } = state
      const extensions = withTimeoutsChange(latest.extensions, persisted, state)
      const refusal = checkExpiry({ createdAt, lastSeenAt, extensions }, this.#settings, now)
      if (refusal !== undefined) return this.#over(state, session, refusal, now)
      state.verified(now)
      if (latest.json === persisted.json) return
      const present = this.#presentOf(latest)
      if (present === undefined) this.#over(state, session, 'invalid-data', now)
      else this.#rebase(state, session, persisted, latest, present, isReserved)
    })
  }

  #over(state: SessionState, session: object, reason: OpenRefusal, now: number): void {
    emptyData(session)
    state.over(reason, now)
    this.#trace.opened(state.request, reason, state)
  }

  /** Applies what this request has changed to the latest data. */
  #rebase(
    state: SessionState,
    session: object,
    persisted: IdentifiedRecord,
    latest: IdentifiedRecord,
    present: PresentData,
    isReserved: IsReserved
  ): void {
    const mine = diffMembers(state.migratedJson ?? persisted.json, toJson(session))
    replaceData(session, parseChanged(present.json, mine), isReserved)
    state.transacted(persisted, latest)
    if (present.accepted !== undefined) state.accept(present.accepted)
  }

  /** Returns the data of a record in the present version of the schema; undefined if they are invalid. */
  #presentOf(record: IdentifiedRecord): PresentData | undefined {
    if (this.schema === undefined || this.schema.isCurrent(record.extensions)) return { json: record.json }
    const opened = this.schema.open(record)
    return opened.kind === 'accepted' ? { json: opened.json, accepted: opened } : undefined
  }

  /**
   * Saves a new session in the place of that of the request, under an id that parallel requests know, too: the first of them
   * saves it. All of them can `adopt` it then. Until then, no reply tells the id.
   */
  async begin(state: SessionState, beginning: Beginning): Promise<void> {
    const { persisted, request } = state
    const { id, ownerId, permanent = this.#settings.permanent, timeouts, data, kept } = beginning
    assertStorable(kept)
    this.schema?.assert(kept)
    const now = this.#now()
    const extensions = withTimeoutsOf(state.extensionsOfNext(hasTheirs(kept)), timeouts)
    const facts = { id, ownerId, permanent, createdAt: now, lastSeenAt: now, extensions }
    const record = { ...facts, json: toJson({ ...kept, ...data }) }
    try {
      await attempt(state, async () => {
        const result = persisted && (await this.#transport.replace(record, persisted, request, true))
        if (result === 'saved') return
        // The login does not depend on what the browser had before. If that has ended, nothing of it goes on.
        const json = result === undefined ? record.json : toJson(data)
        await this.#transport.create({ ...record, json }, request, true)
      })
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
    }
  }

  /**
   * Goes on in the session with this id, and sends its cookie. What the request itself has changed so far comes along, as far as
   * `mayStay` accepts the keys. Returns false if there is no such session.
   */
  async adopt(
    state: SessionState,
    session: object,
    id: string,
    mayStay: (key: string) => boolean,
    isReserved: IsReserved
  ): Promise<boolean> {
    const { set, unset } = diffMembers(state.migratedJson ?? state.persisted?.json ?? '{}', toJson(session))
    const record = await this.#latestOf(state, { ...recordWith(state, '{}'), id })
    if (typeof record === 'string') {
      // Its new cookie is on the way to the browser.
      if (record === 'renamed') this.#over(state, session, record, this.#now())
      return false
    }
    const present = this.#presentOf(record)
    if (present === undefined) return false
    const own = {
      set: Object.fromEntries(Object.entries(set).filter(([key]) => mayStay(key))),
      unset: unset.filter(mayStay)
    }
    const data = parseChanged(present.json, own)
    state.adopted(record)
    if (present.accepted !== undefined) state.accept(present.accepted)
    replaceData(session, data, isReserved)
    await this.#sendCookie(state, this.#transport.seal(record))
    return true
  }

  /** Ends the session where the transport has it, and all else that would log this browser in again. */
  async destroy(state: SessionState): Promise<void> {
    // At once: the data of the session say which remembered login it belongs to, and they are gone when this returns.
    const leaving = this.#sessions.leave(state.request)
    state.destroy(leaving)
    await Promise.all([leaving, this.#delete(state, 'destroyed')])
  }

  async #delete(state: SessionState, reason: EndReason): Promise<void> {
    await this.#saves.run(state, () => attemptEnd(state, () => this.#saver.delete(state, reason)))
  }

  /** Puts the data into `session` as the transport has them now. Throws `ERR_SESSION_GONE`. */
  async reload(state: SessionState, session: object, isReserved: IsReserved): Promise<void> {
    const data = state.isDestroyed ? {} : await this.#latest(state)
    if (!replaceData(session, data, isReserved)) this.#trace.opened(state.request, 'reserved-key', state)
  }

  #latestOf(state: SessionState, persisted: IdentifiedRecord): ReturnType<Transport['latest']> {
    return attempt(state, () => this.#transport.latest(persisted))
  }

  async #latest(state: SessionState): Promise<Values> {
    if (state.openReason === 'store-unavailable') throw unavailableError(undefined)
    if (state.persisted === undefined) {
      state.reset()
      return {}
    }
    const latest = await this.#latestOf(state, state.persisted)
    const present = typeof latest === 'string' ? undefined : this.#presentOf(latest)
    if (typeof latest === 'string' || present === undefined) {
      state.reply.conclude('gone')
      throw goneError()
    }
    const data = parseStored(present.json)
    state.reloaded(latest)
    if (present.accepted !== undefined) state.accept(present.accepted)
    return data
  }

  /** Runs `change` on the latest data and puts what it changes into `sink`. Returns what `change` returns. */
  async update(state: SessionState, change: ChangeData, sink: DataSink): Promise<unknown> {
    if (state.isDestroyed) {
      throw new DestroyedError(
        'session.update() came after session.destroy(), which is final. Update first, or regenerate().'
      )
    }
    return this.#updater.update(state, change, sink)
  }

  size(state: SessionState, session: object): SessionSize {
    const json = toJson(session)
    return {
      bytes: this.#transport.measure(recordWith(state, json)),
      limit: this.#transport.limit,
      keys: measureKeys(json)
    }
  }

  /** Throws `ERR_SESSION_OPTION_INVALID` and `ERR_SESSION_COOKIE_RULE`. */
  setCookieAttributes(state: SessionState, given: Partial<CookieAttributes>): void {
    if (typeof given !== 'object' || given === null) {
      throw new InvalidValueError('session.options() takes an object with cookie attributes.')
    }
    const lifetime = LIFETIMES.find((name) => Object.hasOwn(given, name))
    if (lifetime !== undefined) {
      throw new InvalidOptionError(
        `session.options() does not take ${lifetime}: the cookie lives as long as the session. Set session.permanent to true for a cookie that outlives the browser, or to false for one that does not; how long it lives then follows from session.idleTimeout and session.absoluteTimeout, in seconds.`
      )
    }
    const known = Object.entries(given).filter(([name, value]) => ATTRIBUTE_NAMES.includes(name) && value !== undefined)
    const base = state.reply.attributes ?? this.#settings.cookie
    const attributes = { ...base, ...Object.fromEntries(known) }
    state.reply.setAttributes(resolveAttributes(this.#settings.cookieName, attributes))
  }
}
