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
 * Write each member as it is when it has a value. Reading returns `T | undefined`, because the session of a new visitor is
 * empty. A member that JSON cannot hold, such as a `Date`, reads as `NotStorable`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: it is there to be merged into
export interface SessionData {}

declare const reason: unique symbol

/**
 * The type of a member of `SessionData` that JSON cannot hold. `Reason` says what to declare instead. No value can be assigned
 * to it, so that the mistake shows where the member is used.
 */
export interface NotStorable<Reason extends string> {
  /** Why JSON cannot hold the member. It exists for the compiler only. */
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
                ? NotStorable<'JSON has no functions and no instances of classes with methods: declare a plain object'>
                : T extends readonly unknown[]
                  ? CheckedList<T>
                  : T extends object
                    ? { [Key in keyof T]: Checked<T[Key]> }
                    : T

// Not by a mapped type: TypeScript evaluates `Checked<Item>[]` late, so that the check of a type that contains itself ends.
type CheckedList<T extends readonly unknown[]> = T[number][] extends T
  ? T extends unknown[]
    ? Checked<T[number]>[]
    : readonly Checked<T[number]>[]
  : { [Key in keyof T]: Checked<T[Key]> }

/**
 * `T` as JSON holds it. At every depth, a type that JSON cannot hold becomes a `NotStorable` that says why, and `any` becomes
 * `unknown`. A `T` without either keeps its name.
 */
export type Storable<T> = Same<T, Checked<T>> extends true ? T : Checked<T>

/** The names that data cannot have: members of a session, and members of every object. */
type Reserved = keyof SessionMethods | keyof typeof Object.prototype | '__proto__' | symbol

/** The data of a session as properties. Each can be missing. `session.data()` returns them. */
export type SessionValues<Data = SessionData> = {
  [Key in keyof Data as Exclude<Key, Reserved>]?: Storable<Data[Key]> | undefined
}

type KeyOf<Data> = Extract<keyof SessionValues<Data>, string>
type ValueOf<Data, Key extends KeyOf<Data>> = Exclude<SessionValues<Data>[Key], undefined>

/** A member that has a value. One of them for each of several names: it is not known which of them was meant. */
type Having<Data, Key extends KeyOf<Data>> = Key extends unknown ? { [Name in Key]: ValueOf<Data, Name> } : never

/** The options of `session.regenerate()`. */
export interface RegenerateOptions {
  /**
   * Whether the new session has the owner of the old one. Default `false`.
   *
   * @example
   * ```ts
   * await request.session.regenerate(['userId'], { keepOwner: true })
   * ```
   */
  readonly keepOwner?: boolean | undefined
}

/** The size of a session in bytes: what `session.size()` returns. */
export interface SessionSize {
  /** The bytes of name and value of the cookie, which count against the limit. With a store: the bytes of the data as JSON. */
  readonly bytes: number
  /** The most bytes that can be saved: 4096 (RFC 6265bis, section 5.6; OWASP ASVS 3.3.5). With a store: the option `maxBytes`. */
  readonly limit: number
  /** The bytes of each key with its value as JSON, before the cookie is encoded. */
  readonly keys: Readonly<Record<string, number>>
}

/** The device to which a session is bound: what `session.device` returns. */
export interface DeviceBinding {
  /** When the browser registered its key. */
  readonly boundAt: Date
  /**
   * When the browser last proved that it still has the key. Undefined if this request came without a proof, on a route with
   * `config: { session: { device: 'optional' } }`, or as the option `onSkipped` allows.
   */
  readonly lastProofAt: Date | undefined
}

/**
 * The members of a session that are not data. Data cannot have their names. It is a class for the compiler only, which then
 * knows that a copy by `{ ...session }` has the data and no methods.
 *
 * @example
 * ```ts
 * import type { SessionMethods } from 'fastify-typed-session'
 *
 * async function logout(session: Pick<SessionMethods, 'destroy' | 'id'>): Promise<string> {
 *   await session.destroy()
 *   return session.id
 * }
 * ```
 */
export declare abstract class SessionMethods<Data = SessionData> {
  /**
   * The handle of the session. It opens nothing, so that it is safe to log and to show. It changes with `renew()`, with
   * `regenerate()` and with a change of owner. With a store or `revocations` `app.sessions.revoke()` takes it.
   *
   * @example
   * ```ts
   * request.log.info({ session: request.session.id }, 'order placed')
   * ```
   */
  get id(): string

  /**
   * Whether the request came without a valid session. It stays the same until the end of the request, unless
   * `regenerate()` begins a new session.
   *
   * @example
   * ```ts
   * app.get('/', async ({ session }) => (session.isNew ? 'Welcome!' : 'Welcome back!'))
   * ```
   */
  get isNew(): boolean

  /**
   * When the session began, exact to the second. `renew()` does not change it, `regenerate()` does.
   *
   * @example
   * ```ts
   * const ageInSeconds = (Date.now() - request.session.createdAt.getTime()) / 1000
   * ```
   */
  get createdAt(): Date

  /**
   * When the session ends without further activity: at the idle or the absolute timeout, whichever comes first. The current
   * request counts as activity only when its reply is sent.
   *
   * @example
   * ```ts
   * const secondsLeft = (request.session.expiresAt.getTime() - Date.now()) / 1000
   * ```
   */
  get expiresAt(): Date

  /**
   * The owner that `setOwner()` set, or undefined.
   *
   * @example
   * ```ts
   * app.get('/', async ({ session }) => session.ownerId ?? 'nobody')
   * ```
   */
  get ownerId(): string | undefined

  /**
   * The device to which the session is bound, or undefined. Only `fastify-typed-session/device-bound` binds sessions (Device Bound
   * Session Credentials).
   *
   * @example
   * ```ts
   * app.get('/security', async ({ session }) => (session.device === undefined ? 'not bound' : 'bound to this device'))
   * ```
   */
  get device(): DeviceBinding | undefined

  /**
   * A signal that aborts when the session ends while this request, its WebSocket or its event stream is open: by a logout, `destroy()`,
   * `app.sessions`, the limit of the owner, a login that takes its place, or because it expires. In this process that is at once; what another
   * process ends arrives by a message of Redis, PostgreSQL or the list `revocations`, and with other stores within
   * `signalInterval` seconds. A cookie mode without `revocations` knows only what this process ends.
   *
   * `signal.reason` is an error with the code `ERR_SESSION_ENDED` and the `reason`. If the session gets a new id and keeps its owner, the
   * signal stays with it. An open connection does not keep the session alive. Ask for it after a login of the same request. It costs nothing
   * until somebody asks for it. Throws `ERR_SESSION_DISABLED` in an `onRequest` hook that was added before the plugin was registered.
   *
   * @example
   * ```ts
   * import websocket from '@fastify/websocket'
   *
   * await app.register(websocket)
   * app.get('/chat', { websocket: true }, (socket, request) => {
   *   request.session.signal.addEventListener('abort', () => socket.close(4401, 'session ended'))
   * })
   * ```
   */
  get signal(): AbortSignal

  /**
   * Whether the cookie stays when the browser is closed. The session stores this. A new session has the value of the option
   * `permanent`. The cookie lives as long as the session: with the default options for one day after the last visit, because
   * `idleTimeout` ends the session then. Setting it to anything but a boolean throws `ERR_SESSION_VALUE`.
   *
   * @example
   * ```ts
   * request.session.permanent = true
   * ```
   */
  get permanent(): boolean
  set permanent(isPermanent: boolean)

  /**
   * Seconds without activity after which this session ends: its own, or the option `idleTimeout`. A session that sets it keeps it, also
   * with `renew()`; `regenerate()` begins with that of the options. If it is shorter than the option, activity is noted ten times as
   * often. Undefined takes it back.
   *
   * Setting it to anything but a whole number from 1 to the option `maxIdleTimeout` throws `ERR_SESSION_VALUE`, and so does any number in
   * the cookie of another framework (option `format`). If `maxIdleTimeout` is lowered later, that holds.
   *
   * @example
   * ```ts
   * app.post('/bank', async ({ session }) => {
   *   session.idleTimeout = 5 * 60
   * })
   * ```
   */
  get idleTimeout(): number
  set idleTimeout(seconds: number | undefined)

  /**
   * Seconds after which this session ends whatever happens, from `createdAt`: its own, or the option `absoluteTimeout`. The cap is the
   * option `maxAbsoluteTimeout`; for the rest, it is as `idleTimeout`. The session ends at the earlier of the two.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, maxIdleTimeout: 30 * 86_400 })
   * app.post<{ Body: { keep?: string } }>('/login', async ({ session, body }) => {
   *   await session.regenerate()
   *   session.userId = 7
   *   if (body.keep === 'on') {
   *     session.permanent = true // stays when the browser is closed …
   *     session.idleTimeout = 30 * 86_400 // … and for 30 days without a visit
   *     session.absoluteTimeout = 30 * 86_400
   *   }
   * })
   * ```
   */
  get absoluteTimeout(): number
  set absoluteTimeout(seconds: number | undefined)

  /**
   * Returns the value of a key, or undefined when it has none. Every method that takes a key throws `ERR_SESSION_VALUE` for a
   * key that is not a string.
   *
   * @example
   * ```ts
   * const { session } = request
   * session.visits = session.get('visits', 0) + 1
   * ```
   */
  get<Key extends KeyOf<Data>>(key: Key): ValueOf<Data, Key> | undefined
  /** Returns the value of a key, or `fallback` when it has none. */
  get<Key extends KeyOf<Data>>(key: Key, fallback: ValueOf<Data, Key>): ValueOf<Data, Key>
  /** Returns the value of a key, or `fallback`, which can be of another type, when it has none. */
  get<Key extends KeyOf<Data>, Fallback>(key: Key, fallback: Fallback): ValueOf<Data, Key> | Fallback

  /**
   * Sets the value of a key, as assignment does, and checks it at once: it throws `ERR_SESSION_VALUE` for a value that JSON
   * cannot hold, and `ERR_SESSION_RESERVED_KEY` for the name of a session member. `undefined` removes the key.
   *
   * @example
   * ```ts
   * request.session.set('cart', { tea: 2 })
   * ```
   */
  set<Key extends KeyOf<Data>>(key: Key, value: SessionValues<Data>[Key]): void

  /**
   * Returns whether a key has a value, of which the compiler then knows. Unlike `key in session` it does not find methods.
   *
   * @example
   * ```ts
   * const { session } = request
   * if (!session.has('cart')) throw new Error('The cart is empty.')
   * const items = Object.keys(session.cart)
   * ```
   */
  has<Key extends KeyOf<Data>>(key: Key): this is this & Having<Data, Key>

  /**
   * Removes a key and returns its value, or undefined when it had none. Use it for a value that is shown once.
   *
   * @example
   * ```ts
   * const cart = request.session.pop('cart', {})
   * ```
   */
  pop<Key extends KeyOf<Data>>(key: Key): ValueOf<Data, Key> | undefined
  /** Removes a key and returns its value, or `fallback` when it had none. */
  pop<Key extends KeyOf<Data>>(key: Key, fallback: ValueOf<Data, Key>): ValueOf<Data, Key>
  /** Removes a key and returns its value, or `fallback`, which can be of another type, when it had none. */
  pop<Key extends KeyOf<Data>, Fallback>(key: Key, fallback: Fallback): ValueOf<Data, Key> | Fallback

  /**
   * Returns the value of a key. A key without a value is first set to `value`, with the errors of `set()`.
   *
   * @example
   * ```ts
   * request.session.setDefault('cart', {})['item-17'] = 2
   * ```
   */
  setDefault<Key extends KeyOf<Data>>(key: Key, value: ValueOf<Data, Key>): ValueOf<Data, Key>

  /**
   * Removes a key, and returns whether it had a value. To end the session, call `destroy()`.
   *
   * @example
   * ```ts
   * const wasThere = request.session.delete('cart')
   * ```
   */
  delete(key: KeyOf<Data>): boolean

  /**
   * Removes all data and the owner, as `session.clear()` of Flask does. If the session stays empty, the reply clears its
   * cookie. At logout prefer `destroy()`, which is final.
   *
   * @example
   * ```ts
   * request.session.clear()
   * request.session.visits = 1
   * ```
   */
  clear(): void

  /**
   * Returns the data as a plain object. The copy is shallow: it shares nested objects with the session.
   *
   * @example
   * ```ts
   * app.get('/session', async ({ session }) => session.data())
   * ```
   */
  data(): SessionValues<Data>

  /**
   * Gives the session a new id and keeps its data, `permanent` and its timeouts. Call it at every change of privilege: a login, a confirmed password, a new
   * role. An id that somebody else knew before is then worth nothing (session fixation; OWASP ASVS 7.2.4).
   *
   * The new id goes out with the reply. With a store the old id then ends; when other requests change the session at every
   * attempt to move it, the request fails with `ERR_SESSION_CONFLICT` (409). With `revocations` the old cookie then opens nothing;
   * without either a copy of it opens until it expires.
   *
   * @example
   * ```ts
   * await request.session.renew()
   * request.session.userId = 7
   * ```
   */
  renew(): Promise<void>

  /**
   * Begins a new session with only `keepKeys` of the old one: new id, new age, `permanent` and timeouts as in the options. Call it at a login
   * that must not inherit the data of an anonymous visitor (session fixation; OWASP ASVS 7.2.4). Default: no key.
   *
   * The new session has no owner, unless `keepOwner` is true. Keep the owner, or call `setOwner()`, if you keep data that say who
   * the user is: `app.sessions` cannot list or end a session without an owner, and `maxPerOwner` does not count it.
   *
   * With a store the old session ends: when the promise resolves if nothing goes on in the new one, and when the new one is
   * saved otherwise. If another request has ended the old one in the meantime, the new one is not saved (`gone`), unless the
   * old one had no owner and nothing was kept. Rejects with `ERR_SESSION_VALUE` for `keepKeys` that are not an array, with
   * `ERR_SESSION_OPTION_UNKNOWN` or `ERR_SESSION_OPTION_INVALID` for wrong options, and with
   * `ERR_SESSION_STORE_UNAVAILABLE` if the store is not available.
   *
   * @example
   * ```ts
   * await request.session.regenerate(['cart'])
   * request.session.userId = 7
   * ```
   */
  regenerate(keepKeys?: readonly KeyOf<Data>[], options?: RegenerateOptions): Promise<void>

  /**
   * Ends the session and clears its cookie with the reply; with the login kit this browser is no longer remembered. Call it at logout (OWASP ASVS 7.4.1). It is final: the session keeps
   * nothing that is written to it later in the request, and a warning in the log says so.
   *
   * With a store the session is over when the promise resolves; it rejects with `ERR_SESSION_STORE_UNAVAILABLE` (503) when the
   * store does not answer. The same holds for the list of `revocations`. Without either a copy of the cookie opens until it
   * expires.
   *
   * @example
   * ```ts
   * app.post('/logout', async (request, reply) => {
   *   await request.session.destroy()
   *   return reply.redirect('/', 303)
   * })
   * ```
   */
  destroy(): Promise<void>

  /**
   * Counts this request as activity, even if the last activity was noted less than `refreshAfter` seconds ago or the route has
   * `touch: false`. The reply sets a cookie, and no shared cache may keep it (RFC 9111). If a store does not take it, the request
   * answers 503. Call it where the user certainly acts, on a route that polls otherwise.
   *
   * @example
   * ```ts
   * request.session.touch()
   * ```
   */
  touch(): void

  /**
   * Discards what this request changed since the session was opened or last committed. With a store it also reads what other
   * requests have changed. Call it in a request that runs for long, such as a WebSocket.
   *
   * With a store it rejects with `ERR_SESSION_GONE` (409) when the session has ended, and with `ERR_SESSION_STORE_UNAVAILABLE`
   * (503) when the store does not answer.
   *
   * @example
   * ```ts
   * await request.session.reload()
   * ```
   */
  reload(): Promise<void>

  /**
   * Saves the session and sends its cookie now, instead of at the end of the request. Call it before you write to `reply.raw`,
   * hijack the reply, or start a stream that changes the session, and wherever the reply must not claim what was not saved.
   *
   * After the headers are sent no cookie can follow: a change that needs one is lost, with a warning in the log
   * (`headers-sent`). With a store only a new session, a new id, a changed `permanent` and a changed timeout need a cookie; data is saved.
   *
   * Rejects with
   *
   * - `ERR_SESSION_TOO_LARGE` and `ERR_SESSION_VALUE`, with which the request would fail otherwise,
   * - `ERR_SESSION_DISABLED` on a route with `config: { session: false }`,
   * - `ERR_SESSION_GONE` (409) when another request has ended the session, or it has expired since the request began,
   * - with a store also `ERR_SESSION_CONFLICT` (409) when other requests changed it at every attempt to give it a new id,
   *   `ERR_SESSION_LIMIT` (409), and `ERR_SESSION_STORE_UNAVAILABLE` (503), after which nothing of the session is saved in this request.
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
   * Changes attributes of the cookie that this reply sets, if it sets one. The next reply has the configured attributes again.
   * Names that are not cookie attributes are ignored, because `@fastify/csrf-protection` passes some.
   *
   * Throws `ERR_SESSION_OPTION_INVALID` for a wrong value, and for `maxAge` and `expires`, which `permanent` and the timeouts decide; `ERR_SESSION_COOKIE_RULE` for a combination that browsers refuse,
   * and `ERR_SESSION_VALUE` for anything but an object.
   *
   * @example
   * ```ts
   * request.session.options({ sameSite: 'strict' })
   * ```
   */
  options(attributes: Partial<CookieAttributes>): void

  /**
   * Returns the size of the session as it is now. Throws `ERR_SESSION_VALUE` for data that cannot become JSON.
   *
   * @example
   * ```ts
   * const { bytes, limit } = request.session.size()
   * if (bytes > limit) throw new Error('The cart is full.')
   * ```
   */
  size(): SessionSize

  /**
   * Ties the session to a user, so that `app.sessions` can list and end it and `maxPerOwner` counts it. Call it at login.
   * A change of owner is a change of privilege: the session gets a new id, as by `renew()`. `regenerate()` and
   * `clear()` remove the owner.
   *
   * The owner is a string of 1 to 255 characters; anything else throws `ERR_SESSION_VALUE`.
   *
   * @example
   * ```ts
   * request.session.setOwner(String(7))
   * ```
   */
  setOwner(ownerId: string): void

  /**
   * Asks the browser, with this reply, to bind the session to its device. Returns whether the reply does: not over plain HTTP, not
   * if the session is bound already, and not if its browser was asked less than `offerAgainAfter` seconds ago. The browser has five
   * minutes, so call it where the user has just proved who they are. The session gets a new id, as by `renew()`, so that no earlier
   * copy of its cookie goes on beside it. `setOwner()` asks by itself.
   *
   * Throws `ERR_SESSION_NOT_REGISTERED` without the plugin `fastify-typed-session/device-bound`.
   *
   * @example
   * ```ts
   * app.post('/confirm', async ({ session }) => session.bindToDevice())
   * ```
   */
  bindToDevice(): boolean

  /**
   * Changes the data as one step, and returns what `change` returns. If `change` throws, nothing is changed. Call it for a
   * change that depends on the current value, such as a counter.
   *
   * With a store it is one step among all requests: `change` runs on the latest data, and again when another request was
   * faster, so it must have no other effect. The data is saved when the promise resolves, even if the reply fails; a
   * session that is new on this request is saved with its reply. Without a store, updates of one request come one after the
   * other, and other requests do not take part.
   *
   * Rejects with
   *
   * - `ERR_SESSION_DESTROYED` after `destroy()`,
   * - `ERR_SESSION_VALUE` and `ERR_SESSION_RESERVED_KEY` for data that `set()` refuses,
   * - with a store also `ERR_SESSION_GONE` (409) when the session has ended, `ERR_SESSION_CONFLICT` (409) when other requests
   *   were faster forty times, and `ERR_SESSION_STORE_UNAVAILABLE` (503), also when earlier updates took too long. After the last
   *   one nothing of the session is saved in this request.
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

/** The type of `request.session`: your data as properties, and the methods, whose names data cannot have. */
export type Session<Data = SessionData> = SessionValues<Data> & SessionMethods<Data>
