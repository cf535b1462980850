import type { OpenRefusal } from '../../types/diagnostics.ts'
import { parseStored } from '../data/storable.ts'
import type { Extensions } from '../format/extensions.ts'
import { withSchemaVersion } from '../format/extensions.ts'
import type { IdentifiedRecord, LoadedRecord } from '../format/record.ts'
import type { TimeoutName } from '../format/timeouts.ts'
import { withTimeout } from '../format/timeouts.ts'
import type { DataSchema } from '../schema/data-schema.ts'
import type { TimeoutSettings, Timeouts } from '../transport/expiry.ts'
import { checkExpiry, expiresAt, timeoutsOf } from '../transport/expiry.ts'
import type { Transport } from '../transport/transport.ts'
import { candidatesIn } from './candidates.ts'
import type { TimeoutRules } from './timeout.ts'
import { assertTimeout } from './timeout.ts'

/** Why there is no session. */
export type NoSessionReason =
  /** There is no cookie of this session. After a reply: the browser keeps the one that it has, if it has one. */
  | 'no-cookie'
  /** The cookie is empty, as a reply makes it that ends the session. */
  | 'cleared'
  /** There are more than eight cookies of this name, and none of the first eight opens. The others were not tried. */
  | 'too-many-cookies'
  | OpenRefusal

export interface FactorySettings extends TimeoutSettings, TimeoutRules {
  readonly cookieName: string
  readonly permanent: boolean
  readonly schema: DataSchema | undefined
}

/** The timeouts that a session has of its own, in seconds. */
export type OwnTimeouts = { readonly [Name in TimeoutName]?: number | undefined }

/** Makes and reads sessions without a request, as requests would. */
export class SessionFactory {
  /** The option `permanent`. */
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

  /** The schema of the data; undefined if they are not validated. */
  get schema(): DataSchema | undefined {
    return this.#settings.schema
  }

  /**
   * Saves a new session and returns its cookie as `name=value`. `version`: that of the schema, if it is not the present one; 0 for
   * data that were written without a schema. Throws `ERR_SESSION_VALUE` for timeouts that no session can have.
   */
  async issue(
    facts: Omit<IdentifiedRecord, 'id' | 'extensions'>,
    version?: number,
    timeouts: OwnTimeouts = {}
  ): Promise<string> {
    const present = this.schema?.extensions
    const other = version ? withSchemaVersion(undefined, version) : undefined
    const extensions = this.#withOwn(version === undefined ? present : other, timeouts)
    const record = { ...facts, extensions, id: this.#transport.newId() }
    const value = this.#transport.seal(record)
    await this.#transport.create(record, undefined)
    return `${this.#settings.cookieName}=${value}`
  }

  #withOwn(extensions: Extensions, { idleTimeout, absoluteTimeout }: OwnTimeouts): Extensions {
    if (idleTimeout !== undefined) assertTimeout('idleTimeout', idleTimeout, this.#settings)
    if (absoluteTimeout !== undefined) assertTimeout('absoluteTimeout', absoluteTimeout, this.#settings)
    return withTimeout(withTimeout(extensions, 'idleTimeout', idleTimeout), 'absoluteTimeout', absoluteTimeout)
  }

  /** Returns the session that the cookies of a Cookie header open. Reading does not count as activity. */
  async read(cookies: string): Promise<LoadedRecord | NoSessionReason> {
    const { values, isCut } = candidatesIn(cookies, this.#settings.cookieName, this.#transport.readStamp)
    let reason: NoSessionReason = isCut ? 'too-many-cookies' : 'no-cookie'
    for (const value of values) {
      const found = await this.#load(value)
      if (typeof found !== 'string') return found
      if (reason === 'no-cookie') reason = found
    }
    return reason
  }

  handleOf({ id }: IdentifiedRecord): string {
    return this.#transport.handleOf(id)
  }

  /** Seconds since 1970. */
  expiresAt(record: IdentifiedRecord): number {
    return expiresAt(record, this.#settings)
  }

  timeoutsOf({ extensions }: IdentifiedRecord): Timeouts {
    const { idleTimeout, absoluteTimeout } = timeoutsOf(extensions, this.#settings)
    return { idleTimeout, absoluteTimeout }
  }

  async #load(value: string): Promise<LoadedRecord | NoSessionReason> {
    if (value === '') return 'cleared'
    const loaded = await this.#transport.load(value)
    if (typeof loaded === 'string') return loaded
    const refusal = checkExpiry(loaded, this.#settings, this.now())
    if (refusal !== undefined) return refusal
    try {
      const { data } = loaded
      const { schema } = this
      if (schema === undefined || schema.isCurrent(loaded.extensions)) return { ...loaded, data }
      const opened = schema.open(loaded)
      return opened.kind === 'accepted' ? { ...loaded, data: parseStored(opened.json) } : 'invalid-data'
    } catch {
      return 'unreadable'
    }
  }
}
