import type { Extensions } from '../format/extensions.ts'
import type { HandleAliases } from '../owners/handle-aliases.ts'
import type { Transport } from '../transport/transport.ts'
import type { DeviceGate } from './device-gate.ts'

/** Makes ids, and remembers which of them the transport does not know yet. */
export class SessionIds {
  readonly #transport: Transport
  readonly #aliases: HandleAliases

  constructor(transport: Transport, aliases: HandleAliases) {
    this.#transport = transport
    this.#aliases = aliases
  }

  /** Returns a new id. `replacedId`: the id that the transport still has for the session. */
  next(replacedId: string | undefined): string {
    const id = this.#transport.newId()
    if (replacedId !== undefined) this.#aliases.note(this.handleOf(id), this.handleOf(replacedId))
    return id
  }

  /** The transport has the session under this id from now on. */
  saved(id: string): void {
    this.#aliases.forget(this.handleOf(id))
  }

  handleOf(id: string): string {
    return this.#transport.handleOf(id)
  }
}

/** What all sessions of a registration have in common. */
export interface SessionDefaults {
  readonly ids: SessionIds
  /** The option `permanent`. */
  readonly permanent: boolean
  /** Those of a new session. */
  readonly extensions: Extensions
  readonly device: DeviceGate
}
