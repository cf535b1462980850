import type { LogPage } from './revocation-log.ts'
import { START } from './revocation-log.ts'

/** Where in a file each session is. It learns that page by page, and keeps a number for each session. */
export class SessionPlaces {
  readonly #places: Map<string, number> = new Map()
  #epoch = ''
  #position: string = START

  /** How far the file is known. */
  get position(): string {
    return this.#position
  }

  /** Learns a page if it is the next one, and returns whether it is. */
  note({ after, epoch, entries, position }: LogPage): boolean {
    if (after !== this.#position) return false
    for (const { entry, at } of entries) if (entry.kind === 'session') this.#places.set(entry.id, at)
    this.#epoch = epoch
    this.#position = position
    return true
  }

  /** Forgets all, because there is another file. */
  clear(): void {
    this.#places.clear()
    this.#position = START
  }

  /** Returns the position of the newest entry of a session. */
  of(id: string): string | undefined {
    const at = this.#places.get(id)
    return at === undefined ? undefined : `${this.#epoch} ${at}`
  }
}
