import type { FastifyReply, FastifyRequest } from 'fastify'
import type { OpenReason, SessionReason } from './diagnostics.ts'
import type { SessionSize } from './session.ts'

/** Options of the inspector. */
export interface InspectorOptions {
  /** Where the page is, below the prefix of the scope. Default `'/session-inspector'`. */
  readonly path?: string
  /** The session that it is for: the option of the same name. Default `'session'`. */
  readonly decorator?: string
  /**
   * Whether it may start with `NODE_ENV=production`. The page shows a cookie that scripts must not see, to whoever has it
   * open. Default false: it refuses to start, with `ERR_SESSION_NOT_IN_PRODUCTION`.
   */
  readonly allowInProduction?: boolean
  /**
   * Puts the inspector into a page of yours: gets its HTML, whose headings begin at `h2` and which has its own stylesheet, and
   * gives the whole page. Default: a page of its own.
   */
  layout?(content: string, request: FastifyRequest, reply: FastifyReply): string | Promise<string>
}

/** What can be told of the session behind a request. */
export interface SessionInspection {
  /** When this was. */
  readonly at: Date
  /** How sessions are kept: the data in a signed or an encrypted cookie, or in a store. */
  readonly mode: 'signed' | 'encrypted' | 'stored'
  readonly cookieName: string
  /** The cookie that came; undefined where none of this name did. Of several the first that is genuine, or the first. */
  readonly cookie: InspectedCookie | undefined
  /** What came of looking at the request's cookies. */
  readonly opened: OpenReason
  readonly session: InspectedSession
  /** What was decided on the last few requests of this session, newest first, as far as its id is still the same. */
  readonly decisions: readonly SessionDecision[]
}

/** A cookie as the browser holds it. */
export interface InspectedCookie {
  readonly value: string
  /** Of name and value, which count against the limit. */
  readonly bytes: number
  /** The most that browsers keep: 4096 (RFC 6265bis, section 5.6). */
  readonly limit: number
  /** From left to right. */
  readonly parts: readonly CookiePart[]
}

/** A part of a cookie's value. */
export interface CookiePart {
  readonly name: 'format' | 'key id' | 'last activity' | 'session' | 'session id' | 'signature' | 'unknown'
  /** How it is spelled in the cookie, without the dots between parts. */
  readonly text: string
  /** What it says, in words. */
  readonly meaning: string
  /**
   * Who can read it: `readable` by anybody who has the cookie; `sealed`, only with the secret; `opaque` to anybody: it is
   * random, or proves something, and says nothing itself.
   */
  readonly access: 'readable' | 'sealed' | 'opaque'
}

/** A session as the request found it, with what the request has changed so far. */
export interface InspectedSession {
  /** The handle: safe to show. */
  readonly id: string
  /** Whether no cookie stood for it. */
  readonly isNew: boolean
  readonly ownerId: string | undefined
  readonly permanent: boolean
  readonly createdAt: Date
  /** When activity was last noted. */
  readonly lastSeenAt: Date
  /** When it ends without activity. */
  readonly idleExpiresAt: Date
  /** When it ends whatever happens. */
  readonly absoluteExpiresAt: Date
  readonly data: Readonly<Record<string, unknown>>
  /** Of the data: all together, and of each key. */
  readonly size: SessionSize
}

/** What was decided on one request. */
export interface SessionDecision {
  readonly at: Date
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** What came of looking at the cookies; undefined where nobody looked at the session. */
  readonly opened: SessionReason | undefined
  /** What came of the session at the end of the request. */
  readonly committed: SessionReason
}
