import type { EndResult } from '../transport/transport.ts'

/** How the session that a request came with has ended. Only the methods of this class change it. */
class State {
  /** Whether this request has ended the session, and the browser still has its cookie. */
  hasEnded = false
  /** Whether another request has ended the session before this one could put another in its place. */
  isGone = false
  /** Whether a copy of its cookie opens the session all the same. */
  copyStillOpens = false

  ended(result: EndResult): void {
    this.hasEnded = true
    this.copyStillOpens = result === 'copied'
  }

  /** The session made room for another one. One with an owner that somebody else has ended has no successor. */
  retired(result: EndResult, ownerId: string | undefined): void {
    this.ended(result)
    this.isGone = result === 'gone' && ownerId !== undefined
  }

  /** A new session begins, and nothing of the old one matters any more. */
  reset(): void {
    this.hasEnded = false
    this.isGone = false
    this.copyStillOpens = false
  }
}

export type Ending = Readonly<State>

export const createEnding = (): Ending => new State()
