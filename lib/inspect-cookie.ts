import type { OpenRefusal } from '../types/diagnostics.ts'
import { EncryptedCodec } from './codec/encrypted.ts'
import type { OpenEnvelope } from './codec/envelope.ts'
import { decodeBody, HEAD_CHARACTERS, readKeyId, readStamp } from './codec/envelope.ts'
import { SignedCodec } from './codec/signed.ts'
import { deriveKeys } from './keys.ts'
import type { Timeouts } from './lifetime.ts'
import { judgeLifetime } from './lifetime.ts'
import { RandomPool } from './random.ts'

/** What can be said of a cookie from the outside, and with the secret. */
export interface CookieReport {
  readonly name: string
  /** Of name and value. */
  readonly bytes: number
  readonly mode: 'signed' | 'encrypted' | 'unknown'
  readonly keyId: string | undefined
  /** Seconds since 1970. */
  readonly stampedAt: number | undefined
  /** `unchecked` without a secret. */
  readonly verdict: 'valid' | 'unchecked' | OpenRefusal
  /** What it holds, where that can be read. Without a secret, or with a bad signature, nobody vouches for it. */
  readonly envelope: OpenEnvelope | undefined
}

/** Splits what a browser or `curl -i` shows (a value, `name=value`, a whole header) into name and value. */
export function parseCookie(text: string, defaultName: string): { name: string; value: string } {
  const isCookieHeader = /^\s*cookie:/i.test(text)
  const pairs = text.replace(/^\s*(set-)?cookie:\s*/i, '').split(';')
  const named = isCookieHeader ? pairs.find((pair) => pair.trim().startsWith(`${defaultName}=`)) : undefined
  const pair = (named ?? (pairs[0] as string)).trim()
  const equals = pair.indexOf('=')
  return equals === -1
    ? { name: defaultName, value: pair }
    : { name: pair.slice(0, equals), value: pair.slice(equals + 1) }
}

/** Looks at a cookie as the server would, and further where it would refuse. */
export function inspectCookie(
  name: string,
  value: string,
  secrets: readonly Uint8Array[],
  timeouts: Timeouts,
  now: number
): CookieReport {
  const mode = value.startsWith('s1') ? 'signed' : value.startsWith('e1') ? 'encrypted' : 'unknown'
  const stampedAt = readStamp(value)
  const hasHead = mode !== 'unknown' && !Number.isNaN(stampedAt) && value[HEAD_CHARACTERS] === '.'
  const opened = secrets.length === 0 ? undefined : open(mode, name, value, secrets)
  const readable = mode === 'signed' ? decodeBody(readBody(value), stampedAt) : undefined
  const envelope = typeof opened === 'object' ? opened : readable
  return {
    name,
    bytes: Buffer.byteLength(name) + Buffer.byteLength(value),
    mode,
    keyId: hasHead ? readKeyId(value) : undefined,
    stampedAt: hasHead ? stampedAt : undefined,
    verdict: !hasHead ? 'malformed' : judge(opened, timeouts, now),
    envelope
  }
}

function open(mode: CookieReport['mode'], name: string, value: string, secrets: readonly Uint8Array[]) {
  const codec =
    mode === 'encrypted'
      ? new EncryptedCodec(deriveKeys(secrets, 'encrypted'), name, new RandomPool())
      : new SignedCodec(deriveKeys(secrets, 'signed'), name)
  return codec.decode(value)
}

function judge(
  opened: OpenEnvelope | OpenRefusal | undefined,
  timeouts: Timeouts,
  now: number
): CookieReport['verdict'] {
  if (opened === undefined) return 'unchecked'
  if (typeof opened === 'string') return opened
  return judgeLifetime(opened, timeouts, now) ?? 'valid'
}

function readBody(value: string): string {
  return Buffer.from(value.split('.')[1] ?? '', 'base64url').toString('utf8')
}
