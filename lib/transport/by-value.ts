import type { OpenRefusal } from '../../types/diagnostics.ts'
import type { Codec } from '../codec/codec.ts'
import type { Envelope, OpenEnvelope } from '../codec/envelope.ts'
import { encodeBody } from '../codec/envelope.ts'
import { MAX_COOKIE_BYTES } from '../cookie.ts'
import { TooLargeError } from '../errors.ts'
import { measureKeys } from '../json.ts'
import type { Transport } from './transport.ts'

/** The data travel in the cookie itself. Nothing is kept on the server. */
export class ByValue implements Transport {
  readonly current: string
  readonly #codec: Codec
  readonly #cookieName: string

  constructor(codec: Codec, cookieName: string) {
    this.current = codec.current
    this.#codec = codec
    this.#cookieName = cookieName
  }

  open(text: string): OpenEnvelope | OpenRefusal {
    return this.#codec.decode(text)
  }

  /** Throws `ERR_SESSION_TOO_LARGE`: a larger cookie is dropped by browsers, and the session with it. */
  seal(envelope: Envelope): string {
    const value = this.#codec.encode(envelope)
    const bytes = this.#cookieName.length + value.length
    if (bytes > MAX_COOKIE_BYTES) throw tooLarge(bytes, envelope.json)
    return value
  }

  /** A copy of the cookie stays valid until it expires: without a store there is nothing to revoke. */
  drop(): undefined {
    return undefined
  }

  measure(envelope: Envelope): number {
    return this.#cookieName.length + this.#codec.lengthOf(Buffer.byteLength(encodeBody(envelope)))
  }
}

function tooLarge(bytes: number, json: string): Error {
  const biggest = Object.entries(measureKeys(json))
    .sort(([, a], [, b]) => b - a)
    .slice(0, 3)
    .map(([key, size]) => `${key} (${size} bytes)`)
  return new TooLargeError(
    `The session cookie would have ${bytes} bytes and browsers keep at most ${MAX_COOKIE_BYTES}. The biggest keys are ${biggest.join(', ')}. Keep ids instead of objects, or keep the session on the server.`
  )
}
