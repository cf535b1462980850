import type { OpenRefusal } from '../../types/diagnostics.ts'
import { MAX_COOKIE_BYTES } from '../cookie/attributes.ts'
import type { RandomPool } from '../crypto/random.ts'
import { measureKeys } from '../data/storable.ts'
import { TooLargeError } from '../errors.ts'
import type { CookieFormat } from '../format/format.ts'
import type { IdentifiedRecord, LoadedRecord } from '../format/record.ts'
import { encodeBody } from '../format/record.ts'
import type { SaveResult, Transport } from './transport.ts'

const ID_BYTES = 16

/** The data travel in the cookie itself. Nothing is kept on the server. */
export class CookieTransport implements Transport {
  readonly current: string
  readonly loadsBeforeHandler = false
  readonly isSelfContained = true
  readonly limit: number = MAX_COOKIE_BYTES
  readonly amend: undefined
  readonly #codec: CookieFormat
  readonly #cookieName: string
  readonly #random: RandomPool

  constructor(codec: CookieFormat, cookieName: string, random: RandomPool) {
    this.current = codec.current
    this.#codec = codec
    this.#cookieName = cookieName
    this.#random = random
  }

  newId(): string {
    return this.#random.text(ID_BYTES)
  }

  /** The id opens nothing: the data and their seal do. */
  handleOf(id: string): string {
    return id
  }

  open(text: string): LoadedRecord | OpenRefusal {
    return this.#codec.decode(text)
  }

  save(): SaveResult {
    return 'saved'
  }

  /** Throws `ERR_SESSION_TOO_LARGE`: a larger cookie is dropped by browsers, and the session with it. */
  seal(envelope: IdentifiedRecord): string {
    const value = this.#codec.encode(envelope)
    const bytes = this.#cookieName.length + value.length
    if (bytes > MAX_COOKIE_BYTES) throw tooLarge(bytes, envelope.json)
    return value
  }

  deleteIfEmpty(): 'ended' {
    return 'ended'
  }

  /** A copy of the cookie stays valid until it expires: without a store there is nothing to revoke. */
  drop(): void {}

  latest(held: IdentifiedRecord): IdentifiedRecord {
    return held
  }

  measure(envelope: IdentifiedRecord): number {
    return this.#cookieName.length + this.#codec.lengthOf(Buffer.byteLength(encodeBody(envelope)))
  }
}

function tooLarge(bytes: number, json: string): Error {
  const biggest = Object.entries(measureKeys(json))
    .sort(([, a], [, b]) => b - a)
    .slice(0, 3)
    .map(([key, size]) => `${key} (${size} bytes)`)
  return new TooLargeError(
    `The session cookie would have ${bytes} bytes and browsers keep at most ${MAX_COOKIE_BYTES}. The biggest keys are ${biggest.join(', ')}. Keep ids instead of objects, or keep the session on the server: option store.`
  )
}
