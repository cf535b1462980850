import type { FastifyRequest } from 'fastify'
import type { OpenRefusal } from '../../types/diagnostics.ts'
import type { IdentifiedRecord, LoadedRecord } from '../format/record.ts'

/** `gone`: the session was ended by somebody else, so nothing was kept. */
export type SaveResult = 'saved' | 'gone'

/** What else is known when something is saved: nothing where no request does it. */
export interface SaveContext {
  readonly request?: FastifyRequest
  /** What a new session takes the place of. */
  readonly replaced?: IdentifiedRecord | undefined
}

/**
 * Where a session's data travel. The lifecycle knows this and nothing else: which cookie value stands for which envelope. A
 * transport that has to wait for a store answers with promises.
 */
export interface Transport {
  /** What every cookie value starts with that is sealed as new ones are. Others are sent again for their own sake. */
  readonly current: string
  /** Whether opening takes a while, so that it has to be done before anybody looks. */
  readonly loadsBeforeHandler: boolean
  /** Whether a cookie says all there is, so that every change asks for a new one. */
  readonly isSelfContained: boolean
  /** The most that `measure` may give for a session to be kept. */
  readonly limit: number
  /** The id for a new session: what its cookie stands for. */
  newId(): string
  /** What may be shown of an id. It opens nothing. */
  handleOf(id: string): string
  /** The envelope behind a cookie value, or why there is none. Never throws or rejects for what a value may be. */
  open(text: string): LoadedRecord | OpenRefusal | Promise<LoadedRecord | OpenRefusal>
  /** Keeps what the cookie does not carry. `held` is what stood there before; undefined for a session that is new. */
  save(
    envelope: IdentifiedRecord,
    held: IdentifiedRecord | undefined,
    occasion: SaveContext
  ): SaveResult | Promise<SaveResult>
  /** The cookie value that stands for an envelope from now on. */
  seal(envelope: IdentifiedRecord): string
  /**
   * Nothing is left in the session as this request knows it. `ended`: nothing at all is left of it; `saved`: others have put
   * something there meanwhile, which stays.
   */
  deleteIfEmpty(
    envelope: IdentifiedRecord,
    held: IdentifiedRecord
  ): 'ended' | SaveResult | Promise<'ended' | SaveResult>
  /** The session has ended: what stood for it must open nothing that this transport can prevent. */
  drop(held: IdentifiedRecord): void | Promise<void>
  /** What stands there now, whoever put it there; undefined when the session has been ended. */
  latest(held: IdentifiedRecord): IdentifiedRecord | undefined | Promise<IdentifiedRecord | undefined>
  /**
   * Changes the data in one step, on the latest of them: `change` gets their JSON and gives the new JSON, and is asked again
   * when somebody else was faster. Undefined where nobody else can write, so that the session itself is the latest.
   */
  readonly amend:
    | undefined
    | ((held: IdentifiedRecord, change: (json: string) => Promise<string>) => Promise<IdentifiedRecord>)
  /** The bytes that count against the limit if this envelope were kept. */
  measure(envelope: IdentifiedRecord): number
}
