import type { OpenRefusal } from '../../types/diagnostics.ts'
import type { Envelope, OpenEnvelope } from '../codec/envelope.ts'

/**
 * Where a session's data travel. The lifecycle knows this and nothing else: which cookie value stands for which envelope. A
 * transport that has to wait for a store answers `seal` and `drop` with promises.
 */
export interface Transport {
  /** What every cookie value starts with that is sealed as new ones are. Others are sent again for their own sake. */
  readonly current: string
  /** The envelope behind a cookie value, or why there is none. Never throws, whatever the value is. */
  open(text: string): OpenEnvelope | OpenRefusal
  /** The cookie value that stands for an envelope from now on. `held` is what stood there before. */
  seal(envelope: Envelope, held: Envelope | undefined): string | Promise<string>
  /** The session has ended: what stood for it must open nothing that this transport can prevent. */
  drop(held: Envelope): undefined | Promise<void>
  /** The bytes that count against the limit if this envelope were sealed. */
  measure(envelope: Envelope): number
}
