import type { EndReason } from './endings.ts'
import type { MaybePromise } from './store.ts'

/** A session that has ended before its cookie expires. */
export interface SessionRevocation {
  /** What kind of entry it is. */
  readonly kind: 'session'
  /** The handle of the session: its `session.id`. It opens nothing. */
  readonly id: string
  /** The last second, since 1970, in which a cookie could open that the entry bars. Then the entry can be forgotten. */
  readonly until: number
  /** If the session got a new id: the second until which a request with its cookie counts as one that came too late for it. */
  readonly renamedUntil?: number | undefined
  /** The handle that the same login has now. */
  readonly successor?: string | undefined
  /** The owner of the session, where it is known: for `app.sessions.onEnded()`. */
  readonly ownerId?: string | undefined
  /** Why it has ended, for `session.signal` and `app.sessions.onEnded()`. Default `revoked`. */
  readonly reason?: EndReason | undefined
}

/** The end of all sessions of an owner that had begun before. */
export interface OwnerRevocation {
  /** What kind of entry it is. */
  readonly kind: 'owner'
  /** The owner, exactly as given to `setOwner()`. */
  readonly id: string
  /** In milliseconds since 1970. What was issued later stays. */
  readonly before: number
  /** The handles of the sessions that stay. */
  readonly except: readonly string[]
  /** As of `SessionRevocation`. */
  readonly until: number
}

/** The end of all sessions that had begun before. */
export interface GeneralRevocation {
  /** What kind of entry it is. */
  readonly kind: 'all'
  /** In milliseconds since 1970. What was issued later stays. */
  readonly before: number
  /** As of `SessionRevocation`. */
  readonly until: number
}

/** One entry of a `RevocationList`: what no cookie opens any more. JSON can hold it. */
export type Revocation = SessionRevocation | OwnerRevocation | GeneralRevocation

/** What a list has after a position, or the first part of it. */
export interface RevocationPage {
  /** In any order. */
  readonly entries: readonly Revocation[]
  /** That of the last entry. The list understands it, nobody else does. */
  readonly position: string
  /** Whether there is more after this position. */
  readonly hasMore: boolean
}

/**
 * A list of what has ended early, which all processes of an application share. Pass one as the option `revocations`. Implement this
 * interface to keep the list elsewhere, and check the result with `testRevocations` of `fastify-typed-session/testing`.
 *
 * Each process holds the list in memory, so that a request asks nobody. It catches up with `since` when it starts, then every few
 * seconds; what `listen` tells it in between, it knows at once.
 *
 * The rules for every implementation:
 *
 * - What `add` has acknowledged, every later `since` returns, in every process, until the second `until` of the entry is over: also
 *   after a restart of the server, as far as anything there survives one.
 * - An entry is kept up to and including the second `until`. After that the list forgets it.
 * - A method that cannot do its work throws or rejects. The request that wanted to end a session then fails with
 *   `ERR_SESSION_STORE_UNAVAILABLE`, status 503, and the session goes on.
 * - `add` may be late: what it ends is not to go on in any case.
 * - The message of an error contains no handle and no owner.
 *
 * @example
 * ```ts
 * import session, { MemoryRevocations } from 'fastify-typed-session'
 *
 * await app.register(session, { secret: process.env.SESSION_SECRET, revocations: new MemoryRevocations() })
 * ```
 */
export interface RevocationList {
  /**
   * Adds an entry, in one atomic step. Resolves when the list has it, and every process can learn of it.
   *
   * Returns undefined if it has added the entry. If the list has a session of this `id` already, it changes nothing and returns the
   * entry that it has: of two requests that end a session, one has ended it. If the client of the database repeats a command after a
   * broken connection, the list must recognize its own entry, and return undefined.
   *
   * Throws if it cannot tell whether it has added the entry.
   *
   * @example
   * ```ts
   * const list = new MemoryRevocations()
   * const until = Math.floor(Date.now() / 1000) + 3600
   * const earlier = await list.add({ kind: 'session', id: request.session.id, until })
   * console.log(earlier === undefined ? 'ended' : 'had ended before')
   * ```
   */
  add(entry: Revocation): MaybePromise<Revocation | undefined>

  /**
   * Returns the entries that were added after a position, in any order; without a position, all that are not over. It may return some
   * of them again. It may return a part, and say so by `hasMore`.
   *
   * An entry that was being added when the position was made must not be missed: a list that numbers its entries must not show
   * a number before all lower ones. A position that the list does not know any more, because it was lost for example, counts as none.
   *
   * Throws if it cannot return them.
   *
   * @example
   * ```ts
   * const list = new MemoryRevocations()
   * const { entries, position } = await list.since(undefined)
   * const later = await list.since(position)
   * console.log(entries.length, later.entries.length)
   * ```
   */
  since(position: string | undefined): MaybePromise<RevocationPage>

  /**
   * Tells of each entry as soon as it is added, by whichever process, and returns a function that ends that. Entries may come twice.
   * Calls `onLost` once when it may miss entries from now on, because a connection broke: it is over then, and the caller listens
   * anew. Default: without this method, processes ask every second.
   *
   * @example
   * ```ts
   * const list = new MemoryRevocations()
   * const stop = list.listen((entry) => console.log(entry.kind))
   * stop()
   * ```
   */
  listen?(
    onEntry: (entry: Revocation) => void,
    onLost: (error?: unknown) => void
  ): MaybePromise<() => MaybePromise<void>>
}
