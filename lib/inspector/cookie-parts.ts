import type { CookiePart } from '../../types/inspector.ts'
import type { CookieReport } from '../diagnostics/inspect-cookie.ts'
import type { LoadedRecord } from '../format/record.ts'
import { HEAD_CHARACTERS } from '../format/record.ts'

const FORMATS: Readonly<Record<CookieReport['mode'], string>> = {
  signed: 'a signed cookie, version 1: everybody can read it, nobody can change it',
  encrypted: 'an encrypted cookie, version 1: nobody can read what is inside, or change it',
  stored: 'a reference, version 1: the session itself is in a store on the server',
  unknown: ''
}

const SIGNATURE =
  'an HMAC-SHA-256 over the name of the cookie and everything before: only who has the secret can make one'

/** A cookie's value taken apart, with what each part says. */
export function splitCookie(value: string, report: CookieReport): CookiePart[] {
  const { mode, keyId, lastSeenAt } = report
  if (keyId === undefined || lastSeenAt === undefined) {
    return [{ name: 'unknown', text: value, meaning: 'not a cookie of this library', access: 'opaque' }]
  }
  const head: CookiePart[] = [
    { name: 'format', text: value.slice(0, 2), meaning: FORMATS[mode], access: 'readable' },
    { name: 'key id', text: keyId, meaning: 'which of the secrets sealed it; no secret itself', access: 'readable' },
    {
      name: 'last activity',
      text: String(lastSeenAt),
      meaning: `activity was noted at ${timeOf(lastSeenAt)}`,
      access: 'readable'
    }
  ]
  const [payload = '', signature] = value.slice(HEAD_CHARACTERS + 1).split('.')
  const body = splitBody(payload, report)
  if (signature === undefined) return [...head, body]
  return [...head, body, { name: 'signature', text: signature, meaning: SIGNATURE, access: 'opaque' }]
}

function splitBody(text: string, { mode, envelope, storeKey }: CookieReport): CookiePart {
  if (mode === 'stored') {
    const meaning = `256 random bits, which nobody can guess. The store has the session under their hash, ${storeKey}`
    return { name: 'session id', text, meaning, access: 'opaque' }
  }
  const isSealed = mode === 'encrypted'
  const said = envelope === undefined ? 'nothing that this server could make out' : describe(envelope)
  return {
    name: 'session',
    text,
    meaning: isSealed ? `sealed by XAES-256-GCM. With the secret: ${said}` : said,
    access: isSealed ? 'sealed' : 'readable'
  }
}

function describe({ createdAt, permanent, id, ownerId, json }: LoadedRecord): string {
  const end = permanent ? 'outlives the browser' : 'ends with the browser'
  const owner = ownerId === undefined ? 'no owner' : `owner ${ownerId}`
  return `began at ${timeOf(createdAt)}, ${end}, id ${id}, ${owner}, data ${json}`
}

function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}
