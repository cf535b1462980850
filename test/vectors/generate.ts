// Writes signed.json, encrypted.json and members.json: npx tsx test/vectors/generate.ts && npx biome check --write test/vectors
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Contents } from './reference.ts'
import { bodyOf, deriveKey, encryptedCookie, headOf, keyIdOf, sealedMember, signedCookie } from './reference.ts'

/** A secret as the option `secret` takes it: text stands for its UTF-8 bytes. */
export type VectorSecret = { readonly text: string } | { readonly hex: string }

interface Vector {
  readonly name: string
  readonly cookieName: string
  /** Newest first. */
  readonly secrets: readonly VectorSecret[]
  readonly cookie: string
}

/** A cookie that opens, and everything on the way to it. */
export interface ValidVector extends Vector {
  /** Whether it was sealed under the newest secret. */
  readonly current: boolean
  readonly record: Omit<Contents, 'json'> & { readonly data: unknown }
  readonly keyId: string
  /** In hexadecimal. */
  readonly key: string
  readonly body: string
  /** The 24 random bytes of an encrypted cookie, in hexadecimal. */
  readonly nonce?: string
}

/** A cookie that does not open, and what every reader says of it. */
interface InvalidVector extends Vector {
  readonly reason: string
}

export interface Vectors {
  readonly about: string
  readonly mode: Mode
  readonly now: number
  readonly idleTimeout: number
  readonly absoluteTimeout: number
  readonly maxIdleTimeout: number
  readonly maxAbsoluteTimeout: number
  readonly valid: readonly ValidVector[]
  readonly invalid: readonly InvalidVector[]
}

type Mode = 'signed' | 'encrypted'

const NOW = 1_795_176_000
const IDLE = 86_400
const ABSOLUTE = 2_592_000
const MAX_IDLE = 604_800
const MAX_ABSOLUTE = 7_776_000
const ID = 'AQIDBAUGBwgJCgsMDQ4PEA'
const NEW: VectorSecret = { text: 'vectors only: 4b1f0e7a9c6d28355d0c' }
const OLD: VectorSecret = { text: 'vectors only: die Schlüssel von gestern' }
const BYTES: VectorSecret = { hex: 'f0e1d2c3b4a5968778695a4b3c2d1e0f00112233445566778899aabbccddeeff' }

export function secretBytes(secret: VectorSecret): Buffer {
  return 'hex' in secret ? Buffer.from(secret.hex, 'hex') : Buffer.from(secret.text)
}

const PLAIN: Contents = {
  id: ID,
  createdAt: NOW - 3600,
  lastSeenAt: NOW - 30,
  permanent: false,
  ownerId: null,
  extensions: null,
  json: '{"visits":1}'
}

interface Recipe {
  readonly name: string
  readonly contents?: Partial<Contents>
  readonly cookieName?: string
  readonly secrets?: readonly VectorSecret[]
  readonly sealedWith?: VectorSecret
}

/** A body that leaves unused bits in the last letter of base64url. */
const PLAIN_RECIPE: Recipe = { name: 'plain', contents: { json: '{"visits":12}' } }

const VALID: readonly Recipe[] = [
  { name: 'one key (the worked example of docs/cookie-format.md)' },
  { name: 'no data but an owner', contents: { ownerId: '7', json: '{}' } },
  {
    name: 'text outside ASCII, an escaped half of a pair, and a zero',
    contents: { json: JSON.stringify({ näme: 'Zoë 日本 🍪', half: '\ud83c', zero: '\0', '': '' }) }
  },
  {
    name: 'an owner with braces, per cent, dots and text outside ASCII',
    contents: { ownerId: 'a{b}%7B c.d/ü日🍪', json: '{"role":"admin"}' }
  },
  { name: 'permanent', contents: { permanent: true } },
  {
    name: 'every type of JSON, and keys that poison careless readers',
    contents: {
      json: '{"null":null,"no":false,"big":1e+21,"small":-0.5,"list":[[],{},[1,"2"]],"__proto__":{"admin":true},"id":"x"}'
    }
  },
  { name: 'a version of the schema', contents: { extensions: ':v3' } },
  {
    name: 'an owner, and extensions that nobody knows yet',
    contents: { ownerId: 'a:b', extensions: ':aA-_9:b:v999999999:z0' }
  },
  { name: 'times with leading zeros', contents: { createdAt: NOW, lastSeenAt: NOW }, cookieName: 'sid' },
  { name: 'a body of one byte more', contents: { json: '{"visits":12}' } },
  { name: 'a body of two bytes more', contents: { json: '{"visits":123}' } },
  { name: 'sealed with the older of two secrets', secrets: [NEW, OLD], sealedWith: OLD },
  { name: 'sealed with the newer of two secrets', secrets: [NEW, OLD] },
  { name: 'a secret of bytes', secrets: [BYTES], sealedWith: BYTES },
  { name: 'a name with a prefix', cookieName: '__Host-session' },
  { name: 'the last second before it is idle', contents: { createdAt: NOW - IDLE, lastSeenAt: NOW - IDLE } },
  { name: 'the last second of its life', contents: { createdAt: NOW - ABSOLUTE } },
  { name: 'from a clock that is a minute ahead', contents: { createdAt: NOW + 60, lastSeenAt: NOW + 60 } },
  { name: 'the last second of a short idle timeout', contents: { lastSeenAt: NOW - 300, extensions: ':I300' } },
  {
    name: 'the last second of a long idle timeout',
    contents: { createdAt: NOW - 200_000, lastSeenAt: NOW - 200_000, extensions: ':I200000:v1' }
  },
  { name: 'the last second of a short life', contents: { createdAt: NOW - 7200, extensions: ':L7200' } },
  {
    name: 'the last second of both caps',
    contents: { createdAt: NOW - MAX_ABSOLUTE, lastSeenAt: NOW - MAX_IDLE, extensions: ':I9999999999:L9999999999' }
  }
]

const LATE: readonly (Recipe & { readonly reason: string })[] = [
  {
    name: 'idle for a second too long',
    contents: { createdAt: NOW - IDLE - 1, lastSeenAt: NOW - IDLE - 1 },
    reason: 'expired-idle'
  },
  { name: 'a second too old', contents: { createdAt: NOW - ABSOLUTE - 1 }, reason: 'expired-absolute' },
  { name: 'too old and too long idle', contents: { createdAt: 0, lastSeenAt: 0 }, reason: 'expired-absolute' },
  { name: 'stamped 61 seconds ahead', contents: { lastSeenAt: NOW + 61 }, reason: 'not-yet-valid' },
  { name: 'made 61 seconds ahead', contents: { createdAt: NOW + 61 }, reason: 'not-yet-valid' },
  { name: 'too old, and stamped ahead', contents: { createdAt: 0, lastSeenAt: NOW + 61 }, reason: 'not-yet-valid' },
  {
    name: 'idle for longer than its own timeout',
    contents: { lastSeenAt: NOW - 301, extensions: ':I300' },
    reason: 'expired-idle'
  },
  {
    name: 'older than its own timeout',
    contents: { createdAt: NOW - 7201, extensions: ':L7200' },
    reason: 'expired-absolute'
  },
  {
    name: 'idle for longer than the cap',
    contents: { createdAt: NOW - 700_000, lastSeenAt: NOW - MAX_IDLE - 1, extensions: ':I9999999999' },
    reason: 'expired-idle'
  },
  {
    name: 'older than the cap',
    contents: { createdAt: NOW - MAX_ABSOLUTE - 1, extensions: ':L9999999999' },
    reason: 'expired-absolute'
  }
]

/** Bodies that no writer makes, sealed with the right key. */
const WRONG_BODIES: Readonly<Record<string, string>> = {
  'no body at all': '',
  'a created time that is no number': bodyOf(PLAIN).replace(/^.{10}/, '179517240x'),
  'a created time with a sign': bodyOf(PLAIN).replace(/^.{10}/, '+795172400'),
  'flags that do not exist': bodyOf(PLAIN).replace(/^(.{10})0/, '$12'),
  'no data': bodyOf({ ...PLAIN, json: '' }),
  'data that are an array': bodyOf({ ...PLAIN, json: '[1]' }),
  'data that are cut short': bodyOf({ ...PLAIN, json: '{"visits":1' }),
  'data with something behind them': bodyOf({ ...PLAIN, json: '{"visits":1}}' }),
  'data that only JavaScript understands': bodyOf({ ...PLAIN, json: '{"visits":NaN}' }),
  'an id that is too short': bodyOf({ ...PLAIN, id: ID.slice(1), json: '{}' }).slice(0, 33),
  'an extension without a tag': bodyOf({ ...PLAIN, extensions: ':' }),
  'an extension with a digit as its tag': bodyOf({ ...PLAIN, extensions: ':3v' }),
  'an extension with a dot': bodyOf({ ...PLAIN, extensions: ':w1.5' }),
  'an extension with a blank': bodyOf({ ...PLAIN, extensions: ':v3 ' }),
  'an extension with two colons': bodyOf({ ...PLAIN, extensions: '::v3' }),
  'an extension outside ASCII': bodyOf({ ...PLAIN, extensions: ':é' }),
  'extensions in the wrong order': bodyOf({ ...PLAIN, extensions: ':w1:v3' }),
  'small letters before capital ones': bodyOf({ ...PLAIN, extensions: ':v3:X' }),
  'an extension that stands twice': bodyOf({ ...PLAIN, extensions: ':v3:v3' }),
  'a version with a leading zero': bodyOf({ ...PLAIN, extensions: ':v03' }),
  'a version with two marks': bodyOf({ ...PLAIN, extensions: ':v3--' }),
  'version zero': bodyOf({ ...PLAIN, extensions: ':v0' }),
  'a version without a number': bodyOf({ ...PLAIN, extensions: ':v' }),
  'a version of ten digits': bodyOf({ ...PLAIN, extensions: ':v1000000000' }),
  'an idle timeout with a leading zero': bodyOf({ ...PLAIN, extensions: ':I0300' }),
  'an idle timeout of zero': bodyOf({ ...PLAIN, extensions: ':I0' }),
  'an absolute timeout without a number': bodyOf({ ...PLAIN, extensions: ':L' }),
  'an absolute timeout of eleven digits': bodyOf({ ...PLAIN, extensions: ':L10000000000' }),
  'an owner with an unfinished escape': bodyOf(PLAIN).replace('{', '%7{'),
  'an owner that is not UTF-8': bodyOf(PLAIN).replace('{', '%ff{')
}

/** Critical extensions that nobody knows yet. What follows them cannot be judged. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  'a critical extension': bodyOf({ ...PLAIN, extensions: ':X1' }),
  'a critical extension among others, behind an owner': bodyOf({ ...PLAIN, ownerId: '7', extensions: ':A:Z-:v3' }),
  'a critical extension, and data that are cut short': bodyOf({ ...PLAIN, extensions: ':X', json: '{"visits":1' }),
  'a critical extension, and an owner that is not UTF-8': bodyOf({ ...PLAIN, extensions: '%ff:X' })
}

/** A cookie of one mode with everything that it is made of. `index` makes its nonce a nonce of its own. */
function seal(mode: Mode, recipe: Recipe, index: number, body?: string, stamp?: string): ValidVector {
  const { name, cookieName = 'session', sealedWith = NEW, secrets = [NEW] } = recipe
  const { json, ...record }: Contents = { ...PLAIN, ...recipe.contents }
  const secret = secretBytes(sealedWith)
  const head = headOf(mode === 'signed' ? 's2' : 'e2', secret, stamp ?? record.lastSeenAt)
  const text = body ?? bodyOf({ ...record, json })
  const parts = {
    name,
    cookieName,
    secrets,
    current: secrets[0] === sealedWith,
    record: { ...record, data: JSON.parse(json) },
    keyId: keyIdOf(secret),
    key: deriveKey(secret, mode).toString('hex'),
    body: text
  }
  if (mode === 'signed') return { ...parts, cookie: signedCookie(secret, cookieName, head, text) }
  const nonce = Buffer.from(Array.from({ length: 24 }, (_, byte) => (index * 16 + byte * 7) % 256))
  const cookie = encryptedCookie(secret, cookieName, head, text, nonce)
  return { ...parts, nonce: nonce.toString('hex'), cookie }
}

/** Data that fill a cookie to the last byte: 7 for the name, 63 or 19 for head, dots and MAC, the rest in base64url. */
function biggest(mode: Mode): Recipe {
  const bodyBytes = mode === 'signed' ? Math.floor((4026 * 3) / 4) : Math.floor((4070 * 3) / 4) - 24 - 16
  const note = 'x'.repeat(bodyBytes - bodyOf({ ...PLAIN, json: '{"note":""}' }).length)
  return { name: 'as large as a cookie may be: 4096 bytes with its name', contents: { json: `{"note":"${note}"}` } }
}

export function createVectors(mode: Mode): Vectors {
  const invalid: InvalidVector[] = []
  const refuse = (name: string, reason: string, cookie: string, changes: Partial<Vector> = {}): void => {
    invalid.push({ name, cookieName: 'session', secrets: [NEW], cookie, reason, ...changes })
  }
  const { cookie } = seal(mode, PLAIN_RECIPE, 100)
  const foreign = seal(mode === 'signed' ? 'encrypted' : 'signed', { name: 'foreign' }, 101).cookie
  const head = cookie.slice(0, 18)
  const rest = cookie.slice(18)

  refuse('nothing', 'malformed', '')
  refuse('one letter', 'malformed', 'x')
  refuse('a dot', 'malformed', '.')
  refuse('a head alone', 'malformed', head)
  refuse('the other mode', 'malformed', foreign)
  refuse('the other mode with the mark of this one', 'malformed', cookie.slice(0, 2) + foreign.slice(2))
  refuse('an older version', 'malformed', cookie.replace(/^(.)2/, '$11'))
  refuse('a later version', 'malformed', cookie.replace(/^(.)2/, '$13'))
  refuse(
    'a capital letter',
    'malformed',
    cookie.replace(/^./, (letter) => letter.toUpperCase())
  )
  refuse('in quotes', 'malformed', `"${cookie}"`)
  refuse('percent-encoded dots', 'malformed', cookie.replaceAll('.', '%2E'))
  refuse('a stamp of nine digits', 'malformed', head.slice(0, 17) + rest)
  refuse('another key id', 'unknown-key', cookie.replace(/^(..).{6}/, '$1AAAAAA'))
  refuse('an unknown secret', 'unknown-key', cookie, { secrets: [OLD, BYTES] })
  refuse('an unknown secret, and changed', 'unknown-key', headOf(head.slice(0, 2), secretBytes(NEW), NOW) + rest, {
    secrets: [OLD]
  })
  refuse('another end of the head', 'bad-signature', `${head}~${rest.slice(1)}`)
  refuse('an end of the head that does not exist', 'malformed', `${head}-${rest.slice(1)}`)
  refuse('another stamp', 'bad-signature', headOf(head.slice(0, 2), secretBytes(NEW), NOW) + rest)
  refuse('another cookie name', 'bad-signature', cookie, { cookieName: 'session2' })
  refuse('a shorter cookie name', 'bad-signature', cookie, { cookieName: 'ession' })
  refuse(
    'the key id of another known secret',
    'bad-signature',
    headOf(head.slice(0, 2), secretBytes(OLD), NOW - 30) + rest,
    {
      secrets: [NEW, OLD]
    }
  )
  if (mode === 'signed') refuseSigned(refuse, cookie)
  else refuseEncrypted(refuse, cookie)
  refuse(
    'a stamp that is no number, sealed',
    'malformed',
    seal(mode, PLAIN_RECIPE, 102, undefined, '17951759x0').cookie
  )
  Object.entries(WRONG_BODIES).forEach(([name, body], index) => {
    refuse(`${name}, sealed`, 'malformed', seal(mode, PLAIN_RECIPE, 110 + index, body).cookie)
  })
  Object.entries(UNSUPPORTED).forEach(([name, body], index) => {
    refuse(`${name}, sealed`, 'unsupported', seal(mode, PLAIN_RECIPE, 180 + index, body).cookie)
  })
  LATE.forEach((recipe, index) => {
    refuse(recipe.name, recipe.reason, seal(mode, recipe, 160 + index).cookie)
  })
  return {
    about:
      'Made by test/vectors/generate.ts. docs/cookie-format.md describes the format. Times are seconds since 1970.',
    mode,
    now: NOW,
    idleTimeout: IDLE,
    absoluteTimeout: ABSOLUTE,
    maxIdleTimeout: MAX_IDLE,
    maxAbsoluteTimeout: MAX_ABSOLUTE,
    valid: [...VALID, biggest(mode)].map((recipe, index) => seal(mode, recipe, index)),
    invalid
  }
}

type Refuse = (name: string, reason: string, cookie: string) => void

function refuseSigned(refuse: Refuse, cookie: string): void {
  const [head, body, mac] = cookie.split('.') as [string, string, string]
  const other = seal('signed', { name: 'other', contents: { ownerId: 'mallory' } }, 0).cookie.split('.')
  refuse('the body of another cookie', 'bad-signature', `${head}.${other[1]}.${mac}`)
  refuse('the MAC of another cookie', 'bad-signature', `${head}.${body}.${other[2]}`)
  refuse('a body with padding', 'bad-signature', `${head}.${body}=.${mac}`)
  refuse('a body with other unused bits', 'bad-signature', `${head}.${changeUnusedBits(body)}.${mac}`)
  refuse('a body in the other alphabet', 'bad-signature', `${head}.${body.slice(0, -1)}+.${mac}`)
  refuse('no body', 'bad-signature', `${head}..${mac}`)
  refuse('no body and one dot', 'bad-signature', `${head}.${mac}`)
  refuse('a dot more', 'bad-signature', `${head}..${body}.${mac}`)
  refuse('no MAC', 'malformed', `${head}.${body}`)
  refuse('an empty MAC', 'malformed', `${head}.${body}.`)
  refuse('a MAC with padding', 'malformed', `${cookie}=`)
  refuse('a MAC with a letter more', 'malformed', `${cookie}A`)
  refuse('a MAC with a letter less', 'malformed', cookie.slice(0, -1))
  refuse('a MAC of zeros', 'bad-signature', `${head}.${body}.${'A'.repeat(43)}`)
  refuse('a MAC with other unused bits', 'bad-signature', `${head}.${body}.${changeUnusedBits(mac)}`)
  refuse('a MAC in small letters', 'bad-signature', `${head}.${body}.${mac.toLowerCase()}`)
}

function refuseEncrypted(refuse: Refuse, cookie: string): void {
  const [head, sealed] = cookie.split('.') as [string, string]
  const bytes = Buffer.from(sealed, 'base64url')
  const spell = (changed: Buffer): string => `${head}.${changed.toString('base64url')}`
  const flip = (index: number): string => spell(bytes.map((byte, at) => (at === index ? byte ^ 1 : byte)) as Buffer)
  refuse('the first bit of the nonce', 'bad-signature', flip(0))
  refuse('a bit at the end of the nonce', 'bad-signature', flip(23))
  refuse('the first bit of the ciphertext', 'bad-signature', flip(24))
  refuse('a bit of the tag', 'bad-signature', flip(bytes.length - 1))
  refuse('nothing sealed', 'bad-signature', `${head}.`)
  refuse('a nonce alone', 'bad-signature', spell(bytes.subarray(0, 24)))
  refuse('one byte too short for a nonce and a tag', 'bad-signature', spell(bytes.subarray(0, 39)))
  refuse(
    'a nonce, no ciphertext, a tag',
    'bad-signature',
    spell(Buffer.concat([bytes.subarray(0, 24), bytes.subarray(-16)]))
  )
  refuse('a byte less', 'bad-signature', spell(bytes.subarray(0, -1)))
  refuse('a byte more', 'bad-signature', spell(Buffer.concat([bytes, Buffer.of(0)])))
  refuse('padding', 'malformed', `${cookie}=`)
  refuse('other unused bits', 'malformed', `${head}.${changeUnusedBits(sealed)}`)
  refuse('the other alphabet', 'malformed', `${head}.${sealed.replaceAll('-', '+').replaceAll('_', '/')}`)
  refuse('a third part', 'malformed', `${cookie}.AAAA`)
  refuse('a dot at the end', 'malformed', `${cookie}.`)
}

/** The same bytes to a careless decoder: the last letter of base64url text has bits that stand for nothing. */
function changeUnusedBits(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const changed = text.slice(0, -1) + alphabet[alphabet.indexOf(text.at(-1) as string) + 1]
  if (!Buffer.from(changed, 'base64url').equals(Buffer.from(text, 'base64url'))) throw new Error('no unused bits')
  return changed
}

/** The value of a member in a store that opens as `text`; as nothing without `text`. */
interface MemberVector {
  readonly name: string
  /** Newest first. */
  readonly secrets: readonly VectorSecret[]
  readonly place: string
  /** The name of the member, as JSON. */
  readonly member: string
  readonly value: string
  readonly text?: string
  /** In hexadecimal. */
  readonly nonce?: string
}

export interface MemberVectors {
  readonly about: string
  readonly mode: 'member'
  readonly valid: readonly MemberVector[]
  readonly invalid: readonly MemberVector[]
}

const KEY_IN_STORE = '658WgAyQKf_KhWlXY9I8Os5xARz0DpNUrNgQIF4lD4c'
const OTHER_KEY_IN_STORE = KEY_IN_STORE.replace('6', '7')
const VISITS = { name: 'a number', secrets: [NEW], place: `data:${KEY_IN_STORE}`, member: '"visits"', text: '1234' }

function sealMember(recipe: Omit<Required<MemberVector>, 'value' | 'nonce'>, index: number): Required<MemberVector> {
  const nonce = Buffer.from(Array.from({ length: 24 }, (_, byte) => (byte * 7 + index * 31) % 256))
  const { secrets, place, member, text } = recipe
  // The last one: the others are newer.
  const secret = secretBytes(secrets.at(-1) as VectorSecret)
  return { ...recipe, value: sealedMember(secret, place, member, text, nonce), nonce: nonce.toString('hex') }
}

function createMemberVectors(): MemberVectors {
  const valid = [
    VISITS,
    { ...VISITS, name: 'a text', member: '"note"', text: '"Grüße 🍪 \\ud83c"' },
    { ...VISITS, name: 'an object', member: '"cart"', text: '{"item-17":2,"__proto__":{}}' },
    { ...VISITS, name: 'null, under the name of nothing', member: '""', text: 'null' },
    { ...VISITS, name: 'a name with all that JSON escapes', member: '"\\"=:\\u0000\\ud800ü"', text: 'true' },
    {
      ...VISITS,
      name: 'a member of the description',
      place: `description:${KEY_IN_STORE}`,
      member: '"agent"',
      text: '"Firefox"'
    },
    { ...VISITS, name: 'the second of two secrets', secrets: [BYTES, OLD], text: '1e3' },
    { ...VISITS, name: '10 000 characters', text: JSON.stringify('x'.repeat(10_000)) }
  ].map(sealMember)
  const [{ value, text: _text, nonce: _nonce, ...first }] = valid as [Required<MemberVector>]
  const [head, sealed] = value.split('.') as [string, string]
  const bytes = Buffer.from(sealed, 'base64url')
  const spell = (changed: Uint8Array): string => `${head}.${Buffer.from(changed).toString('base64url')}`
  const flip = (index: number): string => spell(bytes.map((byte, at) => (at === index ? byte ^ 1 : byte)))
  const refused = (name: string, changed: Partial<MemberVector>): MemberVector => ({
    ...first,
    value,
    ...changed,
    name
  })
  const cookie = encryptedCookie(
    secretBytes(NEW),
    'session',
    headOf('e2', secretBytes(NEW), NOW),
    '1234',
    bytes.subarray(0, 24)
  )
  const invalid = [
    refused('another member', { member: '"visit"' }),
    refused('another session', { place: `data:${OTHER_KEY_IN_STORE}` }),
    refused('a description', { place: `description:${KEY_IN_STORE}` }),
    refused('an unknown secret', { secrets: [OLD] }),
    refused('the key id of another known secret', {
      secrets: [NEW, OLD],
      value: `m1${keyIdOf(secretBytes(OLD))}.${sealed}`
    }),
    refused('another version', { value: `m2${value.slice(2)}` }),
    refused('the plain value', { value: '1234' }),
    refused('nothing', { value: '' }),
    refused('the head alone', { value: head }),
    refused('nothing sealed', { value: `${head}.` }),
    refused('an encrypted cookie', { value: cookie }),
    refused('what an encrypted cookie has sealed', { value: `${head}.${cookie.split('.')[1]}` }),
    refused('another bit of the nonce', { value: flip(0) }),
    refused('another bit of the ciphertext', { value: flip(24) }),
    refused('another bit of the tag', { value: flip(bytes.length - 1) }),
    refused('a byte less', { value: spell(bytes.subarray(0, -1)) }),
    refused('a byte more', { value: spell(Buffer.concat([bytes, Buffer.of(0)])) }),
    refused('a nonce alone', { value: spell(bytes.subarray(0, 24)) }),
    refused('padding', { value: `${value}=` }),
    refused('a blank behind it', { value: `${value} ` }),
    refused('other unused bits', { value: `${head}.${changeUnusedBits(sealed)}` })
  ]
  return {
    about: 'Made by test/vectors/generate.ts. docs/cookie-format.md describes the format, under Values in a store.',
    mode: 'member',
    valid,
    invalid
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const mode of ['signed', 'encrypted'] as const) {
    writeFileSync(new URL(`${mode}.json`, import.meta.url), `${JSON.stringify(createVectors(mode), undefined, 2)}\n`)
  }
  writeFileSync(new URL('members.json', import.meta.url), `${JSON.stringify(createMemberVectors(), undefined, 2)}\n`)
}
