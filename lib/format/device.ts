import type { Extensions } from './extensions.ts'
import { readExtension, withExtension } from './extensions.ts'

/** Critical: a server that did not know it would serve the session to a browser that has only copied its cookies. */
const BINDING = 'D'
const OFFER = 'd'
const PROOF = 'p'

const BINDING_FIRST = `:${BINDING}`
const OFFER_START = `:${OFFER}`
const SECONDS_CHARACTERS = 10

/** The device to which a session is bound. Times are seconds since 1970. */
export interface Binding {
  readonly boundAt: number
  /** The public key: `E` and the coordinates of a point of P-256, or `R` and the modulus of RSA, in base64url. */
  readonly key: string
}

/** Whether a session is bound to a device. Capital letters come first, and of those that are known this one. */
export function isBound(extensions: Extensions): boolean {
  return extensions?.startsWith(BINDING_FIRST) === true
}

/** Whether the browser was asked to bind a session, which is not bound. */
export function isOffered(extensions: Extensions): boolean {
  return extensions?.includes(OFFER_START) === true
}

export function readBinding(extensions: Extensions): Binding | undefined {
  const value = isBound(extensions) ? readExtension(extensions, BINDING) : undefined
  if (value === undefined) return undefined
  return { boundAt: Number(value.slice(0, SECONDS_CHARACTERS)), key: value.slice(SECONDS_CHARACTERS) }
}

/** What is bound is not on offer any more. */
export function withBinding(extensions: Extensions, { boundAt, key }: Binding): Extensions {
  return withExtension(withoutDevice(extensions), BINDING, encode(boundAt) + key)
}

/** Returns the extensions without all that they say of a device. */
export function withoutDevice(extensions: Extensions): Extensions {
  return [BINDING, OFFER, PROOF].reduce<Extensions>((rest, tag) => withExtension(rest, tag, undefined), extensions)
}

/** Returns `base` with what `other` says of a device. */
export function withDeviceOf(base: Extensions, other: Extensions): Extensions {
  return [BINDING, OFFER, PROOF].reduce<Extensions>(
    (rest, tag) => withExtension(rest, tag, readExtension(other, tag)),
    base
  )
}

interface Extended {
  readonly extensions: Extensions
}

/** Returns `latest` with what a request has changed of what `before` says of a device. */
export function withDeviceChange(latest: Extensions, before: Extended, after: Extended): Extensions {
  const hasChanged = withDeviceOf(undefined, before.extensions) !== withDeviceOf(undefined, after.extensions)
  return hasChanged ? withDeviceOf(latest, after.extensions) : latest
}

/** Returns when the browser was last asked to bind the session. Undefined if it never was. */
export function readOffer(extensions: Extensions): number | undefined {
  return readSeconds(extensions, OFFER)
}

export function withOffer(extensions: Extensions, at: number): Extensions {
  return withExtension(extensions, OFFER, encode(at))
}

/** Returns the last proof that a store has noted. */
export function readNotedProof(extensions: Extensions): number | undefined {
  return readSeconds(extensions, PROOF)
}

export function withNotedProof(extensions: Extensions, at: number): Extensions {
  return withExtension(extensions, PROOF, encode(at))
}

function readSeconds(extensions: Extensions, tag: string): number | undefined {
  const value = readExtension(extensions, tag)
  return value === undefined ? undefined : Number(value)
}

function encode(seconds: number): string {
  return String(seconds).padStart(SECONDS_CHARACTERS, '0')
}
