import type { InspectOptions } from 'node:util'
import { inspect, isDeepStrictEqual } from 'node:util'
import type { OpenReason } from '../../types/diagnostics.ts'
import type { CookieAttributes } from '../../types/options.ts'
import type { SessionSize } from '../../types/session.ts'
import { assertStorable, toJson } from '../data/storable.ts'
import { DestroyedError, InvalidValueError, ReservedKeyError } from '../errors.ts'
import { assertOwnerId } from '../owners/owner-id.ts'

export type Values = Record<string, unknown>

/** Changes an object of data in place. */
export type ChangeData = (data: Values) => Promise<void>

/**
 * What a session object knows of its life, and what it asks for. The lifecycle keeps one for each request whose session was
 * looked at; a session knows no cookie, no key and no store. Times are seconds since 1970.
 */
export interface SessionLife {
  /** What may be shown of the id. */
  readonly handle: string
  /** What came of looking at the request's cookies. */
  readonly openReason: OpenReason
  readonly isNew: boolean
  createdAt: number
  /** When activity was last noted. */
  readonly lastSeenAt: number
  permanent: boolean
  readonly ownerId: string | undefined
  /** Whether other requests can change the same data meanwhile. */
  readonly isShared: boolean
  /** `destroyed` is final. */
  status: 'alive' | 'destroyed'
  /** Whether the request counts as activity whatever the settings say. */
  touched: boolean
  /** Forgets that there was a session: new id, new age, no owner, default permanence. */
  restart(): void
  renew(): void
  /** Ends the session where it is kept. */
  end(): Promise<void>
  setOwner(ownerId: string | undefined): void
  expiresAt(): number
  commit(): Promise<void>
  /** The data as they are kept now: by nobody else's doing, what was opened or last committed. */
  reload(): Promise<Values>
  /** Changes the data where they are kept, as one step on the latest of them. Gives what they are then. */
  amend(change: ChangeData): Promise<Values>
  size(): SessionSize
  setCookieAttributes(attributes: Partial<CookieAttributes>): void
}

/**
 * The object behind `request.session`. Data are its own enumerable properties, everything else lives on the prototype, where
 * assignment is refused; `Session` in `types/session.ts` is the type that users see and documents every method.
 */
export class RequestSession {
  readonly #life: SessionLife
  /** The update that waits for its function: others come after it. */
  #update: Promise<void> | undefined

  constructor(life: SessionLife, values?: Values) {
    this.#life = life
    if (values !== undefined) fill(this, values)
  }

  /** Not a member, because members are names that data cannot have. */
  static openReasonOf(session: RequestSession): OpenReason {
    return session.#life.openReason
  }

  /** In seconds since 1970. No member for the same reason. */
  static lastSeenOf(session: RequestSession): number {
    return session.#life.lastSeenAt
  }

  /** No member for the same reason. */
  static isDestroyed(session: RequestSession): boolean {
    return session.#life.status === 'destroyed'
  }

  get id(): string {
    return this.#life.handle
  }

  get isNew(): boolean {
    return this.#life.isNew
  }

  get createdAt(): Date {
    return new Date(this.#life.createdAt * 1000)
  }

  get expiresAt(): Date {
    return new Date(this.#life.expiresAt() * 1000)
  }

  get ownerId(): string | undefined {
    return this.#life.ownerId
  }

  get permanent(): boolean {
    return this.#life.permanent
  }

  set permanent(permanent: boolean) {
    if (typeof permanent !== 'boolean') throw new InvalidValueError('session.permanent must be true or false.')
    this.#life.permanent = permanent
  }

  get(key: string, fallback?: unknown): unknown {
    return this.has(key) ? values(this)[key] : fallback
  }

  set(key: string, value: unknown): void {
    assertKey(key, 'set')
    if (isReserved(key)) refuseKey(key)
    if (value === undefined) {
      delete values(this)[key]
      return
    }
    assertStorable({ [key]: value })
    values(this)[key] = value
  }

  has(key: string): boolean {
    assertKey(key, 'has')
    return Object.hasOwn(this, key) && values(this)[key] !== undefined
  }

  pop(key: string, fallback?: unknown): unknown {
    const value = this.get(key, fallback)
    this.delete(key)
    return value
  }

  setDefault(key: string, value: unknown): unknown {
    if (!this.has(key)) this.set(key, value)
    return values(this)[key]
  }

  delete(key: string): boolean {
    assertKey(key, 'delete')
    const existed = this.has(key)
    if (Object.hasOwn(this, key)) delete values(this)[key]
    return existed
  }

  clear(): void {
    empty(this)
    this.#life.setOwner(undefined)
  }

  data(): Values {
    return { ...values(this) }
  }

  async renew(): Promise<void> {
    this.#life.renew()
  }

  async regenerate(keepKeys: readonly string[] = []): Promise<void> {
    if (!Array.isArray(keepKeys))
      throw new InvalidValueError('session.regenerate() takes an array of the keys to keep.')
    for (const key of Object.keys(this)) {
      if (!keepKeys.includes(key)) delete values(this)[key]
    }
    this.#life.restart()
  }

  async destroy(): Promise<void> {
    this.#life.status = 'destroyed'
    empty(this)
    await this.#life.end()
  }

  touch(): void {
    this.#life.touched = true
  }

  async reload(): Promise<void> {
    replace(this, await this.#life.reload())
  }

  commit(): Promise<void> {
    return this.#life.commit()
  }

  options(attributes: Partial<CookieAttributes>): void {
    this.#life.setCookieAttributes(attributes)
  }

  size(): SessionSize {
    return this.#life.size()
  }

  setOwner(ownerId: string): void {
    assertOwnerId(ownerId, 'session.setOwner()')
    this.#life.setOwner(ownerId)
  }

  async update(change: (data: Values) => unknown): Promise<unknown> {
    if (this.#life.status === 'destroyed') {
      throw new DestroyedError(
        'session.update() came after session.destroy(), which is final. Update first, or regenerate().'
      )
    }
    while (this.#update !== undefined) await this.#update
    const before: Values = JSON.parse(toJson(this))
    if (this.#life.isShared) return this.#hold(this.#amend(before, change))
    const draft: Values = structuredClone(before)
    const result = change(draft)
    if (!(result instanceof Promise)) {
      this.#apply(before, draft)
      return result
    }
    return this.#hold(
      result.then((value) => {
        this.#apply(before, draft)
        return value
      })
    )
  }

  /** Lets the next update wait for this one. */
  #hold<T>(update: Promise<T>): Promise<T> {
    const release = (): void => {
      this.#update = undefined
    }
    this.#update = update.then(release, release)
    return update
  }

  async #amend(before: Values, change: (data: Values) => unknown): Promise<unknown> {
    let result: unknown
    const after = await this.#life.amend(async (data) => {
      result = await change(data)
      assertData(data)
    })
    this.#apply(before, after)
    return result
  }

  /** Sets what a draft has changed, after all of it was found good. */
  #apply(before: Values, draft: Values): void {
    assertData(draft)
    for (const key of Object.keys({ ...before, ...draft })) {
      if (!isDeepStrictEqual(before[key], draft[key])) this.set(key, draft[key])
    }
  }
}

/** Refuses what a session cannot hold: names that are taken, and values that JSON cannot carry. */
export function assertData(data: Values): void {
  const reserved = Object.keys(data).find(isReserved)
  if (reserved !== undefined) refuseKey(reserved)
  assertStorable(data)
}

/** The data that are in a session, as an object that may have members of any name. */
function values(session: RequestSession): Values {
  return session as unknown as Values
}

/** Takes over what was stored. A key that has become the name of a method since then is left behind, not an error. */
function fill(session: RequestSession, stored: Values): void {
  try {
    Object.assign(session, stored)
  } catch {
    for (const key of Object.keys(stored)) {
      if (!isReserved(key)) values(session)[key] = stored[key]
    }
  }
}

function empty(session: RequestSession): void {
  // Not `delete`, which throws for what somebody has frozen: a session must end all the same.
  for (const key of Object.keys(session)) Reflect.deleteProperty(session, key)
}

function replace(session: RequestSession, stored: Values): void {
  empty(session)
  fill(session, stored)
}

function assertKey(key: unknown, method: string): void {
  if (typeof key === 'string') return
  const hint = method === 'delete' && key === undefined ? ' To end the session, call session.destroy().' : ''
  throw new InvalidValueError(`session.${method}() takes a key, which is a string; it got ${describe(key)}.${hint}`)
}

/** What it is, not what is in it: messages reach clients. */
function describe(value: unknown): string {
  return value === null || value === undefined ? String(value) : `a ${typeof value}`
}

export function isReserved(key: string): boolean {
  return key in RequestSession.prototype
}

function refuseKey(key: string): never {
  throw new ReservedKeyError(
    `session.${key} cannot hold data: it is a method or property that every session has. Choose another key.`
  )
}

/**
 * Makes every inherited name refuse assignment: our own, and those of `Object.prototype`, among which `__proto__` would
 * replace the prototype.
 */
function protect(prototype: object): void {
  const inherited = Object.getOwnPropertyDescriptors(Object.prototype)
  const own = Object.getOwnPropertyDescriptors(prototype)
  for (const [name, descriptor] of Object.entries({ ...inherited, ...own })) {
    const { value, get } = descriptor
    const set = descriptor.set !== undefined && Object.hasOwn(own, name) ? descriptor.set : () => refuseKey(name)
    Object.defineProperty(prototype, name, { get: get ?? (() => value), set, enumerable: false, configurable: false })
  }
}

protect(RequestSession.prototype)

// What `console.log(request.session)` shows.
Object.defineProperty(RequestSession.prototype, inspect.custom, {
  value(this: RequestSession, _depth: number, options: InspectOptions): string {
    return `Session ${inspect(this.data(), options)}`
  }
})
