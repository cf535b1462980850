import { hash } from 'node:crypto'
import type { DeviceRefusal } from '../../types/device-bound.ts'
import type { SessionStore } from '../../types/store.ts'
import { createNote } from '../data/no-session.ts'
import type { ChallengeFormat, ChallengePurpose } from '../format/challenge.ts'

/** Seconds. */
const LIFETIME = 300

/** How far the clock of another server may be ahead, in seconds. */
const CLOCK_SKEW = 60

type ChallengeRefusal = Extract<DeviceRefusal, 'bad-challenge' | 'expired-challenge' | 'used-challenge'>

/** What browsers are to sign. Nothing is remembered of a challenge until it is answered, and then only in a store. */
export class Challenges {
  readonly #format: ChallengeFormat
  readonly #store: SessionStore | undefined
  readonly #now: () => number

  /** `now`: returns seconds since 1970. */
  constructor(format: ChallengeFormat, store: SessionStore | undefined, now: () => number) {
    this.#format = format
    this.#store = store
    this.#now = now
  }

  /** Returns a challenge for the session with an id. `at`: the time from which it counts. */
  issue(purpose: ChallengePurpose, id: string, at: number = this.#now()): string {
    return this.#format.encode(purpose, id, at)
  }

  /** Returns when a challenge was made, or why it is not taken. */
  judge(challenge: string, purpose: ChallengePurpose, id: string): number | ChallengeRefusal {
    const at = this.#format.decode(challenge, purpose, id)
    if (at === undefined) return 'bad-challenge'
    const age = this.#now() - at
    return age > LIFETIME || age < -CLOCK_SKEW ? 'expired-challenge' : at
  }

  /**
   * Notes that a challenge is answered. Returns why it is not taken, if it was answered before; that is only known where a store
   * notes it. Call it last: an answer that is not taken must not use the challenge up.
   */
  async use(challenge: string): Promise<ChallengeRefusal | undefined> {
    if (this.#store === undefined) return undefined
    const now = this.#now()
    const key = hash('sha256', `challenge ${challenge}`, 'base64url')
    const isFirst = await this.#store.create(key, createNote(now), now + LIFETIME + CLOCK_SKEW)
    return isFirst === true ? undefined : 'used-challenge'
  }
}
