import type { OpenRefusal } from '../../types/diagnostics.ts'
import { cookiesNamed } from '../cookie/read.ts'
import type { IdentifiedRecord, LoadedRecord } from '../format/record.ts'
import type { Timeouts } from '../transport/expiry.ts'
import { checkExpiry, expiresAt } from '../transport/expiry.ts'
import type { Transport } from '../transport/transport.ts'
import { Hidden } from '../util/session-context.ts'

/** Why there is no session. */
export type NoSessionReason =
  /** There is no cookie of this session. After a reply: the browser keeps the one that it has, if it has one. */
  | 'no-cookie'
  /** The cookie is empty, as a reply makes it that ends the session. */
  | 'cleared'
  | OpenRefusal

/** What a mint needs of the settings. */
export interface FactorySettings extends Timeouts {
  readonly cookieName: string
  readonly permanent: boolean
}

/** Makes and reads sessions without a request, as the lifecycle would with one: for the testing kit. */
export class SessionFactory {
  /** Whether a session outlives the browser where nobody says otherwise. */
  readonly permanent: boolean
  /** Seconds since 1970. */
  readonly now: () => number
  readonly #settings: FactorySettings
  readonly #transport: Transport

  constructor(settings: FactorySettings, transport: Transport, now: () => number) {
    this.permanent = settings.permanent
    this.now = now
    this.#settings = settings
    this.#transport = transport
  }

  /** Keeps a new session and gives the cookie that stands for it, as `name=value`. */
  async issue(facts: Omit<IdentifiedRecord, 'id'>): Promise<string> {
    const envelope = { ...facts, id: this.#transport.newId() }
    const value = this.#transport.seal(envelope)
    await this.#transport.save(envelope, undefined, {})
    return `${this.#settings.cookieName}=${value}`
  }

  /** What cookies, as in the header of a request, stand for: the first that opens counts. It is no activity. */
  async read(cookies: string): Promise<LoadedRecord | NoSessionReason> {
    const { cookieName } = this.#settings
    let reason: NoSessionReason = 'no-cookie'
    for (const value of cookiesNamed(cookies, cookieName)) {
      const opened = await this.#open(value)
      if (typeof opened !== 'string') return opened
      if (reason === 'no-cookie') reason = opened
    }
    return reason
  }

  handleOf({ id }: IdentifiedRecord): string {
    return this.#transport.handleOf(id)
  }

  /** In seconds since 1970. */
  expiresAt(envelope: IdentifiedRecord): number {
    return expiresAt(envelope, this.#settings)
  }

  async #open(text: string): Promise<LoadedRecord | NoSessionReason> {
    if (text === '') return 'cleared'
    const opened = await this.#transport.open(text)
    if (typeof opened === 'string') return opened
    return checkExpiry(opened, this.#settings, this.now()) ?? opened
  }
}

/** Behind `app.sessions`. */
export const hiddenFactory: Hidden<SessionFactory> = new Hidden()
