import type { CommitReason } from '../../types/diagnostics.ts'
import type { ResolvedAttributes } from '../cookie/attributes.ts'

/** What the reply to a request says of the session. Only the methods of this class change it. */
class State {
  /** The Set-Cookie header of this session, once there is one. */
  setCookieHeader: string | undefined
  /** Whether the browser can go on without that header. */
  isOptional = true
  /** What the last save decided. */
  reason: CommitReason | undefined
  /** Whether another request has ended the session, as this one has found out. */
  isGone = false
  /** Why the last save failed. */
  failure: CommitReason | undefined
  /** What it failed with. */
  error: unknown
  /** Whether the reply has to fail with that error, because nothing else waits for what has failed. */
  isOwed = false
  /** Whether the reply has been decided with that failure. */
  isAnswered = false
  /** The attributes of the cookie, where the handler changed them. */
  attributes: ResolvedAttributes | undefined
  isClosed = false
  #hasWarned = false

  setAttributes(attributes: ResolvedAttributes): void {
    this.attributes = attributes
  }

  /** The next save decides anew. */
  retry(): void {
    this.failure = undefined
    this.isAnswered = false
  }

  fail(reason: CommitReason, error?: unknown): void {
    this.failure = reason
    this.error = error
  }

  owe(): void {
    this.isOwed = true
  }

  answer(): void {
    this.isOwed = false
    this.isAnswered = true
  }

  conclude(reason: CommitReason): void {
    this.reason = reason
    this.isGone = reason === 'gone'
  }

  /** Another session begins in the place of the one that has gone. */
  begin(): void {
    this.isGone = false
  }

  /** One that takes the place of a header that the browser needs is needed, too. */
  sent(setCookieHeader: string, isOptional: boolean): void {
    this.isOptional &&= isOptional
    this.setCookieHeader = setCookieHeader
  }

  close(): void {
    this.isClosed = true
  }

  /** Runs `warn` at most once: a second warning about one session in one request says nothing new. */
  warnOnce(warn: () => void): void {
    if (!this.#hasWarned) warn()
    this.#hasWarned = true
  }
}

export type ReplyState = Readonly<State>

export const createReplyState = (): ReplyState => new State()
