import type { EndReason } from '../../types/endings.ts'
import type { CookieAttributes } from '../../types/options.ts'
import type { DeviceBinding, RegenerateOptions, SessionSize } from '../../types/session.ts'
import type { MaybePromise } from '../../types/store.ts'
import { assertStorable } from '../data/storable.ts'
import { InvalidValueError } from '../errors.ts'
import { assertOwnerId } from '../owners/owner-id.ts'
import type { ChangeData } from '../transport/transport.ts'
import { assertKnown, isBoolean, readOption } from '../util/check.ts'
import { deviceBindingOf } from './device-binding.ts'
import type { SessionActions } from './session-actions.ts'
import type { Values } from './session-data.ts'
import { assertKey, emptyData, keepData } from './session-data.ts'
import { protectMembers, refuseKey } from './session-members.ts'
import type { SessionState } from './state.ts'

/**
 * The object behind `request.session`. Data are its own enumerable properties. Everything else lives on the prototype, where
 * assignment is refused. `Session` in `types/session.ts` is the type that users see; it documents every member.
 */
export class RequestSession {
  readonly #state: SessionState
  readonly #actions: SessionActions

  constructor(state: SessionState, actions: SessionActions) {
    this.#state = state
    this.#actions = actions
  }

  /** Static, because members are names that data cannot have. */
  static stateOf(session: RequestSession): SessionState {
    return session.#state
  }

  static actionsOf(session: RequestSession): SessionActions {
    return session.#actions
  }

  /** Ends a session, as `destroy()` does, but this request can begin another one. */
  static async end(session: RequestSession, reason: EndReason): Promise<void> {
    emptyData(session)
    await session.#actions.end(session.#state, reason)
  }

  /** Compares a session with what is true now: see `SessionActions`. */
  static verify(session: RequestSession, freshness?: number): MaybePromise<void> {
    return session.#actions.verify(session.#state, session, isReserved, freshness)
  }

  static isSession(value: unknown): value is RequestSession {
    return typeof value === 'object' && value !== null && #state in value
  }

  get id(): string {
    return this.#state.handle
  }

  get isNew(): boolean {
    return this.#state.isNew
  }

  get createdAt(): Date {
    return new Date(this.#state.createdAt * 1000)
  }

  get expiresAt(): Date {
    return new Date(this.#actions.expiresAt(this.#state) * 1000)
  }

  get ownerId(): string | undefined {
    return this.#state.ownerId
  }

  get device(): DeviceBinding | undefined {
    return deviceBindingOf(this.#state)
  }

  get signal(): AbortSignal {
    return this.#actions.signals.of(this.#state)
  }

  get permanent(): boolean {
    return this.#state.permanent
  }

  set permanent(permanent: boolean) {
    if (typeof permanent !== 'boolean') throw new InvalidValueError('session.permanent must be true or false.')
    this.#state.setPermanent(permanent)
  }

  get idleTimeout(): number {
    return this.#actions.timeoutsOf(this.#state).idleTimeout
  }

  set idleTimeout(seconds: number | undefined) {
    this.#actions.setTimeout(this.#state, 'idleTimeout', seconds)
  }

  get absoluteTimeout(): number {
    return this.#actions.timeoutsOf(this.#state).absoluteTimeout
  }

  set absoluteTimeout(seconds: number | undefined) {
    this.#actions.setTimeout(this.#state, 'absoluteTimeout', seconds)
  }

  get(key: string, fallback?: unknown): unknown {
    return this.has(key) ? valuesOf(this)[key] : fallback
  }

  set(key: string, value: unknown): void {
    assertKey(key, 'set')
    if (isReserved(key)) refuseKey(key)
    if (value !== undefined) {
      assertStorable({ [key]: value })
      this.#actions.schema?.assertMember(key, value, this)
    }
    this.#put(key, value)
  }

  #put(key: string, value: unknown): void {
    if (value === undefined) delete valuesOf(this)[key]
    else valuesOf(this)[key] = value
  }

  has(key: string): boolean {
    assertKey(key, 'has')
    return Object.hasOwn(this, key) && valuesOf(this)[key] !== undefined
  }

  pop(key: string, fallback?: unknown): unknown {
    const value = this.get(key, fallback)
    this.delete(key)
    return value
  }

  setDefault(key: string, value: unknown): unknown {
    if (!this.has(key)) this.set(key, value)
    return valuesOf(this)[key]
  }

  delete(key: string): boolean {
    assertKey(key, 'delete')
    const existed = this.has(key)
    if (Object.hasOwn(this, key)) delete valuesOf(this)[key]
    return existed
  }

  clear(): void {
    emptyData(this)
    this.#state.setOwner(undefined)
  }

  data(): Values {
    return { ...valuesOf(this) }
  }

  async renew(): Promise<void> {
    this.#state.renew()
  }

  async regenerate(keepKeys: readonly string[] = [], options: RegenerateOptions = {}): Promise<void> {
    assertKnown(options, ['keepOwner'], 'session.regenerate()')
    const keepOwner = readOption(options.keepOwner, false, 'keepOwner', 'true or false', isBoolean)
    await this.#actions.regenerate(this.#state, this, keepData(this, keepKeys), keepOwner)
  }

  async destroy(): Promise<void> {
    const destroyed = this.#actions.destroy(this.#state)
    emptyData(this)
    await destroyed
  }

  touch(): void {
    this.#state.touch()
  }

  async reload(): Promise<void> {
    await this.#actions.reload(this.#state, this, isReserved)
  }

  commit(): Promise<void> {
    return this.#actions.commit(this.#state)
  }

  options(attributes: Partial<CookieAttributes>): void {
    this.#actions.setCookieAttributes(this.#state, attributes)
  }

  size(): SessionSize {
    return this.#actions.size(this.#state, this)
  }

  setOwner(ownerId: string): void {
    assertOwnerId(ownerId, 'session.setOwner()')
    this.#state.setOwner(ownerId)
  }

  bindToDevice(): boolean {
    return this.#state.bindToDevice()
  }

  async update(change: ChangeData): Promise<unknown> {
    return this.#actions.update(this.#state, change, {
      session: this,
      assertData: (data) => {
        assertData(data)
        this.#actions.schema?.assert(data)
      },
      set: (key, value) => this.#put(key, value)
    })
  }
}

/** Whether data cannot have this key, because it is the name of a member. */
export function isReserved(key: string): boolean {
  return key in RequestSession.prototype
}

/** Refuses what a session cannot hold: keys that are names of members, and values that JSON cannot hold. */
export function assertData(data: Values): void {
  const reserved = Object.keys(data).find(isReserved)
  if (reserved !== undefined) refuseKey(reserved)
  assertStorable(data)
}

/** The data of a session, as an object that may have members of any name. */
function valuesOf(session: RequestSession): Values {
  return session as unknown as Values
}

protectMembers(RequestSession.prototype, RequestSession.isSession)
