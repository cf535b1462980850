import type { Revocation } from '../../types/revocations.ts'

/** Compares what a list tells by itself with what it answers. */
export class Hearing {
  /** What was heard since the last answer. */
  #heard: Set<string> = new Set()
  /** What was heard between the two answers before: it may be in the next one all the same. */
  #heardBefore: Set<string> = new Set()
  /** One that was in an answer. */
  #found: string | undefined
  /** One that was in the answer before, and has not been heard. */
  #missing: string | undefined
  /** The list tells whatever comes after its first answer, and may not have told what was there before. */
  #hasAnswered = false

  /** The list begins to tell. */
  begin(): void {
    this.#hasAnswered = false
    this.#heard = new Set()
    this.#heardBefore = new Set()
    this.#found = undefined
    this.#missing = undefined
  }

  heard(entry: Revocation): void {
    this.#heard.add(nameOf(entry))
  }

  /** An answer has an entry that the list should tell. */
  found(entry: Revocation): void {
    const name = nameOf(entry)
    if (this.#hasAnswered && !this.#hasHeard(name)) this.#found = name
  }

  /** Called after each answer. Returns whether something that was in the answer before has not been heard until now. */
  isDeaf(): boolean {
    const isDeaf = this.#missing !== undefined && !this.#hasHeard(this.#missing)
    // It can have been heard while the answer was read.
    this.#missing = this.#found !== undefined && !this.#hasHeard(this.#found) ? this.#found : undefined
    this.#found = undefined
    this.#heardBefore = this.#heard
    this.#heard = new Set()
    this.#hasAnswered = true
    return isDeaf
  }

  #hasHeard(name: string): boolean {
    return this.#heard.has(name) || this.#heardBefore.has(name)
  }
}

function nameOf(entry: Revocation): string {
  const { kind, id, before } = entry as { kind: string; id?: string; before?: number }
  return `${kind} ${before} ${id}`
}
