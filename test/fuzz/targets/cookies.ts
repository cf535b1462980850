import { deriveKeys } from '../../../lib/crypto/keys.ts'
import { findCookies, inspectCookie } from '../../../lib/diagnostics/inspect-cookie.ts'
import { EncryptedFormat } from '../../../lib/format/encrypted.ts'
import type { CookieFormat } from '../../../lib/format/format.ts'
import { decodeBody, encodeBody } from '../../../lib/format/record.ts'
import { ReferenceFormat } from '../../../lib/format/reference.ts'
import { SignedFormat } from '../../../lib/format/signed.ts'
import { CIPHER, fixedRandom, NOW, OLD_SECRET, RECORD, readVectors, SECRET } from '../../format/samples.ts'
import { secretBytes } from '../../vectors/generate.ts'
import { readCorpus } from '../corpus.ts'
import type { Target } from '../fuzz.ts'

const NAME = 'session'
const JUDGED_BY_THE_CLOCK = ['not-yet-valid', 'expired-idle', 'expired-absolute']
const LIMITS = { maxIdleTimeout: 86_400, maxAbsoluteTimeout: 2_592_000 }
const TIMEOUTS = { idleTimeout: 86_400, absoluteTimeout: 2_592_000, ...LIMITS }
const TOKENS = [
  '.',
  '..',
  '=',
  '==',
  's2',
  'e2',
  'r2',
  's3',
  ':v3',
  '0000000000',
  '9999999999',
  '%2e',
  '"',
  'session=',
  '{}'
]

/** Which texts are genuine, and which only look like it. */
export interface CookieSeeds {
  readonly genuine: readonly string[]
  readonly others: readonly string[]
}

/** A cookie opens if it is spelled exactly as a genuine one, and only then. `opens`: whether a text opens. */
export function cookieTarget(name: string, { genuine, others }: CookieSeeds, opens: (text: string) => boolean): Target {
  const known = new Set(genuine)
  return {
    name,
    seeds: [...genuine, ...others, ...readCorpus('cookies')],
    tokens: [...TOKENS, ...others.slice(0, 3)],
    check(text) {
      if (opens(text) === known.has(text)) return undefined
      return known.has(text) ? 'a genuine cookie does not open' : 'it opens, and is no genuine cookie'
    }
  }
}

/** The vectors of a mode. The key ring has the secrets of all of them, for one cookie name. */
export function seedsOf(mode: 'signed' | 'encrypted'): CookieSeeds {
  const { valid, invalid } = readVectors(mode)
  const genuine = [
    ...valid.filter(({ cookieName }) => cookieName === NAME),
    ...invalid.filter(({ name, reason }) => JUDGED_BY_THE_CLOCK.includes(reason) || name === 'an unknown secret')
  ].map(({ cookie }) => cookie)
  const ofOtherMode = readVectors(mode === 'signed' ? 'encrypted' : 'signed').valid
  const others = [...valid, ...invalid, ...ofOtherMode].map(({ cookie }) => cookie)
  return { genuine, others: others.filter((cookie) => !genuine.includes(cookie)) }
}

export function formatOf(mode: 'signed' | 'encrypted'): CookieFormat {
  const texts = new Set(
    readVectors(mode).valid.flatMap(({ secrets }) => secrets.map((secret) => JSON.stringify(secret)))
  )
  const keys = deriveKeys(
    [...texts].map((text) => secretBytes(JSON.parse(text))),
    mode
  )
  return mode === 'signed' ? new SignedFormat(keys, NAME) : new EncryptedFormat(keys, NAME, fixedRandom(), CIPHER)
}

/** `opens` of a format that returns a record or a reason. */
export function opensIn(format: Pick<CookieFormat, 'decode'>): (text: string) => boolean {
  return (text) => typeof format.decode(text) === 'object'
}

export function referenceOf(name: string): ReferenceFormat {
  return new ReferenceFormat(deriveKeys([SECRET, OLD_SECRET], 'reference'), name)
}

function referenceSeeds(): CookieSeeds {
  const format = referenceOf(NAME)
  const old = new ReferenceFormat(deriveKeys([OLD_SECRET], 'reference'), NAME)
  const id = Buffer.alloc(32, 'id').toString('base64url')
  return {
    genuine: [
      format.encode(id, NOW),
      format.encode(id, 0),
      format.encode(RECORD.id, NOW - 1),
      format.encode(id, NOW, ':v3:wAA'),
      old.encode(id, NOW)
    ],
    others: [
      referenceOf('sid').encode(id, NOW),
      ...readVectors('signed').valid.map(({ cookie }) => cookie),
      ...readVectors('encrypted').valid.map(({ cookie }) => cookie)
    ]
  }
}

/** What the inspector and the command line say of a text. Only a genuine cookie is valid to them. */
function inspectTarget(): Target {
  const format = new SignedFormat(deriveKeys([SECRET], 'signed'), NAME)
  const genuine = [format.encode({ ...RECORD, lastSeenAt: NOW })]
  const seeds = { genuine, others: seedsOf('encrypted').genuine }
  return cookieTarget('inspect', seeds, (text) => {
    for (const { name, value } of findCookies(text, NAME)) inspectCookie(name, value, [], TIMEOUTS, NOW)
    const { verdict } = inspectCookie(NAME, text, [SECRET], TIMEOUTS, NOW, CIPHER)
    return verdict === 'valid'
  })
}

/** What stands behind the MAC: a key holder may have written it wrongly. */
function bodyTarget(): Target {
  const valid = [...readVectors('signed').valid, ...readVectors('encrypted').valid]
  return {
    name: 'body',
    seeds: [encodeBody(RECORD), ...valid.map(({ body }) => body), ...readCorpus('records')],
    tokens: [
      '{',
      '}',
      ':',
      ':v3',
      ':w',
      ':X',
      '%',
      '%7b',
      '%ff',
      '1',
      '0',
      'null',
      '"',
      '[',
      '{"__proto__":{}}',
      '\ud83c'
    ],
    check(text) {
      const record = decodeBody(text, NOW)
      if (typeof record === 'string') return undefined
      const isPlain = Object.getPrototypeOf(record.data) === Object.prototype
      return isPlain && Number.isInteger(record.createdAt) ? undefined : 'it opens as something that is no record'
    }
  }
}

/** The formats of cookies, each against texts that nobody sealed. */
export function cookieTargets(): Target[] {
  const reference = referenceOf(NAME)
  return [
    cookieTarget('signed', seedsOf('signed'), opensIn(formatOf('signed'))),
    cookieTarget('encrypted', seedsOf('encrypted'), opensIn(formatOf('encrypted'))),
    cookieTarget('reference', referenceSeeds(), (text) => reference.verify(text) === undefined),
    inspectTarget(),
    bodyTarget()
  ]
}
