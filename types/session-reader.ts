import type { MaybePromise } from './store.ts'

/**
 * Reads the sessions of another library, for the option `adopt` of the plugin. `fastifySession()`, `secureSession()`,
 * `expressSession()`, `cookieSession()` and `ironSession()` of `fastify-typed-session/adopt` make readers; implement this interface
 * to write one.
 *
 * The plugin asks a reader when a request has no session cookie of ours and has the reader's cookie. What the reader returns becomes
 * a session of ours, which is saved with the reply.
 *
 * The rules for every implementation:
 *
 * - `read` accepts what the other library would accept at that moment, and nothing else: it verifies before it decodes, and compares
 *   in constant time.
 * - Whatever the cookie is, `read` does not throw because of it. It throws or rejects if it cannot tell, because a store does not
 *   answer for example; the request then fails with `ERR_SESSION_STORE_UNAVAILABLE`.
 * - What is large or compressed is bounded before it is decoded.
 *
 * @example
 * ```ts
 * import session from 'fastify-typed-session'
 * import type { SessionReader } from 'fastify-typed-session/adopt'
 *
 * const tokens = new Map([['5f0c…', { userId: 7, since: 1_790_000_000 }]])
 * const reader: SessionReader = {
 *   cookieName: 'token',
 *   remove: true,
 *   read(value) {
 *     const found = tokens.get(value)
 *     if (found === undefined) return 'refused'
 *     const { userId, since } = found
 *     const facts = { key: value, isUnique: true, createdAt: since, end: () => void tokens.delete(value) }
 *     return { ...facts, data: { userId }, ownerId: String(userId) }
 *   }
 * }
 * await app.register(session, { secret: process.env.SESSION_SECRET, adopt: [reader] })
 * ```
 */
export interface SessionReader {
  /** The name of the cookie. A request without it does not reach the reader. */
  readonly cookieName: string
  /** The names of cookies that belong to it, such as the one with its signature: the browser forgets them together. Default none. */
  readonly otherCookies?: readonly string[] | undefined
  /**
   * Whether the cookie, and the record that it leads to, are removed when their session is adopted. Default `false`: both stay, so
   * that the deployment can be rolled back. A logout removes them in any case.
   */
  readonly remove?: boolean | undefined
  /** How the other library sets the cookie, because a browser forgets a cookie only of the same path and domain. */
  readonly cookie?: OldCookie | undefined

  /**
   * Called once, when the plugin is registered, which waits for it: to load a library, or to derive a key. What it throws,
   * `register` throws. Default: nothing to do.
   *
   * @example
   * ```ts
   * const reader = ironSession({ password: process.env.OLD_PASSWORD ?? '', cookieName: 'old' })
   * await reader.start?.()
   * ```
   */
  start?(): MaybePromise<void>

  /**
   * Returns the session that a cookie stands for, or why it stands for none. `value`: what the Cookie header has between `=` and `;`,
   * not decoded. Of several cookies of the name, each is tried until one opens.
   *
   * Throws, or rejects, if the store of the other library fails.
   *
   * @example
   * ```ts
   * const reader = cookieSession({ keys: [process.env.OLD_KEY ?? ''] })
   * const now = Math.floor(Date.now() / 1000)
   * const found = await reader.read('eyJ1c2VySWQiOjd9', { now, cookiesNamed: () => [] })
   * console.log(found) // 'refused': there is no signature
   * ```
   */
  read(value: string, context: ReaderContext): MaybePromise<FoundSession | GoneSession | ReaderRefusal>
}

/** What a reader may know of the request. */
export interface ReaderContext {
  /** Seconds since 1970, by the option `clock` of the plugin. */
  readonly now: number
  /**
   * Returns the values of the other cookies of a name, not decoded, in the order of the Cookie header.
   *
   * @example
   * ```ts
   * import type { SessionReader } from 'fastify-typed-session/adopt'
   *
   * const read: SessionReader['read'] = (value, { cookiesNamed }) => {
   *   const [signature] = cookiesNamed('token.sig')
   *   return signature === undefined ? 'refused' : { key: value, isUnique: false, data: {} }
   * }
   * ```
   */
  readonly cookiesNamed: (name: string) => readonly string[]
}

/** Why a cookie stands for no session: it is tampered with, of another key, or expired; or `map` has returned undefined. */
export type ReaderRefusal = 'refused'

/** A session of another library, as one of ours. */
export interface FoundSession {
  /**
   * What tells it from every other session of the library, in one spelling: its id in a store, the signature of its cookie, or a nonce.
   * A cookie that is spelled otherwise and that the library would accept all the same has the same key.
   */
  readonly key: string
  /**
   * Whether no two browsers can have the same key, because there is something random in it. Requests with the same unique key adopt
   * one session, and a key whose session of ours has ended adopts nothing again. Otherwise parallel requests adopt a session each,
   * of which the browser keeps the last.
   */
  readonly isUnique: boolean
  /** The data, as the application wants them: an object that JSON can hold. */
  readonly data: object
  /** Whose session it is, as for `setOwner()`. Default: nobody's. */
  readonly ownerId?: string | undefined
  /**
   * When it was created, in whole seconds since 1970, or when it was last written if nothing else is known: the `absoluteTimeout`
   * counts from there. Default: `lastSeenAt`, or now.
   */
  readonly createdAt?: number | undefined
  /** When it was last active, in whole seconds since 1970: the `idleTimeout` counts from there. Default: now. */
  readonly lastSeenAt?: number | undefined
  /** The last second, since 1970, in which the other library would accept it. Default: not known. */
  readonly expiresAt?: number | undefined
  /** Whether its cookie outlives the browser. Default: the option `permanent` of the plugin. */
  readonly permanent?: boolean | undefined
  /**
   * Ends it where the other library has a record. One that has ended already is no error. Default: there is no record.
   *
   * Rejects if the record may still be there.
   *
   * @example
   * ```ts
   * import { MemoryStore } from 'express-session'
   *
   * const old = expressSession({ secret: process.env.OLD_SECRET ?? '', store: new MemoryStore() })
   * const found = await old.read('s%3Aabc.def', { now: 1_790_000_000, cookiesNamed: () => [] })
   * if (found !== 'refused' && found.data !== undefined) await found.end?.()
   * ```
   */
  end?(): MaybePromise<void>
}

/**
 * A genuine cookie without a record. A reader whose library has a store returns it instead of a refusal, so that a request that comes
 * just after another one has adopted the session, and removed the record, finds it.
 */
export interface GoneSession extends Pick<FoundSession, 'key'> {
  /** There are none. */
  readonly data: undefined
}

/** The attributes of a cookie that another library sets, as far as a browser needs them to forget it. */
export interface OldCookie {
  /** Its path. Default `'/'`. */
  readonly path?: string | undefined
  /** Its domain. Default: none. */
  readonly domain?: string | undefined
  /** Whether it is partitioned. Default `false`. */
  readonly partitioned?: boolean | undefined
}
