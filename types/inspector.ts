import type { FastifyReply, FastifyRequest } from 'fastify'
import type { OpenReason, SessionReason } from './diagnostics.ts'
import type { Method } from './method.ts'
import type { DeviceBinding, SessionSize } from './session.ts'

/**
 * The options of the inspector. An option that is undefined has its default. A wrong value is refused with
 * `ERR_SESSION_OPTION_INVALID` at start, and an unknown name with `ERR_SESSION_OPTION_UNKNOWN`.
 */
export interface InspectorOptions {
  /**
   * The path of the page, below the prefix of the scope. Default `'/session-inspector'`.
   *
   * @example
   * ```ts
   * await app.register(inspector, { path: '/debug/session' })
   * ```
   */
  readonly path?: string | undefined
  /**
   * The session that the page shows: the option `decorator` of that session. Default `'session'`.
   *
   * @example
   * ```ts
   * await app.register(inspector, { decorator: 'adminSession', path: '/debug/admin-session' })
   * ```
   */
  readonly decorator?: string | undefined
  /**
   * Whether the inspector starts although `NODE_ENV` is not `development`; otherwise it refuses with
   * `ERR_SESSION_NOT_IN_DEVELOPMENT`. The page contains the cookie, which `HttpOnly` hides from scripts, so set this only where
   * nobody else can reach the page. Default `false`.
   *
   * @example
   * ```ts
   * await app.register(inspector, { allowOutsideDevelopment: process.env.STAGING === 'yes' })
   * ```
   */
  readonly allowOutsideDevelopment?: boolean | undefined
  /**
   * Returns the whole page around the HTML of the inspector, whose headings begin at `h2` and which brings its own stylesheet.
   * Default: a page with nothing else.
   *
   * @example
   * ```ts
   * await app.register(inspector, { layout: (content) => `<!doctype html><title>Shop</title><main>${content}</main>` })
   * ```
   */
  readonly layout?:
    | Method<[content: string, request: FastifyRequest, reply: FastifyReply], string | Promise<string>>
    | undefined
}

/** The session behind a request, taken apart: what `inspectSession()` returns. */
export interface SessionInspection {
  /** The time of the inspection. */
  readonly at: Date
  /** Where the data is: in a signed cookie, in an encrypted cookie, or in a store. */
  readonly mode: 'signed' | 'encrypted' | 'stored'
  /** The option `cookieName` of the session. */
  readonly cookieName: string
  /** The cookie of this name in the request, if any. Of several, the genuine one with the newest activity, or one of the
   * others. */
  readonly cookie: InspectedCookie | undefined
  /** Whether a cookie opened, or why not. */
  readonly opened: OpenReason
  /** The session. */
  readonly session: InspectedSession
  /**
   * The decisions about this session on the last five requests, newest first. They begin anew when the session gets a new id.
   */
  readonly decisions: readonly SessionDecision[]
}

/** A cookie as the browser holds it. */
export interface InspectedCookie {
  /** The value of the cookie. */
  readonly value: string
  /** The bytes of name and value, which count against the limit. */
  readonly bytes: number
  /** The most bytes that browsers keep: 4096 (RFC 6265bis, section 5.6). */
  readonly limit: number
  /** The parts of the value, from left to right. */
  readonly parts: readonly CookiePart[]
}

/** A part of a cookie's value. */
export interface CookiePart {
  /** What kind of part it is. */
  readonly name: 'format' | 'key id' | 'last activity' | 'session' | 'session id' | 'signature' | 'unknown'
  /** The characters of the part in the cookie, without the dots between parts. */
  readonly text: string
  /** What the part means, in words. */
  readonly meaning: string
  /**
   * Who can read the part. `readable`: everybody who has the cookie. `sealed`: who has the secret. `opaque`: nobody, because
   * the part is random or a signature, and holds no information.
   */
  readonly access: 'readable' | 'sealed' | 'opaque'
}

/** A session as the request found it, with what the request has changed so far. */
export interface InspectedSession {
  /** The handle of the session. It opens nothing, so that it is safe to show. */
  readonly id: string
  /** Whether the request came without a valid session. */
  readonly isNew: boolean
  /** The owner, if the session has one. */
  readonly ownerId: string | undefined
  /** Whether the cookie stays when the browser is closed. */
  readonly permanent: boolean
  /** When the session began. */
  readonly createdAt: Date
  /** When activity was last noted. */
  readonly lastSeenAt: Date
  /** When the session ends without further activity. */
  readonly idleExpiresAt: Date
  /** When the session ends whatever happens. */
  readonly absoluteExpiresAt: Date
  /** The version of the schema that the data have in this request. Undefined for data that were written without a schema. */
  readonly schemaVersion: number | undefined
  /** The device to which the session is bound: its `device`. */
  readonly device: DeviceBinding | undefined
  /** The data. */
  readonly data: Readonly<Record<string, unknown>>
  /** The size of the data: all together, and of each key. */
  readonly size: SessionSize
}

/** What the plugin decided about a session on one request. */
export interface SessionDecision {
  /** The time of the decision. */
  readonly at: Date
  /** The HTTP method of the request. */
  readonly method: string
  /** The path of the request, without the query. */
  readonly path: string
  /** Whether a cookie opened, or why not; undefined when nothing read the session. */
  readonly opened: SessionReason | undefined
  /** What the plugin decided at the end of the request. */
  readonly committed: SessionReason
}
