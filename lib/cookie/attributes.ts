import { inspect } from 'node:util'
import type { CookieAttributes } from '../../types/options.ts'
import { CookieRuleError, InvalidOptionError } from '../errors.ts'
import { isBoolean } from '../util/check.ts'

/** The most bytes of name and value that browsers keep (RFC 6265bis, section 5.6). */
export const MAX_COOKIE_BYTES = 4096

/** The longest lifetime that browsers grant (RFC 6265bis, section 5.5): 400 days. */
const MAX_AGE_SECONDS = 34_560_000

const COOKIE_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** Attributes with every default filled in. */
export type ResolvedAttributes = Readonly<
  Required<Omit<CookieAttributes, 'domain' | 'priority'>> & Pick<CookieAttributes, 'domain' | 'priority'>
>

/** `serialize` of `@fastify/cookie`. */
export type SerializeCookie = (name: string, value: string, attributes: Record<string, unknown>) => string

/** A cookie with one set of attributes: the same ones for setting and for clearing. */
export interface CookieWriter {
  /** A Set-Cookie line. `maxAge`: seconds; undefined for a cookie that ends with the browser. */
  set(value: string, secure: boolean, maxAge: number | undefined): string
  /** The Set-Cookie line that makes the browser forget the cookie. */
  clear(secure: boolean): string
}

interface PrefixRules {
  readonly secure: boolean
  readonly host: boolean
  readonly httpOnly: boolean
}

// RFC 6265bis, section 4.1.3; the two `Http` prefixes: draft-ietf-httpbis-layered-cookies.
const PREFIXES: Readonly<Record<string, PrefixRules>> = {
  '__Host-Http-': { secure: true, host: true, httpOnly: true },
  '__Host-': { secure: true, host: true, httpOnly: false },
  '__Http-': { secure: true, host: false, httpOnly: true },
  '__Secure-': { secure: true, host: false, httpOnly: false }
}

const CHECKS: { readonly [Name in keyof CookieAttributes]-?: readonly [string, (value: unknown) => boolean] } = {
  path: ["a string that starts with '/', of at most 1024 ASCII characters", (value) => isPath(value)],
  domain: ['a host name such as example.com', (value) => value === undefined || isHostName(value)],
  httpOnly: ['true or false', isBoolean],
  sameSite: ["'lax', 'strict' or 'none'", (value) => value === 'lax' || value === 'strict' || value === 'none'],
  secure: ["true, false or 'auto'", (value) => value === 'auto' || isBoolean(value)],
  partitioned: ['true or false', isBoolean],
  priority: [
    "'low', 'medium' or 'high'",
    (value) => value === undefined || value === 'low' || value === 'medium' || value === 'high'
  ]
}

/** The names of all cookie attributes that can be set. */
export const ATTRIBUTE_NAMES: readonly string[] = Object.keys(CHECKS)

/** The attributes of a cookie, defaults filled in and every rule checked that a browser would enforce without a word. */
export function resolveAttributes(name: string, given: Partial<CookieAttributes>): ResolvedAttributes {
  if (!COOKIE_NAME.test(name)) {
    throw new InvalidOptionError(
      `The cookie name ${JSON.stringify(name)} has characters that no cookie name may have. Use letters, digits, '-' and '_'.`
    )
  }
  const prefix = Object.keys(PREFIXES).find((candidate) => name.toLowerCase().startsWith(candidate.toLowerCase()))
  const rules = prefix === undefined ? undefined : PREFIXES[prefix]
  const attributes: ResolvedAttributes = {
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure: rules ? true : 'auto',
    partitioned: false,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  }
  for (const [attribute, [expected, accepts]] of Object.entries(CHECKS)) {
    const value: unknown = attributes[attribute as keyof CookieAttributes]
    if (!accepts(value)) {
      throw new InvalidOptionError(
        `The cookie attribute ${attribute} must be ${expected}; it is ${inspect(value, { depth: 0 })}.`
      )
    }
  }
  const demand = (met: boolean, who: string, what: string): void => {
    if (!met) throw new CookieRuleError(`${who} needs ${what}: browsers refuse the cookie '${name}' otherwise.`)
  }
  if (prefix !== undefined && rules !== undefined) {
    demand(name.startsWith(prefix), `A name that starts like ${prefix}`, 'exactly that spelling')
    demand(attributes.secure === true, `The prefix ${prefix}`, 'secure: true')
    demand(!rules.httpOnly || attributes.httpOnly, `The prefix ${prefix}`, 'httpOnly: true')
    demand(!rules.host || attributes.path === '/', `The prefix ${prefix}`, "path: '/'")
    demand(!rules.host || attributes.domain === undefined, `The prefix ${prefix}`, 'no domain')
  }
  demand(attributes.sameSite !== 'none' || attributes.secure === true, "sameSite: 'none'", 'secure: true')
  demand(!attributes.partitioned || attributes.secure === true, 'partitioned: true', 'secure: true')
  return Object.freeze(attributes)
}

/** Spells the attributes out once, so that a cookie costs no more than joining strings. */
export function createCookieWriter(
  name: string,
  attributes: ResolvedAttributes,
  serialize: SerializeCookie
): CookieWriter {
  const spell = (secure: boolean): string => serialize(name, '', { ...attributes, secure }).slice(name.length + 1)
  const [plain, secured] = [spell(false), spell(true)]
  return {
    set(value, secure, maxAge) {
      const age = maxAge === undefined ? '' : `; Max-Age=${Math.min(maxAge, MAX_AGE_SECONDS)}`
      return `${name}=${value}${age}${secure ? secured : plain}`
    },
    clear(secure) {
      return `${name}=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT${secure ? secured : plain}`
    }
  }
}

/** One cookie in a Cookie header: its value, and where the search for the next one starts. */
export interface FoundCookie {
  readonly text: string
  readonly end: number
}

/**
 * The first cookie of a name in a Cookie header from a position on. Names are compared exactly. A browser sends several of one
 * name when they were set for different paths or domains.
 */
export function findCookie(header: string, name: string, from: number): FoundCookie | undefined {
  const start = `${name}=`
  for (let at = header.indexOf(start, from); at !== -1; at = header.indexOf(start, at + 1)) {
    let before = at - 1
    while (header[before] === ' ' || header[before] === '\t') before--
    if (before >= 0 && header[before] !== ';') continue
    const semicolon = header.indexOf(';', at)
    const end = semicolon === -1 ? header.length : semicolon
    // Not trimEnd(), which takes a no-break space for one, too: one cookie would have two spellings.
    let last = end
    while (header[last - 1] === ' ' || header[last - 1] === '\t') last--
    return { text: header.slice(at + start.length, last), end }
  }
  return undefined
}

/** RFC 6265bis, section 4.1.1: no semicolon; section 5.6: browsers ignore attributes of more than 1024 bytes. */
function isPath(value: unknown): boolean {
  return typeof value === 'string' && /^\/[\x20-\x3a\x3c-\x7e]{0,1023}$/.test(value)
}

function isHostName(value: unknown): boolean {
  if (typeof value !== 'string' || value.length > 253) return false
  return /^\.?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(value)
}
