import type { OpenRefusal } from '../../types/diagnostics.ts'
import type { IdentifiedRecord, LoadedRecord } from './record.ts'

/** Encodes records as cookie values and decodes them. Each format has its own file. */
export interface CookieFormat {
  /** The start of every cookie value in this format that is sealed with the newest key. */
  readonly currentPrefix: string
  encode(record: IdentifiedRecord): string
  /** Returns the record, or why the text is invalid. Never throws, whatever the text is. */
  decode(text: string): LoadedRecord | OpenRefusal
  /** The length of a cookie value whose body has `bytes` bytes. */
  lengthOf(bytes: number): number
}
