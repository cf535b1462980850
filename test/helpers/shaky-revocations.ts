import { MemoryRevocations } from '../../lib/index.ts'
import type { Revocation, RevocationList, RevocationPage } from '../../types/revocations.ts'

/** A list that can be down, slow, or out of reach of the messages of others. */
export class ShakyRevocations implements RevocationList {
  readonly inner: MemoryRevocations
  isDown = false
  /** What each entry waits for. */
  gate: Promise<unknown> = Promise.resolve()

  constructor(clock: () => number) {
    this.inner = new MemoryRevocations({ clock })
  }

  async add(entry: Revocation): Promise<Revocation | undefined> {
    await this.gate
    this.#assertUp()
    return this.inner.add(entry)
  }

  async since(position: string | undefined): Promise<RevocationPage> {
    this.#assertUp()
    return this.inner.since(position)
  }

  #assertUp(): void {
    if (this.isDown) throw new Error('The list is down.')
  }
}
