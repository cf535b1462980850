import type { CookieAttributes } from './options.ts'

/**
 * The shape of your session. It is empty until you add to it, once, anywhere in your program:
 *
 * ```ts
 * import type {} from 'fastify-typed-session'
 *
 * declare module 'fastify-typed-session' {
 *   interface SessionData {
 *     userId: number
 *     visits: number
 *     cart: Record<string, number>
 *     role: 'admin' | 'editor'
 *   }
 * }
 * ```
 *
 * Write each member as it is when it is there: reading gives `T | undefined`, because a visitor who has just arrived has
 * none of them. Everything must fit into JSON; what does not, such as a `Date`, reads as `NotStorable`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: it is there to be merged into
export interface SessionData {}

declare const reason: unique symbol

/** Stands in for what JSON cannot carry in a member of `SessionData`. Nothing can be assigned to it. */
export interface NotStorable<Reason extends string> {
  readonly [reason]: Reason
}

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

type Checked<T> = 0 extends 1 & T
  ? unknown
  : T extends string | number | boolean | null | undefined
    ? T
    : T extends Date
      ? NotStorable<'JSON has no dates: declare a string and store date.toISOString()'>
      : T extends ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>
        ? NotStorable<'JSON has no maps and sets: declare an object or an array'>
        : T extends ArrayBufferView | ArrayBuffer
          ? NotStorable<'JSON has no bytes: declare a string and store it as base64'>
          : T extends bigint
            ? NotStorable<'JSON has no bigints: declare a string'>
            : T extends symbol
              ? NotStorable<'JSON has no symbols: declare a string'>
              : // biome-ignore lint/complexity/noBannedTypes: every function is meant
                T extends Function
                ? NotStorable<'JSON has no functions, and so no instances of classes with methods: declare a plain object'>
                : T extends readonly unknown[]
                  ? CheckedList<T>
                  : T extends object
                    ? { [Key in keyof T]: Checked<T[Key]> }
                    : T

// Arrays one by one, because TypeScript puts off `Checked<Item>[]`, so that types that contain themselves come to an end.
type CheckedList<T extends readonly unknown[]> = T[number][] extends T
  ? T extends unknown[]
    ? Checked<T[number]>[]
    : readonly Checked<T[number]>[]
  : { [Key in keyof T]: Checked<T[Key]> }

/**
 * `T` as JSON carries it: what it cannot carry is replaced, wherever it is inside, by a `NotStorable` that says why, and
 * `any` by `unknown`. A `T` without either stays itself, name included.
 */
export type Storable<T> = Same<T, Checked<T>> extends true ? T : Checked<T>

/** Names that no data can have: those of a session, and those that every object has. */
type Reserved = keyof SessionMethods | keyof typeof Object.prototype | '__proto__' | symbol

/** The data of a session as properties: each may be missing. */
export type SessionValues<Data = SessionData> = {
  [Key in keyof Data as Exclude<Key, Reserved>]?: Storable<Data[Key]> | undefined
}

type KeyOf<Data> = Extract<keyof SessionValues<Data>, string>
type ValueOf<Data, Key extends KeyOf<Data>> = Exclude<SessionValues<Data>[Key], undefined>

/** How large a session is, in bytes. */
export interface SessionSize {
  /** Name and value of the cookie that would be sent now, which count against the limit. With a store: the data as JSON. */
  readonly bytes: number
  /** The most that is sent: 4096 (RFC 6265bis, section 5.6). With a store: `Infinity`. */
  readonly limit: number
  /** The bytes of each key with its value, as JSON, before they are encoded. */
  readonly keys: Readonly<Record<string, number>>
}

/**
 * Everything about a session that is not data. Data cannot overwrite it. A class for the compiler alone: it then knows that a
 * copy by `{ ...session }` has the data and no methods.
 */
export declare abstract class SessionMethods<Data = SessionData> {
  /**
   * An opaque handle, safe to log and to show: it opens nothing. It changes with `renew`, with `regenerate` and with the owner.
   */
  get id(): string

  /** Whether the request came without a session that could be opened. It stays so until the end of the request. */
  get isNew(): boolean

  /** When the session began. `renew` does not change it, `regenerate` does. */
  get createdAt(): Date

  /** When the session ends if nothing more happens: the nearer of the idle and the absolute timeout. */
  get expiresAt(): Date

  /** The owner that was given to `setOwner`. */
  get ownerId(): string | undefined

  /**
   * Whether the cookie outlives the browser. Kept in the session; starts as the option `permanent`. Anything but a
   * boolean throws `ERR_SESSION_VALUE`.
   */
  get permanent(): boolean
  set permanent(outlives: boolean)

  /** The value of a key; `fallback`, or undefined, where there is none. */
  get<Key extends KeyOf<Data>>(key: Key): ValueOf<Data, Key> | undefined
  get<Key extends KeyOf<Data>>(key: Key, fallback: ValueOf<Data, Key>): ValueOf<Data, Key>
  get<Key extends KeyOf<Data>, Fallback>(key: Key, fallback: Fallback): ValueOf<Data, Key> | Fallback

  /**
   * Sets a key, at once checked: `ERR_SESSION_VALUE` for what JSON cannot hold, `ERR_SESSION_RESERVED_KEY` for the name
   * of a method. `undefined` removes the key.
   */
  set<Key extends KeyOf<Data>>(key: Key, value: SessionValues<Data>[Key]): void

  /** Whether a key has a value. */
  has(key: KeyOf<Data>): boolean

  /** Removes a key and gives its value; `fallback`, or undefined, where there is none. */
  pop<Key extends KeyOf<Data>>(key: Key): ValueOf<Data, Key> | undefined
  pop<Key extends KeyOf<Data>>(key: Key, fallback: ValueOf<Data, Key>): ValueOf<Data, Key>
  pop<Key extends KeyOf<Data>, Fallback>(key: Key, fallback: Fallback): ValueOf<Data, Key> | Fallback

  /** The value of a key, which gets `value` if it has none. */
  setDefault<Key extends KeyOf<Data>>(key: Key, value: ValueOf<Data, Key>): ValueOf<Data, Key>

  /** Removes a key. Whether it was there. To end the session, call `destroy`. */
  delete(key: KeyOf<Data>): boolean

  /** Removes all data and the owner, as Flask's `session.clear()`. A session that stays empty ends: its cookie is cleared. */
  clear(): void

  /** A plain object with the same members; nested objects are shared. */
  data(): SessionValues<Data>

  /**
   * Gives the session a new id and keeps its data. Call it at every change of privilege (login, becoming an administrator,
   * a confirmed password), so that an id known to someone else before is worth nothing after: session fixation, OWASP
   * ASVS 7.2.4.
   *
   * @example
   * ```ts
   * await request.session.renew()
   * request.session.userId = 7
   * ```
   */
  renew(): Promise<void>

  /**
   * Starts a new session with only `keepKeys` of the old one: new id, new age, no owner. For a login that must not inherit
   * what an anonymous visitor left behind.
   *
   * @example
   * ```ts
   * await request.session.regenerate(['cart'])
   * ```
   */
  regenerate(keepKeys?: readonly KeyOf<Data>[]): Promise<void>

  /**
   * Ends the session, with a store at once, and clears its cookie with the reply. It is final: what is written to it later in
   * the request is not kept, and a warning in the log says so. With a store it rejects with `ERR_SESSION_STORE_UNAVAILABLE`
   * when that does not answer.
   */
  destroy(): Promise<void>

  /** Counts this request as activity even where `refreshAfter` or `touch: false` would not. */
  touch(): void

  /**
   * Forgets what this request changed. With a store it also gets what others have changed since, and throws
   * `ERR_SESSION_GONE` when the session has been ended.
   */
  reload(): Promise<void>

  /**
   * Sends the session now instead of at the end of the request: before you write to `reply.raw`, hijack the reply or start
   * a stream that goes on changing it. After the headers are gone, what needs a cookie is lost, with a warning
   * (`headers-sent`); with a store, data are kept all the same, on an open WebSocket for example.
   * Throws `ERR_SESSION_TOO_LARGE` and `ERR_SESSION_VALUE`, which otherwise answer the request, and `ERR_SESSION_DISABLED`
   * on a route with `config: { session: false }`; with a store also `ERR_SESSION_STORE_UNAVAILABLE`, `ERR_SESSION_LIMIT`,
   * `ERR_SESSION_CONFLICT` when others changed it all the time while it was to get a new id, and `ERR_SESSION_GONE` when somebody has ended the session in the meantime.
   *
   * @example
   * ```ts
   * request.session.visits = 1
   * await request.session.commit()
   * reply.hijack()
   * reply.raw.end('hello')
   * ```
   */
  commit(): Promise<void>

  /**
   * Changes attributes of the cookie that this reply sends, if it sends one. Names that are not cookie attributes are
   * ignored (`@fastify/csrf-protection` passes some). A wrong value throws `ERR_SESSION_OPTION_INVALID`, a combination that
   * no browser accepts `ERR_SESSION_COOKIE_RULE`.
   */
  options(attributes: Partial<CookieAttributes>): void

  /** How large the session is now. */
  size(): SessionSize

  /**
   * Says whose session this is, so that it can be listed and ended (`app.sessions`). Another owner than before is a change of
   * privilege: the session gets a new id, as by `renew`. A non-empty string of at most 255 characters, or `ERR_SESSION_VALUE`.
   */
  setOwner(ownerId: string): void

  /**
   * Changes the data as one step: nothing is kept if `change` throws. With a store it runs on the latest data, and again if
   * another request was faster, so it must have no other effect; it is kept when the promise resolves, whatever becomes of
   * the reply (but for a session that is new on this request, and is kept with its reply as a whole). Gives what `change` gives. After `destroy` it throws `ERR_SESSION_DESTROYED`; with a store `ERR_SESSION_GONE`
   * when somebody has ended the session, and `ERR_SESSION_CONFLICT` when others were faster too many times.
   *
   * @example
   * ```ts
   * const visits = await request.session.update((data) => {
   *   data.visits = (data.visits ?? 0) + 1
   *   return data.visits
   * })
   * ```
   */
  update<Result>(change: (data: SessionValues<Data>) => Result): Promise<Awaited<Result>>
}

/** What `request.session` is: your data as properties, and methods that data cannot overwrite. */
export type Session<Data = SessionData> = SessionValues<Data> & SessionMethods<Data>
