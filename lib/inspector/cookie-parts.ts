import type { CookiePart } from '../../types/inspector.ts'
import { describeSchema } from '../diagnostics/describe-schema.ts'
import type { CookieReport } from '../diagnostics/inspect-cookie.ts'
import type { LoadedRecord } from '../format/record.ts'
import { HEAD_CHARACTERS } from '../format/record.ts'

const FORMATS: Readonly<Record<CookieReport['mode'], string>> = {
  signed: 'a signed cookie, version 2: anybody can read it, only the server can change it',
  encrypted: 'an encrypted cookie, version 2: only the server can read or change it',
  stored: 'a reference, version 2: the session is in a store on the server',
  unknown: ''
}

const SIGNATURE =
  'an HMAC-SHA-256 of the cookie name and everything before it: nobody can create one without the secret'

/** Splits the value of a cookie into its parts, and explains each of them. */
export function splitCookie(value: string, report: CookieReport): CookiePart[] {
  const { mode, keyId, lastSeenAt } = report
  if (keyId === undefined || lastSeenAt === undefined) {
    return [{ name: 'unknown', text: value, meaning: 'not a cookie of this library', access: 'opaque' }]
  }
  const head: CookiePart[] = [
    { name: 'format', text: value.slice(0, 2), meaning: FORMATS[mode], access: 'readable' },
    {
      name: 'key id',
      text: keyId,
      meaning: 'the secret that sealed the cookie; the id does not reveal the secret',
      access: 'readable'
    },
    {
      name: 'last activity',
      text: String(lastSeenAt),
      meaning: `the last recorded activity: ${timeOf(lastSeenAt)}`,
      access: 'readable'
    }
  ]
  const [payload = '', signature] = value.slice(HEAD_CHARACTERS + 1).split('.')
  const body = splitBody(payload, report)
  if (signature === undefined) return [...head, body]
  return [...head, body, { name: 'signature', text: signature, meaning: SIGNATURE, access: 'opaque' }]
}

function splitBody(text: string, { mode, record, storeKey }: CookieReport): CookiePart {
  if (mode === 'stored') {
    const meaning = `256 random bits, which nobody can guess. The store has the session under their hash, ${storeKey}`
    return { name: 'session id', text, meaning, access: 'opaque' }
  }
  const isSealed = mode === 'encrypted'
  const content = record === undefined ? 'this server cannot read it' : describe(record)
  return {
    name: 'session',
    text,
    meaning: isSealed ? `sealed with XChaCha20-Poly1305. Opened with the secret: ${content}` : content,
    access: isSealed ? 'sealed' : 'readable'
  }
}

function describe({ createdAt, permanent, id, ownerId, extensions, json }: LoadedRecord): string {
  const end = permanent ? 'outlives the browser' : 'ends with the browser'
  const owner = ownerId === undefined ? 'no owner' : `owner ${ownerId}`
  const schema = describeSchema(extensions)
  const version = schema === undefined ? '' : `schema ${schema}, `
  const more = extensions === undefined ? '' : `extensions ${extensions}, ${version}`
  return `created at ${timeOf(createdAt)}, ${end}, id ${id}, ${owner}, ${more}data ${json}`
}

function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}
