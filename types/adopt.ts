import type { Method } from './method.ts'
import type { SessionValues } from './session.ts'
import type { OldCookie } from './session-reader.ts'

export type {
  FoundSession,
  GoneSession,
  OldCookie,
  ReaderContext,
  ReaderRefusal,
  SessionReader
} from './session-reader.ts'

/** The options that all readers of this package have. `Old`: the data of the other library. `Data`: those of the session. */
export interface AdoptOptions<Old = Record<string, unknown>, Data = SessionValues> {
  /**
   * Turns the data of the other library into those of the session, at once. Undefined: the session is not adopted. What it throws, and
   * a promise, fail the request with `ERR_SESSION_VALUE`. Default: the data as they are, without what the other library keeps for
   * itself.
   *
   * @example
   * ```ts
   * const reader = cookieSession<{ uid: number }>({
   *   keys: [process.env.OLD_KEY ?? ''],
   *   map: ({ uid }) => ({ userId: uid })
   * })
   * ```
   */
  readonly map?: Method<[data: Old], NoInfer<Data> | undefined> | undefined
  /**
   * Returns whose session it is, from the same data that `map` gets: what the application passes to `session.setOwner()`. Default:
   * nobody's.
   *
   * @example
   * ```ts
   * const reader = cookieSession<{ uid?: number }>({
   *   keys: [process.env.OLD_KEY ?? ''],
   *   map: ({ uid }) => (uid === undefined ? {} : { userId: uid }),
   *   ownerOf: ({ uid }) => (uid === undefined ? undefined : String(uid))
   * })
   * ```
   */
  readonly ownerOf?: Method<[data: Old], string | undefined> | undefined
  /**
   * Whether the old cookie and its record are removed when their session is adopted. Default `false`: both stay, so that the
   * deployment can be rolled back. Where the data are in a cookie of ours, `false` needs the option `revocations`.
   *
   * @example
   * ```ts
   * const reader = cookieSession({ keys: [process.env.OLD_KEY ?? ''], remove: true })
   * ```
   */
  readonly remove?: boolean | undefined
  /**
   * How the other library sets its cookie, because a browser forgets a cookie only of the same path and domain. Default: path `'/'`,
   * no domain.
   *
   * @example
   * ```ts
   * const reader = cookieSession({ keys: [process.env.OLD_KEY ?? ''], remove: true, cookie: { domain: 'example.com' } })
   * ```
   */
  readonly cookie?: OldCookie | undefined
}
