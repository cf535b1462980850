import type { OpenRefusal } from '../../types/diagnostics.ts'
import type { IdentifiedRecord, LoadedRecord } from './record.ts'

/** Turns envelopes into cookie values and back. One file per way of sealing. */
export interface CookieFormat {
  /** What the value of every cookie starts with that was sealed in this format under the newest key. */
  readonly currentPrefix: string
  encode(envelope: IdentifiedRecord): string
  /** The envelope, or why there is none. Never throws, whatever the text is. */
  decode(text: string): LoadedRecord | OpenRefusal
  /** The length of the value that would hold `bytes` bytes of body. */
  lengthOf(bytes: number): number
}
