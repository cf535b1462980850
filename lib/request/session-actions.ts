import type { CookieAttributes } from '../../types/options.ts'
import type { SessionSize } from '../../types/session.ts'
import { ATTRIBUTE_NAMES, resolveAttributes } from '../cookie/attributes.ts'
import { measureKeys, parseStored, toJson } from '../data/storable.ts'
import type { Trace } from '../diagnostics/trace.ts'
import { goneError, InvalidValueError, unavailableError } from '../errors.ts'
import type { Settings } from '../options.ts'
import { expiresAt } from '../transport/expiry.ts'
import type { ChangeData, Transport } from '../transport/transport.ts'
import { recordWith } from './changes.ts'
import type { SessionSaver } from './save.ts'
import type { DataSink, Values } from './session-data.ts'
import { replaceData } from './session-data.ts'
import type { SessionState } from './state.ts'
import type { Commit } from './update.ts'
import { SessionUpdater } from './update.ts'

/** What a session can do in which the transport, the clock or the reply takes part. */
export class SessionActions {
  /** Saves what the request has changed so far. */
  readonly commit: Commit
  readonly #settings: Settings
  readonly #transport: Transport
  readonly #saver: SessionSaver
  readonly #trace: Trace
  readonly #updater: SessionUpdater
  readonly #now: () => number

  /** `now`: seconds since 1970. */
  constructor(
    settings: Settings,
    transport: Transport,
    saver: SessionSaver,
    commit: Commit,
    trace: Trace,
    now: () => number
  ) {
    this.#trace = trace
    this.commit = commit
    this.#settings = settings
    this.#transport = transport
    this.#saver = saver
    this.#updater = new SessionUpdater(transport, commit)
    this.#now = now
  }

  /** Seconds since 1970. */
  expiresAt(state: SessionState): number {
    return expiresAt(state, this.#settings)
  }

  regenerate(state: SessionState): void {
    state.regenerate(this.#now())
  }

  /** Ends the session where the transport has it. */
  async destroy(state: SessionState): Promise<void> {
    await this.#saver.delete(state)
  }

  /** Puts the data into `session` as the transport has them now. Throws `ERR_SESSION_GONE`. */
  async reload(state: SessionState, session: object, isReserved: (key: string) => boolean): Promise<void> {
    const data = state.isDestroyed ? {} : await this.#latest(state)
    if (!replaceData(session, data, isReserved)) this.#trace.opened(state.request, 'reserved-key', state)
  }

  async #latest(state: SessionState): Promise<Values> {
    if (state.openReason === 'store-unavailable') throw unavailableError(undefined)
    if (state.persisted === undefined) {
      state.reset()
      return {}
    }
    const latest = await this.#transport.latest(state.persisted)
    if (latest === undefined) {
      state.reply.conclude('gone')
      throw goneError()
    }
    const data = parseStored(latest.json)
    state.reloaded(latest)
    return data
  }

  /** Runs `change` on the latest data and puts what it changes into `sink`. Returns what `change` returns. */
  update(state: SessionState, change: ChangeData, sink: DataSink): Promise<unknown> {
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
    const known = Object.entries(given).filter(([name, value]) => ATTRIBUTE_NAMES.includes(name) && value !== undefined)
    const base = state.reply.attributes ?? this.#settings.cookie
    const attributes = { ...base, ...Object.fromEntries(known) }
    state.reply.setAttributes(resolveAttributes(this.#settings.cookieName, attributes))
  }
}
