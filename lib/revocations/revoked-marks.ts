import type { AdoptionMarks } from '../owners/adoption-marks.ts'
import type { Revocations } from './revocations.ts'

const ID_BYTES = 16

/**
 * Marks in the list of what has ended early: the id that an adopted session has is on it once that session has ended. It tells no
 * time, so that the end of all sessions of an owner bars it, too.
 */
export class RevokedMarks implements AdoptionMarks {
  readonly #revocations: Revocations

  constructor(revocations: Revocations) {
    this.#revocations = revocations
  }

  since(digest: Buffer): number | undefined {
    this.#revocations.assertCurrent()
    return this.#revocations.judge(undatedId(digest), undefined) === undefined ? undefined : 0
  }

  /** One that goes on is not on the list. */
  claim(): boolean {
    return true
  }

  bar(digest: Buffer, until: number): Promise<void> {
    return this.#revocations.bar(undatedId(digest), until)
  }
}

/** Returns an id that tells no time: 22 characters. `digest`: at least 16 bytes. */
export function undatedId(digest: Buffer): string {
  return digest.subarray(0, ID_BYTES).toString('base64url')
}
