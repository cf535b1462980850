import type { OpenRefusal } from '../../types/diagnostics.ts'
import { deriveKeys } from '../crypto/keys.ts'
import { RandomPool } from '../crypto/random.ts'
import type { XChaCha20Poly1305 } from '../crypto/xchacha.ts'
import { EncryptedFormat } from '../format/encrypted.ts'
import type { LoadedRecord } from '../format/record.ts'
import { decodeBody, HEAD_CHARACTERS, hasHeadEnd, readKeyId, readLastSeenAt } from '../format/record.ts'
import { ReferenceFormat } from '../format/reference.ts'
import { SignedFormat } from '../format/signed.ts'
import type { Expiring, TimeoutSettings } from '../transport/expiry.ts'
import { checkExpiry } from '../transport/expiry.ts'
import { handleOf } from '../transport/store-record.ts'

const MODES: Readonly<Record<string, CookieReport['mode']>> = { s2: 'signed', e2: 'encrypted', r2: 'stored' }

/** What a cookie shows without the secret, and with it. */
export interface CookieReport {
  readonly name: string
  /** Of name and value. */
  readonly bytes: number
  readonly mode: 'signed' | 'encrypted' | 'stored' | 'unknown'
  readonly keyId: string | undefined
  /** Seconds since 1970. */
  readonly lastSeenAt: number | undefined
  /** `unchecked` without a secret, or without the cipher that it takes. */
  readonly verdict: 'valid' | 'unchecked' | OpenRefusal
  /** Its content, if it can be read. Without a secret, or with a bad signature, it is not verified. */
  readonly record: LoadedRecord | undefined
  /** The key that a store has for the session. The id, which opens it, is not shown. */
  readonly storeKey: string | undefined
}

/** A cookie that a header, a browser or `curl -i` shows. */
interface GivenCookie {
  readonly name: string
  readonly value: string
}

/**
 * Finds the session cookies in a value, in `name=value`, or in a whole header: those of the name, or else those that look like
 * one of this package, or else the first pair.
 */
export function findCookies(text: string, name: string): GivenCookie[] {
  const isCookieHeader = /^\s*cookie:/i.test(text)
  const pairs = text
    .replace(/^\s*(set-)?cookie:\s*/i, '')
    .split(';')
    // Only a value that stands alone has no name. What follows are attributes.
    .filter((pair, index) => index === 0 || pair.includes('='))
    .map((pair) => toCookie(pair.trim(), name))
  const named = pairs.filter((pair) => pair.name === name)
  if (named.length > 0) return named
  const similar = pairs.filter(({ value }) => hasHead(value))
  if (similar.length > 0) return similar
  return isCookieHeader ? [] : pairs.slice(0, 1)
}

function toCookie(pair: string, defaultName: string): GivenCookie {
  const equals = pair.indexOf('=')
  return equals === -1
    ? { name: defaultName, value: pair }
    : { name: pair.slice(0, equals), value: pair.slice(equals + 1) }
}

/** Whether a value begins as the cookies of this package do. */
function hasHead(value: string): boolean {
  return value.slice(0, 2) in MODES && !Number.isNaN(readLastSeenAt(value)) && hasHeadEnd(value)
}

/** Looks at a cookie as the server would, and further where it would refuse. `cipher`: opens encrypted ones. */
export function inspectCookie(
  name: string,
  value: string,
  secrets: readonly Uint8Array[],
  timeouts: TimeoutSettings,
  now: number,
  cipher?: XChaCha20Poly1305
): CookieReport {
  const mode = MODES[value.slice(0, 2)] ?? 'unknown'
  const lastSeenAt = readLastSeenAt(value)
  const isOurs = hasHead(value)
  const opened = secrets.length === 0 || !isOurs ? undefined : open(mode, name, value, secrets, cipher)
  const read = isLoadedRecord(opened) ? opened : mode === 'signed' ? readSigned(value) : undefined
  return {
    name,
    bytes: Buffer.byteLength(name) + Buffer.byteLength(value),
    mode,
    keyId: isOurs ? readKeyId(value) : undefined,
    lastSeenAt: isOurs ? lastSeenAt : undefined,
    verdict: !isOurs ? 'malformed' : judge(opened, timeouts, now),
    record: typeof read === 'string' ? undefined : read,
    storeKey: mode === 'stored' && isOurs ? handleOf(idOf(value)) : undefined
  }
}

function isLoadedRecord(opened: Expiring | OpenRefusal | undefined): opened is LoadedRecord {
  return typeof opened === 'object' && 'data' in opened
}

function readSigned(value: string): LoadedRecord | OpenRefusal {
  return decodeBody(readBody(value), readLastSeenAt(value))
}

/** What the server would decide about the cookie. For a stored session this is incomplete: the rest is in the store. */
function open(
  mode: CookieReport['mode'],
  name: string,
  value: string,
  secrets: readonly Uint8Array[],
  cipher: XChaCha20Poly1305 | undefined
): LoadedRecord | OpenRefusal | Expiring | undefined {
  if (mode === 'encrypted') {
    return cipher && new EncryptedFormat(deriveKeys(secrets, 'encrypted'), name, new RandomPool(), cipher).decode(value)
  }
  if (mode === 'signed') return new SignedFormat(deriveKeys(secrets, 'signed'), name).decode(value)
  const lastSeenAt = readLastSeenAt(value)
  return (
    new ReferenceFormat(deriveKeys(secrets, 'reference'), name).verify(value) ?? { createdAt: lastSeenAt, lastSeenAt }
  )
}

function judge(
  opened: Expiring | OpenRefusal | undefined,
  timeouts: TimeoutSettings,
  now: number
): CookieReport['verdict'] {
  if (opened === undefined) return 'unchecked'
  if (typeof opened === 'string') return opened
  return checkExpiry(opened, timeouts, now) ?? 'valid'
}

function payloadOf(value: string): string {
  return value
    .slice(HEAD_CHARACTERS + 1)
    .split('.', 1)
    .join()
}

/** The id in a reference, without the extensions behind it. */
function idOf(value: string): string {
  return payloadOf(value).split(':', 1).join()
}

function readBody(value: string): string {
  return Buffer.from(payloadOf(value), 'base64url').toString('utf8')
}
