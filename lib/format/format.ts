import type { OpenRefusal } from '../../types/diagnostics.ts'
import type { SessionFormat } from '../../types/format.ts'
import type { IdentifiedRecord, LoadedRecord } from './record.ts'

/** Encodes records as cookie values and decodes them. Each format has its own file. */
export interface CookieFormat {
  /** The start of every cookie value in this format that is sealed with the newest key. */
  readonly currentPrefix: string
  /** More characters of JSON fit into no cookie. */
  readonly maxCharacters: number
  encode(record: IdentifiedRecord): string
  /** Returns the record, or why the text is invalid. Never throws, whatever the text is. */
  decode(text: string): LoadedRecord | OpenRefusal
  /** Returns the time stamp of the cookie value that starts at `from`, as it claims, in seconds since 1970; NaN if there is none. */
  readonly readStamp: (text: string, from?: number) => number
  /** The same if the idle timeout of the options holds for the session, which the stamp alone does not tell; otherwise NaN. */
  readonly readUsualStamp: (text: string, from?: number) => number
  /** The length of the cookie value of a record. */
  measure(record: IdentifiedRecord): number
}

/** What the option `format` is: a format of another framework, with the settings that go with it. */
export interface ForeignFormat extends SessionFormat {
  /** The keys of the other framework, newest first. */
  readonly secrets: readonly Uint8Array[]
  /** The defaults of options of the plugin, in seconds. */
  readonly idleTimeout: number
  readonly absoluteTimeout: number
  create(cookieName: string): CookieFormat
}
